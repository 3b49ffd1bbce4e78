//! How much of a tier is left, and counting a contact outside the accepting transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use super::change::MOST_NUMBERS;
use super::chats::{Asked, Chats, WindowKey, load_chats, save_chats};
use super::ladder::ContactLimit;
use super::sessions::Person;
use super::store;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::OrgId;
use crate::limits::Verdict;
use crate::terms::Mode;

/// A portfolio's window as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Unique contacts in a moving 24 h.
    pub limit: ContactLimit,
    /// How many count now.
    pub used: u64,
}

impl Room {
    /// How many new contacts may be written to now.
    pub fn left(&self) -> u64 {
        self.limit.count().map_or(u64::MAX, |limit| u64::from(limit).saturating_sub(self.used))
    }
}

/// How much of `portfolio`'s tier is used at `now`; takes nothing. Error: `not_found`.
pub fn room_of(conn: &mut Conn, portfolio: &str, mode: Mode, now: Millis) -> Result<Room> {
    let found = store::find_portfolio(conn, portfolio)?.ok_or_else(|| Error::new(Code::NotFound))?;
    let used = store::used_now(conn, &(String::from(portfolio), mode), now)?;
    Ok(Room { limit: found.limit, used })
}

/// What the tiers of an organization's numbers say of one more contact.
pub fn tier_verdicts(conn: &mut Conn, org: OrgId, mode: Mode, now: Millis) -> Result<Vec<Verdict>> {
    let numbers = store::list_numbers(conn, Some(org), None, MOST_NUMBERS)?;
    let portfolios: BTreeSet<String> = numbers.into_iter().map(|number| number.portfolio).collect();
    let mut verdicts = Vec::new();
    for portfolio in portfolios {
        let window = store::load_window(conn, &(portfolio, mode), &BTreeSet::new(), false, now)?;
        verdicts.extend(window.verdict(&[], now));
    }
    Ok(verdicts)
}

/// Counts `contact` for a message that goes now and was not counted when it was accepted: one that was scheduled, or
/// that comes to WhatsApp after another channel failed. Free inside a session with `number`. `Some`: the tier is used
/// up, and opens after this.
pub fn count_now(
    conn: &mut Conn,
    key: &WindowKey,
    (person, number): (&Person, &str),
    contact: &[u8],
    now: Millis,
) -> Result<Option<Duration>> {
    let asked = Asked { contacts: [(key.clone(), [contact.to_vec()].into())].into(), people: [person.clone()].into() };
    let mut chats: Chats = load_chats(conn, &asked, true, now)?;
    if chats.sessions.open(person, std::iter::once(number), now).is_some() {
        return Ok(None);
    }
    let Some(window) = chats.windows.get_mut(key) else { return Ok(None) };
    if let Some(wait) = window.verdict(contact, now).and_then(|verdict| verdict.wait) {
        return Ok(Some(wait));
    }
    window.take(contact, now);
    save_chats(conn, &chats)?;
    Ok(None)
}
