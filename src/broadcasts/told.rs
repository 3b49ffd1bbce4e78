//! What webhooks tell of a broadcast: what it became, with its counts; no contact, no text.

use super::state::Status;
use super::store::Row;
use super::view::BroadcastView;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::webhooks::{self, EventType, NewEvent};

/// Tells that `row` has become what it is now, in the transaction in which it did.
pub fn tell(conn: &mut Conn, row: &Row, now: Millis) -> Result<()> {
    let kind = match row.status {
        Status::Draft | Status::Scheduled => return Ok(()),
        Status::Running => EventType::BroadcastStarted,
        Status::Paused => EventType::BroadcastPaused,
        Status::Completed => EventType::BroadcastCompleted,
        Status::Canceled => EventType::BroadcastCanceled,
        Status::Stopped => EventType::BroadcastStopped,
    };
    let data = || serde_json::to_value(BroadcastView::of(row)).unwrap_or_default();
    webhooks::emit(conn, &[NewEvent { owner: row.owner(), kind, data: Box::new(data) }], now)
}
