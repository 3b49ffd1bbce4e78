//! What webhooks tell of a verification: where it is; never a code, and its recipient masked.

use serde_json::json;

use super::state::Status;
use super::store::Row;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::phone::mask;
use crate::webhooks::{self, EventType, NewEvent};

/// Tells that `row` was started, or how it was decided, in the transaction that did it. That one has expired is nobody's
/// deed and is not told; its `expires_at` tells it in advance.
pub fn tell(conn: &mut Conn, row: &Row, now: Millis) -> Result<()> {
    let kind = match row.status {
        Status::Pending => EventType::VerificationCreated,
        Status::Approved => EventType::VerificationApproved,
        Status::MaxChecks => EventType::VerificationMaxChecks,
        Status::Canceled => EventType::VerificationCanceled,
        Status::Expired => return Ok(()),
    };
    let data = || {
        json!({
            "id": row.id,
            "status": row.status,
            "mode": row.mode,
            "channel": row.channel,
            "to": mask(&row.recipient),
            "country": row.country,
            "checks": row.checks,
            "max_checks": row.max_checks,
            "sends": row.sends,
            "expires_at": row.expires_at,
            "decided_at": row.decided_at,
            "created_at": row.created_at,
            "metadata": row.spec().map(|spec| spec.metadata).unwrap_or_default(),
        })
    };
    webhooks::emit(conn, &[NewEvent { owner: (row.org_id, row.mode), kind, data: Box::new(data) }], now)
}
