//! A message that came to a number of the supply: whose it is, what code it holds, kept once for its renter.

use std::time::Duration;

use super::act::enter;
use super::code::extract;
use super::pattern::{Fit, Matcher};
use super::state::{Event, Status};
use super::store::{self, MessageRow, Row};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{ActivationMessageId, OrgId};
use crate::providers::Inbound;
use crate::secret::{Keyring, Purpose};
use crate::terms::{Channel, Mode};

/// Longest text that is kept, characters: ten concatenated segments.
const LONGEST: usize = 1600;
/// How far a carrier's clock may be behind ours: a message of before the rent is the renter's before.
const SKEW: Duration = Duration::from_secs(60);

/// Who brings a message, and what seals it.
#[derive(Clone, Copy)]
pub struct Bringer<'a> {
    /// The carrier's name.
    pub carrier: &'a str,
    /// What seals texts.
    pub keyring: &'a Keyring,
    /// Live, or made up by a test key.
    pub mode: Mode,
    /// The only organization whose activations it may reach: of a message that was made up.
    pub only: Option<OrgId>,
}

/// Gives a message to whoever rents `to` for the service that it is of. `true` where `to` is a number of the supply: the
/// message is nobody else's then, and is not kept where nobody waits for it.
pub fn take_activation(conn: &mut Conn, from: Bringer<'_>, one: &Inbound, to: &str, now: Millis) -> Result<bool> {
    if one.channel != Channel::Sms {
        return Ok(false);
    }
    let Some(number) = store::number_of(conn, to)?.filter(|number| number.mode == from.mode) else { return Ok(false) };
    let waiting = store::open_on(conn, number.id)?;
    let Some((id, matcher)) = whose(conn, &waiting, from.only, one, now)? else {
        count("unmatched");
        return Ok(true);
    };
    // It may have ended while we looked.
    let Some(row) = store::find_locked(conn, id)?.filter(|row| waits(row, now)) else {
        count("unmatched");
        return Ok(true);
    };
    let text: String = one.text.chars().take(LONGEST).collect();
    let code = extract(&text, matcher.own(&text));
    let message = sealed(from, &row, one, (&text, code.as_deref()), now);
    if !store::insert_message(conn, &message)? {
        count("repeat");
        return Ok(true);
    }
    count(if code.is_some() { "code" } else { "no_code" });
    let status = row.status.at(row.expires_at, now);
    let next = match status.after(Event::CodeCame, row.cancel_at, now) {
        Ok(next) if code.is_some() => next,
        _ => row.status,
    };
    enter(conn, Row { messages: row.messages.saturating_add(1), ..row }, next, now)?;
    Ok(true)
}

/// Whether a message could still be for it.
fn waits(row: &Row, now: Millis) -> bool {
    matches!(row.status.at(row.expires_at, now), Status::Waiting | Status::WaitingRetry)
}

/// The activation whose service says most of its messages; of two that say as much the older.
fn whose(
    conn: &mut Conn,
    waiting: &[Row],
    only: Option<OrgId>,
    one: &Inbound,
    now: Millis,
) -> Result<Option<(crate::ids::ActivationId, Matcher)>> {
    let mut best: Option<(Fit, crate::ids::ActivationId, Matcher)> = None;
    for row in waiting.iter().filter(|row| waits(row, now) && only.is_none_or(|org| org == row.org_id)) {
        if one.sent_at.is_some_and(|sent| sent.plus(SKEW) < row.created_at) {
            continue;
        }
        let Some(service) = store::service(conn, &row.service)? else { continue };
        let matcher = service.matcher();
        let Some(fit) = matcher.fit(&one.from, &one.text) else { continue };
        if best.as_ref().is_none_or(|(known, ..)| fit > *known) {
            best = Some((fit, row.id, matcher));
        }
    }
    Ok(best.map(|(_, id, matcher)| (id, matcher)))
}

fn sealed(from: Bringer<'_>, row: &Row, one: &Inbound, (text, code): (&str, Option<&str>), now: Millis) -> MessageRow {
    let id = ActivationMessageId::new(now);
    let seal = |what: &str| from.keyring.seal(Purpose::Body, id.as_str().as_bytes(), what.as_bytes());
    MessageRow {
        id,
        activation_id: row.id,
        carrier: String::from(from.carrier),
        provider_id: one.provider_id.clone(),
        sender: one.from.clone(),
        code: code.map(seal),
        text: seal(text),
        received_at: now,
        purged_at: None,
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("postern_activation_messages_total", "outcome" => outcome).increment(1);
}
