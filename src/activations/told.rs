//! What webhooks tell of an activation: where it is; never a code, a text or a full number.

use serde_json::json;

use super::state::Status;
use super::store::Row;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::money::MoneyView;
use crate::phone::mask;
use crate::webhooks::{self, EventType, NewEvent};

/// Tells that a code came, or that none did; other states are of the renter's own making.
pub(super) fn tell(conn: &mut Conn, row: &Row, now: Millis) -> Result<()> {
    let kind = match row.status {
        Status::Received => EventType::ActivationCodeReceived,
        Status::Expired => EventType::ActivationExpired,
        _ => return Ok(()),
    };
    let data = || {
        json!({
            "id": row.id,
            "status": row.status,
            "mode": row.mode,
            "service": row.service,
            "country": row.country,
            "to": mask(&row.phone),
            "price": MoneyView::new(row.price_micros, row.currency),
            "messages": row.messages,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
        })
    };
    webhooks::emit(conn, &[NewEvent { owner: row.owner(), kind, data: Box::new(data) }], now)
}
