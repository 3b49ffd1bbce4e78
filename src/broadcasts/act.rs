//! What is done with a broadcast: made, started, held, called off; by its owner or because it may not go on.

use super::pace::STEP_MAX;
use super::state::{Action, Status};
use super::store::{self, Owner, Row};
use super::told::tell;
use super::words::Said;
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{BatchId, BroadcastId, KeyId, OrgId};
use crate::secret::Keyring;
use crate::terms::{Channel, Kind};

/// A broadcast to be made, checked.
pub struct NewBroadcast {
    /// Its owner's word for it.
    pub name: String,
    /// How it travels.
    pub channel: Channel,
    /// What it is for.
    pub kind: Kind,
    /// What every contact is told.
    pub said: Said,
}

/// Makes a draft.
pub fn create(
    conn: &mut Conn,
    keyring: &Keyring,
    caller: &Caller,
    new: &NewBroadcast,
    (request_id, now): (&str, Millis),
) -> Result<Row> {
    let id = BroadcastId::new(now);
    let row = Row {
        id,
        org_id: caller.org_id(),
        mode: caller.mode(),
        key_id: caller.key_id(),
        batch_id: BatchId::new(now),
        name: new.name.clone(),
        channel: new.channel,
        kind: new.kind,
        template: new.said.template.clone(),
        sender: new.said.from.clone(),
        said: new.said.seal(keyring, id)?,
        status: Status::Draft,
        reason: None,
        turn: 0,
        next_at: None,
        width: i16::try_from(STEP_MAX).unwrap_or(i16::MAX),
        next_row: 1,
        contacts: 0,
        duplicates: 0,
        opted_out: 0,
        accepted: 0,
        refused: 0,
        refusals: String::from("{}"),
        request_id: String::from(request_id),
        scheduled_for: None,
        started_at: None,
        ended_at: None,
        created_at: now,
        updated_at: now,
    };
    store::insert(conn, &row)?;
    Ok(row)
}

/// Who asks for a change, by which request, when.
pub struct By<'a> {
    /// The key: its standing decides from then on, where it sets the broadcast going.
    pub key: KeyId,
    /// The request.
    pub request_id: &'a str,
    /// When.
    pub now: Millis,
}

/// Does `action` to a broadcast of `owner`; `at` is when a scheduled one begins. Errors: `not_found`,
/// `broadcast.not_editable`, `validation_failed` where it has no contacts.
pub fn act(
    conn: &mut Conn,
    owner: Owner,
    id: BroadcastId,
    (action, at): (Action, Option<Millis>),
    by: &By<'_>,
) -> Result<Row> {
    let mut row = store::load_locked(conn, owner, id)?;
    let status = row.status.after(action)?;
    if matches!(action, Action::Start | Action::Schedule) && row.contacts == 0 {
        return Err(Error::field("contacts", "are none yet; add some, then start it"));
    }
    if matches!(action, Action::Start | Action::Schedule | Action::Resume) {
        (row.key_id, row.request_id) = (by.key, String::from(by.request_id));
    }
    if action == Action::Schedule {
        row.scheduled_for = at;
    }
    let row = moved(row, status, None, by.now);
    keep(conn, row, by.now)
}

/// `row` in `status` from `now` on. Pure.
pub fn moved(row: Row, status: Status, reason: Option<String>, now: Millis) -> Row {
    let next_at = match status {
        Status::Running => Some(now),
        Status::Scheduled => row.scheduled_for,
        _ => None,
    };
    let began = (status == Status::Running).then_some(now);
    Row {
        status,
        reason,
        next_at,
        started_at: row.started_at.or(began),
        ended_at: status.is_final().then_some(now),
        updated_at: now,
        ..row
    }
}

/// Writes a row of which the transaction holds the lock, and tells what it became.
fn keep(conn: &mut Conn, row: Row, now: Millis) -> Result<Row> {
    if !store::save(conn, &row)? {
        return Err(Error::new(Code::Overloaded).cause("a broadcast changed under its lock"));
    }
    tell(conn, &row, now)?;
    Ok(row)
}

/// What may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt<'a> {
    /// This template: paused, disabled or rejected.
    Template(&'a str),
    /// This originator on this channel: its quality dropped, or it was blocked. Broadcasts that leave the choice of their
    /// originator to Postern stop with it.
    Sender(Channel, &'a str),
    /// The whole channel.
    Channel(Channel),
}

impl Halt<'_> {
    fn concerns(&self, row: &Row) -> bool {
        match self {
            Halt::Template(name) => row.template.as_deref() == Some(name),
            Halt::Sender(channel, from) => {
                row.channel == *channel && row.sender.as_deref().is_none_or(|sender| sender == *from)
            }
            Halt::Channel(channel) => row.channel == *channel,
        }
    }
}

/// A ledger step: stops every broadcast of `org` that `what` concerns, whether it waits, runs or is paused; `reason` is
/// shown to its owner, in the form of an error code. How many stopped. Messages that were accepted already go their way.
pub fn halt(conn: &mut Conn, org: OrgId, what: Halt<'_>, reason: &str, now: Millis) -> Result<usize> {
    let concerned = store::open_of(conn, org)?.into_iter().filter(|row| what.concerns(row));
    let mut stopped = 0;
    for row in concerned {
        let status = row.status.after(Action::Halt)?;
        keep(conn, moved(row, status, Some(String::from(reason)), now), now)?;
        stopped += 1;
    }
    Ok(stopped)
}
