//! The gate of WhatsApp: free text goes inside a session only, and new contacts under the tier. Pure, but for loading.
//!
//! A message goes from the number that has a session with its recipient, where one has: there it is free. What is
//! scheduled is counted when it is due, by the claim, and so is what comes to WhatsApp from another channel.

use std::time::Duration;

use super::accept::Prepared;
use super::gate_state::State;
use super::gates::Denied;
use super::store::Row;
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::limits::Verdict;
use crate::phone::address_mac;
use crate::secret::Keyring;
use crate::terms::{Channel, Mode};
use crate::whatsapp::{self, Asked, Chats, Numbers, Person, WindowKey};

/// What a message needs to go by WhatsApp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// The numbers it may come from, E.164, each with its portfolio; the one that should first.
    pub numbers: Vec<(String, String)>,
    /// Whether it is text of its own, not a template.
    pub is_free_text: bool,
}

/// From which number a message goes, and whether inside a session.
struct Way<'a> {
    number: &'a str,
    portfolio: &'a str,
    in_session: bool,
}

fn person(caller: &Caller, item: &Prepared) -> Person {
    (caller.org_id(), caller.mode(), item.recipient.clone())
}

fn way<'a>(chats: &Chats, caller: &Caller, item: &'a Prepared, now: Millis) -> Option<Way<'a>> {
    let numbers = &item.chat.as_ref()?.numbers;
    let due = item.scheduled_for.map_or(now, |at| at.max(now));
    let all = numbers.iter().map(|(number, _)| number.as_str());
    let open = chats.sessions.open(&person(caller, item), all, due);
    let (number, portfolio) =
        numbers.iter().find(|(number, _)| open == Some(number.as_str())).or_else(|| numbers.first())?;
    Some(Way { number, portfolio, in_session: open.is_some() })
}

/// The window that `item` counts in, where it does.
fn counts_in(chats: &Chats, caller: &Caller, item: &Prepared, now: Millis) -> Option<WindowKey> {
    let way = way(chats, caller, item, now)?;
    (!way.in_session && item.scheduled_for.is_none()).then(|| (String::from(way.portfolio), caller.mode()))
}

/// The number that `item` goes from. Error: it is text of its own and its session is closed.
pub(super) fn open(
    state: &State,
    caller: &Caller,
    item: &Prepared,
    now: Millis,
) -> Result<Option<String>, Box<Denied>> {
    let Some(way) = way(&state.chats, caller, item, now) else { return Ok(None) };
    let is_free_text = item.chat.as_ref().is_some_and(|chat| chat.is_free_text);
    if is_free_text && !way.in_session {
        let closed = state.chats.sessions.of(&person(caller, item)).map(|(_, closes)| closes).max();
        let error = Error::new(Code::WhatsappSessionClosed).detail(said_of(closed, now));
        return Err(Denied::plain(error, Vec::new()));
    }
    Ok(Some(String::from(way.number)))
}

fn said_of(closed: Option<Millis>, now: Millis) -> String {
    let what = "Send a template instead; an answer to it opens the next session";
    match closed {
        Some(at) if at > now => format!(
            "The session with this user closes at {}, before the message is due, or is with another number. {what}.",
            at.rfc3339()
        ),
        Some(at) => format!(
            "The session with this user closed at {}, 24 hours after their latest message. {what}.",
            at.rfc3339()
        ),
        None => format!("This user has not written to you: there is no session. {what}."),
    }
}

/// What the tier says of `item`; `None` where it is free.
pub(super) fn verdict(state: &State, caller: &Caller, item: &Prepared, now: Millis) -> Option<Verdict> {
    let key = counts_in(&state.chats, caller, item, now)?;
    state.chats.windows.get(&key)?.verdict(&item.subject, now)
}

/// Counts `item`.
pub(super) fn take(state: &mut State, caller: &Caller, item: &Prepared, now: Millis) {
    if let Some(key) = counts_in(&state.chats, caller, item, now)
        && let Some(window) = state.chats.windows.get_mut(&key)
    {
        window.take(&item.subject, now);
    }
}

/// Loads what `items` ask of WhatsApp: nothing, at no cost, where none goes by it. With `hold` windows are locked.
pub(super) fn load<'a>(
    conn: &mut Conn,
    items: impl Iterator<Item = (&'a Caller, &'a Prepared)>,
    hold: bool,
    now: Millis,
) -> Result<Chats> {
    let mut asked = Asked::default();
    for (caller, item) in items {
        let Some(chat) = &item.chat else { continue };
        asked.people.insert(person(caller, item));
        for (_, portfolio) in chat.numbers.iter().filter(|_| item.scheduled_for.is_none()) {
            let key = (portfolio.clone(), caller.mode());
            asked.contacts.entry(key).or_default().insert(item.subject.clone());
        }
    }
    whatsapp::load_chats(conn, &asked, hold, now)
}

/// Where a claimed message stands with WhatsApp.
pub(super) enum Going {
    /// It goes by another channel.
    Elsewhere,
    /// From this number, of this id at Meta.
    From(String, Option<String>),
    /// The tier is used up for this long.
    Later(Duration),
    /// The organization's number does not send for now.
    Stopped,
    /// The organization has no number any more.
    Nobody,
}

/// How `row` goes by `channel` to `to` now; counts its contact where its acceptance did not.
pub(super) fn go(
    conn: &mut Conn,
    (numbers, keyring): (&Numbers, &Keyring),
    row: &Row,
    (channel, to): (Channel, &str),
    now: Millis,
) -> Result<Going> {
    if channel != Channel::Whatsapp {
        return Ok(Going::Elsewhere);
    }
    // A magic number is nobody's, and counts nowhere.
    if row.mode == Mode::Test && super::magic::is_magic(to) {
        return Ok(Going::Elsewhere);
    }
    let is_first = channel == row.channel;
    let asked = row.sender.as_deref().filter(|_| is_first);
    let Some(number) = numbers.choose(row.org_id, asked, to).into_iter().next() else {
        let is_stopped = numbers.has_stopped(row.org_id, asked);
        return Ok(if is_stopped { Going::Stopped } else { Going::Nobody });
    };
    if !is_first || row.scheduled_for.is_some() {
        let person: Person = (row.org_id, row.mode, String::from(to));
        let key = (number.portfolio.clone(), row.mode);
        let contact = address_mac(keyring, to);
        if let Some(wait) = whatsapp::count_now(conn, &key, (&person, &number.phone), &contact, now)? {
            return Ok(Going::Later(wait));
        }
    }
    Ok(Going::From(number.phone.clone(), number.phone_number_id.clone()))
}
