//! What webhooks tell of what people write: that somebody did, never what, and the number masked. Who may read it reads
//! `GET /v1/inbound/{id}`.

use serde_json::{Value, json};

use super::keyword::Keyword;
use super::store::InboundRow;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::phone::mask;
use crate::webhooks::{self, EventType, NewEvent};

/// Tells that a message came, and what it changed.
pub(super) fn tell(conn: &mut Conn, row: &InboundRow, now: Millis) -> Result<()> {
    let Some(org) = row.org_id else { return Ok(()) };
    let consent = match row.keyword {
        Some(Keyword::Stop) => Some(EventType::RecipientOptedOut),
        Some(Keyword::Start) => Some(EventType::RecipientOptedIn),
        Some(Keyword::Help) | None => None,
    };
    let kinds = [Some(EventType::MessageInbound), consent];
    let event = |kind| NewEvent { owner: (org, row.mode), kind, data: Box::new(|| data(row)) };
    let events: Vec<NewEvent<'_>> = kinds.into_iter().flatten().map(event).collect();
    webhooks::emit(conn, &events, now)
}

fn data(row: &InboundRow) -> Value {
    json!({
        "inbound_id": row.id,
        "channel": row.channel,
        "from": mask(&row.sender),
        "to": row.recipient,
        "keyword": row.keyword,
    })
}
