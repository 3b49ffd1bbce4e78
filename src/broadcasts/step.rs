//! The worker's part: a broadcast that is due gives some of its contacts to the messages, a step at a time.
//!
//! A step is claimed, prepared outside any transaction, and recorded in one: the messages are accepted, their contacts
//! settled and the broadcast moved on together, or nothing of it. A process that dies in between has done nothing, and
//! its claim ends by itself; a step whose broadcast was changed meanwhile is undone.

use std::time::Duration;

use super::act::{Halt, halt, moved};
use super::pace::{Budget, Pace, pace};
use super::ruling::{Judged, Told, judge};
use super::state::{Action, Status};
use super::store::{self, Contact, Row};
use super::told::tell;
use super::words::{Own, Said};
use crate::accounts::{Caller, working_caller};
use crate::app::App;
use crate::clock::{Millis, whole_ms};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::failpoint;
use crate::idempotency::Stored;
use crate::ids::OrgId;
use crate::messages::{
    Accept, Bench, BulkMode, BulkTerms, Item, ItemOutcome, NewMessage, Pacing, Queue, batch_backlog, bulk_share, record,
};
use crate::terms::Channel;

/// Does up to `most` steps that are due; how many contacts were settled. The worker calls this in its loop, tests by
/// hand.
pub async fn run_steps(app: &App, most: usize) -> Result<usize> {
    let mut settled = 0;
    for _ in 0..most {
        match step(app).await? {
            Some(contacts) => settled += contacts,
            None => break,
        }
    }
    Ok(settled)
}

/// Contacts whose turn it is, with what sending to them takes.
struct Turn {
    row: Row,
    caller: Caller,
    contacts: Vec<Contact>,
}

/// What a claim came to.
#[expect(clippy::large_enum_variant, reason = "made and taken apart once in a step")]
enum Claimed {
    /// Nothing is due.
    Nothing,
    /// The broadcast was put off, or came to an end.
    Settled,
    /// Contacts go.
    Turn(Turn),
}

/// How long a step that failed waits: the fault is seldom gone at once.
const FAULT_WAIT: Duration = Duration::from_secs(5);

async fn step(app: &App) -> Result<Option<usize>> {
    let now = app.clock.now();
    if !app.db.read(move |conn| store::any_due(conn, now)).await? {
        return Ok(None);
    }
    let (clock, dispatch) = (app.clock.clone(), app.config.dispatch.clone());
    let claimed = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        claim(conn, now, now.plus(dispatch.lease), dispatch.broadcast_ahead)
    });
    let turn = match claimed.await? {
        Claimed::Nothing => return Ok(None),
        Claimed::Settled => return Ok(Some(0)),
        Claimed::Turn(turn) => turn,
    };
    let claim = (turn.row.id, turn.row.turn);
    let fed = match failpoint::pass("broadcast.after_claim") {
        Ok(()) => feed(app, turn).await,
        Err(fault) => Err(fault),
    };
    if fed.is_err() {
        // Best effort: where this fails too, the claim ends by itself.
        let _ = app.db.write(move |conn| store::put_back(conn, claim, now.plus(FAULT_WAIT))).await;
    }
    fed.map(Some)
}

fn claim(conn: &mut Conn, now: Millis, lease_until: Millis, ahead: u32) -> Result<Claimed> {
    let Some(mut row) = store::claim_due(conn, now, lease_until)? else { return Ok(Claimed::Nothing) };
    if row.status == Status::Scheduled {
        let begun = moved(row, Status::Running, None, now);
        tell(conn, &begun, now)?;
        row = Row { next_at: Some(lease_until), ..begun };
        store::save(conn, &row)?;
        row.turn = row.turn.saturating_add(1);
    }
    let caller = match working_caller(conn, row.key_id, now) {
        Ok(caller) => caller,
        Err(fault) if matches!(fault.code().entry().status, 401 | 403) => {
            return end(conn, row, Action::Pause, Some(fault.code().to_string()), now);
        }
        Err(fault) => return Err(fault),
    };
    let budget = Budget {
        share: bulk_share(conn, &caller, row.channel, now)?,
        backlog: u32::try_from(batch_backlog(conn, row.batch_id)?).unwrap_or(u32::MAX),
        ahead,
        width: u16::try_from(row.width).unwrap_or(1),
    };
    let count = match pace(budget, now) {
        Pace::Later(at) => return put_off(conn, row, at),
        Pace::Now(count) => count,
    };
    let contacts = store::due_contacts(conn, row.id, now, i64::from(count))?;
    if !contacts.is_empty() {
        return Ok(Claimed::Turn(Turn { row, caller, contacts }));
    }
    match store::next_due(conn, row.id)? {
        Some(at) => put_off(conn, row, at),
        None => end(conn, row, Action::Complete, None, now),
    }
}

fn put_off(conn: &mut Conn, row: Row, at: Millis) -> Result<Claimed> {
    store::save(conn, &Row { next_at: Some(at), ..row })?;
    Ok(Claimed::Settled)
}

fn end(conn: &mut Conn, row: Row, action: Action, reason: Option<String>, now: Millis) -> Result<Claimed> {
    let status = row.status.after(action)?;
    let row = moved(row, status, reason, now);
    store::save(conn, &row)?;
    tell(conn, &row, now)?;
    Ok(Claimed::Settled)
}

/// Sends to the contacts of a turn; how many of them are settled by that.
async fn feed(app: &App, turn: Turn) -> Result<usize> {
    let bench = Bench::of(app).await?;
    let Turn { row, caller, contacts } = turn;
    let red = bench.numbers.red(row.org_id, row.sender.as_deref()).filter(|_| row.channel == Channel::Whatsapp);
    if let Some(number) = red {
        return stop_for(app, row.org_id, number.phone.clone()).await;
    }
    let said = Said::open(&bench.keyring, row.id, &row.said)?;
    let items = contacts.iter().map(|contact| item(&bench, &caller, &row, &said, contact)).collect();
    let terms = BulkTerms {
        batch_id: row.batch_id,
        mode: BulkMode::Partial,
        pacing: Pacing::Reject,
        base: String::new(),
        is_step: true,
    };
    let accept =
        Accept { caller, request_id: row.request_id.clone(), claim: None, items, bulk: Some(terms), render: told_of };
    let acceptance = app.room::<Queue>().terms();
    let recorded = app.db.write_patiently(move |conn| {
        let now = crate::db::now(conn, &acceptance.clock)?;
        let done = record(conn, &acceptance, &[&accept])?.results.pop();
        let accepted = done.unwrap_or_else(|| Err(Error::internal("a step without an outcome")))?;
        let body = accepted.kept.map(|kept| kept.body).unwrap_or_default();
        let told: Vec<Told> = serde_json::from_slice(&body).map_err(Error::internal)?;
        let judged = judge(&contacts, &told, u16::try_from(row.width).unwrap_or(1), now);
        let settled = settle(conn, row, &judged, now)?;
        failpoint::pass("broadcast.before_commit")?;
        Ok(settled)
    });
    match recorded.await {
        Ok(settled) => {
            app.room::<Queue>().ring();
            Ok(settled)
        }
        // Somebody paused it or called it off in the meantime.
        Err(fault) if fault.code() == Code::BroadcastNotEditable => Ok(0),
        Err(fault) => Err(fault),
    }
}

/// Quality is red: to go on would cost the number, and with it everybody's codes.
async fn stop_for(app: &App, org: OrgId, number: String) -> Result<usize> {
    let clock = app.clock.clone();
    let stopped = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        halt(conn, org, Halt::Sender(Channel::Whatsapp, &number), "whatsapp.quality_red", now)
    });
    stopped.await.map(|_| 0)
}

fn item(bench: &Bench, caller: &Caller, row: &Row, said: &Said, contact: &Contact) -> Item {
    let own = Own::open(&bench.keyring, row.id, &contact.recipient, contact.own.as_deref())?;
    let body = said.to(&contact.recipient, &own, (row.channel, row.kind))?;
    bench.prepare(caller, NewMessage::parse(body, None, bench.now)?, None)
}

/// What became of each message, for the rest of the transaction to read.
fn told_of(_: Option<&BulkTerms>, outcomes: &[ItemOutcome]) -> Stored {
    let told: Vec<Told> = outcomes
        .iter()
        .map(|outcome| match &outcome.result {
            Ok(row) => Told { id: Some(row.id), code: None, wait_ms: None },
            Err(fault) => Told { id: None, code: Some(fault.code().to_string()), wait_ms: fault.wait().map(whole_ms) },
        })
        .collect();
    Stored { status: 202, body: serde_json::to_vec(&told).unwrap_or_default(), location: None }
}

/// Writes what a step came to. Error: `broadcast.not_editable` where the turn is over, which undoes the step.
fn settle(conn: &mut Conn, row: Row, judged: &Judged, now: Millis) -> Result<usize> {
    store::settle_contacts(conn, row.id, &judged.moves)?;
    let turn_over = || Error::new(Code::BroadcastNotEditable);
    let before = row.accepted.saturating_add(row.refused);
    let next = after(row, judged, now)?;
    if !store::save(conn, &next)? {
        return Err(turn_over());
    }
    if next.status != Status::Running {
        tell(conn, &next, now)?;
    }
    let settled = next.accepted.saturating_add(next.refused).saturating_sub(before);
    Ok(usize::try_from(settled).unwrap_or(0))
}

/// The broadcast after a step. Pure.
fn after(row: Row, judged: &Judged, now: Millis) -> Result<Row> {
    let mut refusals = row.refusals()?;
    for (code, count) in &judged.refusals {
        *refusals.entry(code.clone()).or_default() += count;
    }
    let next = Row {
        accepted: row.accepted.saturating_add(judged.accepted),
        refused: row.refused.saturating_add(judged.refusals.values().sum()),
        refusals: serde_json::to_string(&refusals).map_err(Error::internal)?,
        width: i16::try_from(judged.width).unwrap_or(i16::MAX),
        next_at: Some(judged.again_at.unwrap_or(now)),
        updated_at: now,
        ..row
    };
    let ended = match &judged.ends {
        _ if next.waiting() == 0 => Some((Action::Complete, None)),
        Some((action, reason)) => Some((*action, Some(reason.clone()))),
        None => None,
    };
    match ended {
        Some((action, reason)) => {
            let status = next.status.after(action)?;
            Ok(moved(next, status, reason, now))
        }
        None => Ok(next),
    }
}
