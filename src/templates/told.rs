//! What webhooks tell of a template: which version is where; never its words.

use serde_json::{Value, json};

use super::status::Status;
use super::store::{Row, Version};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::webhooks::{self, EventType, NewEvent};

/// Tells that `version` moved from `before`, in the transaction that moved it.
pub fn tell_status(conn: &mut Conn, (row, version): (&Row, &Version), before: Status, now: Millis) -> Result<()> {
    tell(conn, row, EventType::TemplateStatusChanged, now, || {
        with(row, version, json!({ "status": version.status, "previous": before, "reason": version.reason }))
    })
}

/// Tells how a version is received.
pub fn tell_quality(
    conn: &mut Conn,
    (row, version): (&Row, &Version),
    before: Option<&str>,
    now: Millis,
) -> Result<()> {
    tell(conn, row, EventType::TemplateQualityChanged, now, || {
        with(row, version, json!({ "quality": version.quality, "previous": before }))
    })
}

/// Tells what the carrier changed.
pub fn tell_change(conn: &mut Conn, (row, version): (&Row, &Version), change: &Value, now: Millis) -> Result<()> {
    tell(conn, row, EventType::TemplateChanged, now, || with(row, version, json!({ "change": change })))
}

fn tell(conn: &mut Conn, row: &Row, kind: EventType, now: Millis, data: impl Fn() -> Value) -> Result<()> {
    webhooks::emit(conn, &[NewEvent { owner: row.owner(), kind, data: Box::new(data) }], now)
}

fn with(row: &Row, version: &Version, more: Value) -> Value {
    let mut data = json!({
        "id": row.id,
        "mode": row.mode,
        "name": row.name,
        "channel": row.channel,
        "locale": row.locale,
        "category": row.category,
        "version": version.version,
        "sends": row.live == Some(version.version) && version.status == Status::Approved,
    });
    if let (Some(into), Value::Object(more)) = (data.as_object_mut(), more) {
        into.extend(more);
    }
    data
}
