//! Adding contacts to a draft: looked at whole, then stored in pieces, so that no code waits behind a long list.
//!
//! A contact is in a broadcast once: what a process that died had stored is there when the request is repeated, and
//! counts as a duplicate then.

use std::collections::BTreeSet;

use super::contacts::{Check, Checked, ContactFault, Given, Looked, look};
use super::state::Status;
use super::store::{self, Contact, Owner, Row};
use super::view::ContactsAdded;
use super::words::Said;
use crate::accounts::{Caller, stored};
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::idempotency::{self, Answer, Claim, Keeping};
use crate::ids::BroadcastId;
use crate::inbound::{self, Whom};
use crate::messages::{Bench, NewMessage};
use crate::secret::Keyring;

/// Most contacts of a broadcast.
pub const CONTACTS_MAX: usize = 100_000;
/// Contacts stored in one transaction.
const PIECE: usize = 1_000;

/// Contacts as a request brings them, and what to do with those that have a fault.
pub struct Batch {
    /// Those that could be read.
    pub given: Vec<Given>,
    /// What could not.
    pub unread: Vec<ContactFault>,
    /// Leave out what has a fault, instead of refusing all.
    pub skip: bool,
}

/// Adds contacts to a draft of the caller, once for the key. Errors: `not_found`, `broadcast.not_editable`,
/// `validation_failed` with the place of each fault.
pub async fn add(
    app: &App,
    caller: &Caller,
    claim: Option<Claim>,
    id: BroadcastId,
    read: impl FnOnce() -> Result<Batch> + Send + 'static,
) -> Result<Answer> {
    let owner = (caller.org_id(), caller.mode());
    let (known, now) = (claim.clone(), app.clock.now());
    let look_up = move |conn: &mut Conn| match &known {
        Some(claim) => Ok((store::load(conn, owner, id)?, idempotency::find_answer(conn, claim, now)?)),
        None => Ok((store::load(conn, owner, id)?, None)),
    };
    let (row, answered) = app.db.read(look_up).await?;
    if let Some(stored) = answered {
        return Ok(Answer { stored, replayed: true });
    }
    row.status.takes_contacts()?;
    let looked = looked_at(app, caller, &row, read).await?;
    store_all(app, owner, &row, looked, claim).await
}

/// Reads and checks the contacts on a thread of their own: a hundred thousand numbers take seconds.
async fn looked_at(
    app: &App,
    caller: &Caller,
    row: &Row,
    read: impl FnOnce() -> Result<Batch> + Send + 'static,
) -> Result<Looked> {
    let bench = Bench::of(app).await?;
    let (caller, row) = (caller.clone(), row.clone());
    let looking = tokio::task::spawn_blocking(move || check(&bench, &caller, &row, read()?));
    looking.await.map_err(Error::internal)?
}

/// Looks at every contact; the first is prepared to the end, which finds what is wrong for all. Error:
/// `validation_failed` where one has a fault that is not to be left out.
pub fn check(bench: &Bench, caller: &Caller, row: &Row, batch: Batch) -> Result<Looked> {
    let total = batch.given.len() + batch.unread.len();
    if total == 0 {
        return Err(Error::field("contacts", "must hold at least one contact"));
    }
    if total > CONTACTS_MAX {
        return Err(Error::field("contacts", format!("are {total}; a broadcast takes at most {CONTACTS_MAX}")));
    }
    let said = Said::open(&bench.keyring, row.id, &row.said)?;
    let terms = (row.channel, row.kind);
    let check = Check { caller, said: &said, terms, bench };
    let looked = look(&check, batch.given, batch.unread)?;
    if let Some(refusal) = looked.refusal(total).filter(|_| !batch.skip) {
        return Err(refusal);
    }
    if let Some(first) = looked.good.first() {
        let body = said.to(&first.recipient, &first.own, terms)?;
        bench.prepare(caller, NewMessage::parse(body, None, bench.now)?, None)?;
    }
    Ok(looked)
}

async fn store_all(app: &App, owner: Owner, row: &Row, looked: Looked, claim: Option<Claim>) -> Result<Answer> {
    let (id, keyring) = (row.id, app.keyring.clone());
    let Looked { mut good, faults, invalid, duplicates } = looked;
    let mut sum = ContactsAdded { added: 0, duplicates, opted_out: 0, invalid, errors: faults, contacts: 0 };
    let mut dropped = duplicates;
    while good.len() > PIECE {
        let rest = good.split_off(PIECE);
        let (piece, keyring, clock) = (std::mem::replace(&mut good, rest), keyring.clone(), app.clock.clone());
        let said_twice = std::mem::take(&mut dropped);
        let stored = app.db.write_patiently(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            put(conn, &keyring, (owner, id), &piece, said_twice, now)
        });
        sum.add(&stored.await?);
    }
    let (clock, ttl) = (app.clock.clone(), app.config.retention.idempotency);
    let last = app.db.write_patiently(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        idempotency::once(conn, claim.as_ref(), Keeping { now, ttl }, |conn| {
            sum.add(&put(conn, &keyring, (owner, id), &good, dropped, now)?);
            stored(200, &sum)
        })
    });
    last.await
}

/// What one piece came to.
pub struct Put {
    added: usize,
    known: usize,
    opted_out: usize,
    contacts: i32,
}

impl ContactsAdded {
    fn add(&mut self, put: &Put) {
        self.added += put.added;
        self.duplicates += put.known;
        self.opted_out += put.opted_out;
        self.contacts = put.contacts;
    }
}

/// Stores a piece of contacts in the transaction that is open, and counts it. Errors: `broadcast.not_editable`,
/// `validation_failed` where there would be too many.
pub fn put(
    conn: &mut Conn,
    keyring: &Keyring,
    (owner, id): (Owner, BroadcastId),
    piece: &[Checked],
    said_twice: usize,
    now: Millis,
) -> Result<Put> {
    let row = store::load_locked(conn, owner, id)?;
    row.status.takes_contacts()?;
    let contacts = piece
        .iter()
        .zip(row.next_row..)
        .map(|(contact, row_no)| {
            Ok(Contact {
                broadcast_id: id,
                row_no,
                recipient: contact.recipient.clone(),
                own: contact.own.seal(keyring, id, &contact.recipient)?,
                due_at: Some(Millis(0)),
                tries: 0,
                message_id: None,
                error_code: None,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let added = store::insert_contacts(conn, id, &contacts)?;
    let opted_out = opted_out(conn, &row, piece)?;
    let known = piece.len().saturating_sub(added);
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    let next = Row {
        status: Status::Draft,
        next_row: row.next_row.saturating_add(count(piece.len())),
        contacts: row.contacts.saturating_add(count(added)),
        duplicates: row.duplicates.saturating_add(count(known + said_twice)),
        opted_out: row.opted_out.saturating_add(count(opted_out.min(added))),
        updated_at: now,
        ..row
    };
    if next.contacts > count(CONTACTS_MAX) {
        return Err(Error::field("contacts", format!("would be more than {CONTACTS_MAX}; make another broadcast")));
    }
    store::save(conn, &next)?;
    Ok(Put { added, known, opted_out: opted_out.min(added), contacts: next.contacts })
}

/// How many of a piece have opted out of messages of this kind.
fn opted_out(conn: &mut Conn, row: &Row, piece: &[Checked]) -> Result<usize> {
    let asked: BTreeSet<&str> = piece.iter().map(|contact| contact.recipient.as_str()).collect();
    let consents = inbound::opted_out(conn, &asked)?;
    let whom = |contact: &Checked| Whom {
        org_id: row.org_id,
        mode: row.mode,
        channel: row.channel,
        recipient: contact.recipient.clone(),
    };
    Ok(piece.iter().filter(|contact| consents.refuses(&whom(contact))).count())
}
