//! Steps by which a number leaves: its portfolio, or us. What was counted stays where it was counted, so that nobody gets
//! a fresh window by going away and coming back.

use std::collections::BTreeSet;

use super::change::{TierChange, boost, locked, open_portfolio, told_of};
use super::numbers::Number;
use super::standing::NumberStatus;
use super::store;
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::WhatsappNumberId;
use crate::routing::senders;
use crate::terms::Channel;

/// Removes a number that sends no more, with its place among the senders. Its portfolio stays, with what it counted. The
/// number as it was. Errors: `not_found`; `validation_failed` while it is connected.
pub fn remove_number(conn: &mut Conn, by: &By, id: WhatsappNumberId) -> Result<Number> {
    let number = store::find_number(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    locked(conn, &number.portfolio)?;
    // Read again behind the lock.
    let number = store::find_number(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    if number.status == NumberStatus::Connected {
        let why = "is connected; set it to paused first, so that messages under way go by other channels or end";
        return Err(Error::field("status", why));
    }
    for sender in senders::of_address(conn, Channel::Whatsapp, &number.phone)? {
        if sender.org_id == Some(number.org_id) {
            senders::delete(conn, sender.id)?;
        }
    }
    store::delete_number(conn, id)?;
    boost(conn, &[number.org_id].into())?;
    by.tell(conn, "whatsapp_number.remove", id, Change::removed(&told_of(&number)))?;
    Ok(number)
}

/// Locks the portfolio of `number` and the one it shall be in, in the order of their names, and makes the latter where
/// there is none; `asked` is what it shall be then.
pub(super) fn open_new_home(
    conn: &mut Conn,
    by: &By,
    number: &Number,
    (portfolio, asked): (&str, &TierChange),
) -> Result<()> {
    let both: BTreeSet<&str> = [number.portfolio.as_str(), portfolio].into();
    for name in both {
        store::lock_portfolio(conn, name)?;
    }
    open_portfolio(conn, by, portfolio, asked)
}
