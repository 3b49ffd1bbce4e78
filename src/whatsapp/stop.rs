//! Numbers that Meta has stopped are not chosen until they are set back: by an operator, or by Meta's own word.

use super::change::{locked, save_number};
use super::numbers::Number;
use super::standing::NumberStatus;
use super::store;
use crate::alerts::{self, Alert, AlertKind};
use crate::audit::{Actor, By};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::phone::mask;

/// Blocks the number that Meta knows as `phone_number_id`, where it sends: `why` goes to the audit log. Whether it did.
pub fn block_number(conn: &mut Conn, phone_number_id: &str, why: &str, now: Millis) -> Result<bool> {
    let by = By { reason: Some(String::from(why)), ..By::local(Actor::System, now) };
    let mut blocked = false;
    for number in store::numbers_at_meta(conn, phone_number_id)? {
        blocked |= move_status(conn, &by, &number, (NumberStatus::Connected, NumberStatus::Blocked))?;
    }
    Ok(blocked)
}

/// Moves a number from one status to another, where it still stands there; whether it moved.
pub(super) fn move_status(
    conn: &mut Conn,
    by: &By,
    number: &Number,
    (from, to): (NumberStatus, NumberStatus),
) -> Result<bool> {
    if number.status != from {
        return Ok(false);
    }
    locked(conn, &number.portfolio)?;
    // Read again behind the lock.
    let Some(before) = store::find_number(conn, number.id)?.filter(|number| number.status == from) else {
        return Ok(false);
    };
    let after = Number { status: to, ..before.clone() };
    let saved = save_number(conn, by, &before, after, by.reason.as_deref().unwrap_or_default())?;
    if to == NumberStatus::Blocked {
        let text = format!(
            "WhatsApp number {} is blocked: {}. Nothing goes by it until Meta lets it send again, or its status is set to connected by PATCH /v1/admin/whatsapp/numbers/{}.",
            mask(&saved.phone),
            by.reason.as_deref().unwrap_or("Meta has stopped it"),
            saved.id
        );
        alerts::note(conn, &[Alert::common(AlertKind::CircuitOpen, text)], by.now)?;
    }
    Ok(true)
}
