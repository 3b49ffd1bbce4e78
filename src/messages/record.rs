//! The accepting transaction: one screen, set-based, all guards inside it.
//!
//! A batch holds the requests that were waiting; each item has its own outcome and a refused item leaves no trace.
//! Claims, loads and writes go in one order everywhere (keys, numbers, WhatsApp contacts, plans, wallets; each
//! sorted), so that batches
//! of several nodes never deadlock.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::accept::{Accept, Accepted, Item, ItemOutcome, Prepared};
use super::chat;
use super::counter::Counter;
use super::gate_state::{GuardKey, GuardKind, Kept, State};
use super::gates::{self, Passed, guards_of, plan_of};
use super::refused::{self, RefusalBook};
use super::rehearsal::Rehearsed;
use super::state::{Hold, Status};
use super::store::{self, BatchRow, DecisionRow, LimitTerm, Lock, Row, Terms};
use super::told;
use crate::accounts::Caller;
use crate::clock::{Clock, Millis};
use crate::db::batch::Worked;
use crate::db::{self, Conn};
use crate::error::{Error, Result};
use crate::failpoint;
use crate::fraud::Judged;
use crate::idempotency::Keeping;
use crate::inbound;
use crate::limits::View;
use crate::terms::{Channel, Kind};
use crate::wallet::{self, ChargedAt, Month};
use crate::whatsapp;

/// What acceptance needs besides the batch.
#[derive(Clone)]
pub struct Acceptance {
    /// Time.
    pub clock: Clock,
    /// Life of an idempotency key.
    pub key_ttl: Duration,
    /// Where refusals are noted that the transaction does not keep.
    pub refusals: RefusalBook,
}

/// Accepts a batch in the transaction that is open on `conn`. An error is one of the whole batch (the database's);
/// every request has its own result.
pub fn record(conn: &mut Conn, terms: &Acceptance, batch: &[&Accept]) -> Result<Worked<Accepted>> {
    let now = db::now(conn, &terms.clock)?;
    let keeping = Keeping { now, ttl: terms.key_ttl };
    let mut counter = Counter::open(conn, batch, keeping)?;
    failpoint::pass("accept.after_keys")?;
    let mut state = load(conn, &counter.fresh(batch), Lock::Write, now)?;
    state.learns = true;
    failpoint::pass("accept.after_guards")?;
    let mut writes = Writes::default();
    for (index, accept) in batch.iter().enumerate() {
        if counter.is_fresh(index) {
            let decided = decide(&mut state, accept, now, &mut writes, &terms.refusals);
            counter.settle(index, decided);
        }
    }
    failpoint::pass("accept.before_insert")?;
    let wrote = write(conn, &state, &writes, now)?;
    let results = counter.close(conn, batch, keeping)?;
    failpoint::pass("accept.before_commit")?;
    Ok(Worked { results, wrote })
}

/// Decides a request on the state as it stands and takes nothing: a dry run.
pub fn rehearse(conn: &mut Conn, clock: &Clock, accept: &Accept) -> Result<Rehearsed> {
    let now = db::now(conn, clock)?;
    let mut state = load(conn, &[accept], Lock::Peek, now)?;
    let before = accept.bulk.is_some().then(|| state.clone());
    let outcomes: Vec<ItemOutcome> =
        accept.items.iter().map(|item| decide_item(&mut state, accept, item, now)).collect();
    let refusal = before.filter(|_| accept.is_all_or_nothing());
    let refusal = refusal.and_then(|before| refusal_of_all(&before, accept, &outcomes, now));
    Ok(Rehearsed { outcomes, refusal })
}

/// What a batch will write.
#[derive(Default)]
struct Writes {
    messages: Vec<Arc<Row>>,
    decisions: Vec<DecisionRow>,
    batches: Vec<BatchRow>,
}

/// Loads and locks what the batch's items touch: number windows, then WhatsApp windows, plan windows, wallets, each sorted.
fn load(conn: &mut Conn, batch: &[&Accept], lock: Lock, now: Millis) -> Result<State> {
    let mut known = BTreeSet::new();
    let mut plans = std::collections::BTreeMap::new();
    let mut wallets = BTreeSet::new();
    for accept in batch {
        let owner = (accept.caller.org_id(), accept.caller.mode());
        for item in accept.items.iter().flatten().filter(|item| item.refusal.is_none()) {
            if item.client.ip.is_some() || item.client.device.is_some() {
                known.insert((GuardKind::Verified, accept.caller.mode(), item.subject.clone()));
            }
            if let Some(rate) = plan_of(&accept.caller, item) {
                plans.insert(owner, rate);
            }
            if item.price.amount.0 > 0 {
                wallets.insert(owner);
            }
        }
    }
    let mut state = State::default();
    if lock == Lock::Write && !conn.is_sqlite() {
        (state.guards, state.foreseen) = store::claim_guards(conn, &gates::foresee(batch, now), now)?;
    } else {
        state.guards = store::load_guards(conn, &guards_in(batch), lock, now)?.into_iter().collect();
    }
    // Whether a number was verified before is looked at, never taken from.
    state.guards.extend(store::load_guards(conn, &known, Lock::Peek, now)?);
    let asked: BTreeSet<&str> =
        items_of(batch).filter(|(_, item)| item.kind != Kind::Otp).map(|(_, item)| item.recipient.as_str()).collect();
    state.consents = inbound::opted_out(conn, &asked)?;
    state.chats = chat::load(conn, items_of(batch), lock == Lock::Write, now)?;
    let written_to: BTreeSet<Vec<u8>> =
        items_of(batch).filter_map(|(_, item)| item.pair.as_ref()).map(|(_, recipient)| recipient.clone()).collect();
    let found = store::load_pairs(conn, &written_to)?;
    state.pairs.add(written_to, found);
    for (owner, rate) in plans {
        state.plans.insert(owner, store::load_plan(conn, owner, rate, lock, now)?);
    }
    let bounded: BTreeSet<_> =
        items_of(batch).filter(|(_, item)| item.allowance.is_some()).map(|(caller, _)| caller.org_id()).collect();
    let used = wallet::load_allowances(conn, &bounded, Month::of(now), lock == Lock::Write)?;
    state.allowances = used.into_iter().map(|(org, used)| (org, Kept::loaded(used))).collect();
    let capped = items_of(batch).flat_map(|(_, item)| item.caps.iter().map(|capped| capped.key.clone())).collect();
    let spent = wallet::load_spent(conn, &capped, lock == Lock::Write, now)?;
    state.spent = spent.into_iter().map(|(key, spent)| (key, Kept::loaded(spent))).collect();
    let owners: Vec<_> = wallets.into_iter().collect();
    let loaded = match lock {
        Lock::Write => wallet::load_for_update(conn, &owners, now)?,
        Lock::Peek => owners.iter().map(|o| Ok((*o, wallet::read(conn, o.0, o.1)?))).collect::<Result<_>>()?,
    };
    state.wallets = loaded.into_iter().map(|(owner, wallet)| (owner, Kept::loaded(wallet))).collect();
    Ok(state)
}

/// The guards' windows that the batch's items count in.
fn guards_in(batch: &[&Accept]) -> BTreeSet<GuardKey> {
    items_of(batch).flat_map(|(caller, item)| guards_of(caller, item)).map(|(key, _)| key).collect()
}

/// The items that are not refused already, each with who sends it.
fn items_of<'a>(batch: &'a [&Accept]) -> impl Iterator<Item = (&'a Caller, &'a Prepared)> {
    let items = batch.iter().flat_map(|accept| accept.items.iter().flatten().map(|item| (&accept.caller, item)));
    items.filter(|(_, item)| item.refusal.is_none())
}

/// Decides one request. All-or-nothing is decided on a copy of the state, which counts only if all pass.
fn decide(
    state: &mut State,
    accept: &Accept,
    now: Millis,
    writes: &mut Writes,
    book: &RefusalBook,
) -> Result<Accepted> {
    let all_or_nothing = accept.is_all_or_nothing();
    let mut trial = (all_or_nothing && accept.items.len() > 1).then(|| state.clone());
    let target = trial.as_mut().unwrap_or(&mut *state);
    let mut outcomes: Vec<ItemOutcome> =
        accept.items.iter().map(|item| decide_item(target, accept, item, now)).collect();
    refused::keep(accept, &mut outcomes, now, &mut writes.decisions, book);
    if all_or_nothing && let Some(fault) = refusal_of_all(state, accept, &outcomes, now) {
        withdraw(accept, &outcomes, now);
        return Err(fault);
    }
    if let Some(trial) = trial {
        *state = trial;
    }
    let kept = accept.bulk.as_ref().map(|terms| (accept.render)(Some(terms), &outcomes));
    let mut view = View::new();
    outcomes.iter().for_each(|outcome| view.merge(&outcome.view));
    let rows: Vec<Arc<Row>> = outcomes.into_iter().filter_map(|outcome| outcome.result.ok()).collect();
    if let Some(terms) = &accept.bulk {
        writes.batches.push(batch_row(accept, terms.batch_id, rows.len(), now));
    }
    writes.messages.extend(rows.iter().cloned());
    Ok(Accepted { kept, replayed: false, view, rows })
}

fn decide_item(state: &mut State, accept: &Accept, item: &Item, now: Millis) -> ItemOutcome {
    let item = match item {
        Ok(item) => item,
        Err(fault) => return ItemOutcome::plain(Err(fault.clone())),
    };
    match gates::pass(state, accept, item, now) {
        Ok(passed) => ItemOutcome {
            view: passed.view,
            result: Ok(Arc::new(row(accept, item, &passed, now))),
            reasons: refused::seen_by(item, passed.judged.as_ref()),
            judged: None,
        },
        Err(denied) => {
            let reasons = refused::reasons_of(item, &denied, now);
            let judged = denied.judged.map(|judged| judged.kept);
            ItemOutcome { result: Err(denied.error), view: denied.view, reasons, judged }
        }
    }
}

/// The refusal that stands for the whole request, decided on `state`; in a bulk it says which item.
fn refusal_of_all(state: &State, accept: &Accept, outcomes: &[ItemOutcome], now: Millis) -> Option<Error> {
    let (index, fault) =
        outcomes.iter().enumerate().find_map(|(index, outcome)| Some((index, outcome.result.as_ref().err()?)))?;
    if accept.bulk.is_none() {
        return Some(fault.clone());
    }
    if fault.policy_hit().is_some()
        && let Some(never) = gates::never_passes(state, accept, now)
    {
        return Some(never);
    }
    Some(fault.clone().detail(format!("messages[{index}]: {} Nothing was sent.", fault.sentence())))
}

fn row(accept: &Accept, item: &Prepared, passed: &Passed, now: Millis) -> Row {
    let due = item.scheduled_for.max(passed.paced_to).filter(|at| *at > now);
    let limits = passed.view.iter().map(LimitTerm::from).collect();
    let judged = passed.judged.as_ref();
    let terms =
        Terms { reasons: refused::seen_by(item, judged), limits, engine: judged.map(|judged| judged.kept.clone()) };
    // A paced message keeps the life it asked for; a scheduled one lives from when it is due.
    let expires_at = item.scheduled_for.unwrap_or(now).plus(item.ttl);
    Row {
        id: item.id,
        org_id: accept.caller.org_id(),
        key_id: accept.caller.key_id(),
        mode: accept.caller.mode(),
        batch_id: accept.bulk.as_ref().map(|terms| terms.batch_id),
        verification_id: item.verification_id,
        channel: item.channel,
        kind: item.kind,
        recipient: item.recipient.clone(),
        country: item.country,
        sender: passed.number.clone().or_else(|| item.sender.clone()),
        content: Some(item.content.clone()),
        encoding: item.encoding.filter(|_| item.channel == Channel::Sms),
        segments: i32::try_from(item.segments).unwrap_or(i32::MAX),
        status: if due.is_some() { Status::Scheduled } else { Status::Queued },
        error_code: None,
        price_micros: item.price.amount,
        currency: item.price.currency,
        hold: match item.price.charged_at {
            _ if item.price.amount.0 <= 0 => Hold::None,
            ChargedAt::HandOff => Hold::Held,
            ChargedAt::Delivery => Hold::ForDelivery,
        },
        decision_id: item.decision_id,
        decision: terms.to_json(),
        lane: item.kind.lane(accept.bulk_lane()),
        next_at: Some(due.unwrap_or(now)),
        attempts: 0,
        carrier: None,
        extra: extra_of(item, judged, now),
        request_id: accept.request_id.clone(),
        scheduled_for: due,
        expires_at,
        created_at: now,
        updated_at: now,
    }
}

/// What is kept beside: a message that the engine would not let go by SMS does not fall back to it; one that took from
/// the free allowance knows from which month's.
fn extra_of(item: &Prepared, judged: Option<&Judged>, now: Millis) -> String {
    let is_held_back = judged.and_then(Judged::refusal).is_some();
    if !is_held_back && item.allowance.is_none() {
        return item.extra.to_json();
    }
    let mut extra = item.extra.clone();
    if is_held_back {
        extra.fallback.retain(|(channel, _)| *channel != Channel::Sms);
    }
    extra.free_month = item.allowance.map(|_| Month::of(now).to_string());
    extra.to_json()
}

/// Takes back from the fraud engine what was let through before the request was refused whole.
fn withdraw(accept: &Accept, outcomes: &[ItemOutcome], now: Millis) {
    for (item, outcome) in accept.items.iter().zip(outcomes) {
        if let (Ok(item), true) = (item, outcome.result.is_ok())
            && let Some(trial) = &item.trial
        {
            trial.withdrawn(now);
        }
    }
}

fn batch_row(accept: &Accept, id: crate::ids::BatchId, accepted: usize, now: Millis) -> BatchRow {
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    // Who is refused by a broadcast is told by the broadcast: here those who wait would be counted again and again.
    let rejected = if accept.is_step() { 0 } else { accept.items.len().saturating_sub(accepted) };
    BatchRow {
        id,
        org_id: accept.caller.org_id(),
        mode: accept.caller.mode(),
        accepted: count(accepted),
        rejected: count(rejected),
        created_at: now,
    }
}

/// Writes what changed; whether anything did.
fn write(conn: &mut Conn, state: &State, writes: &Writes, now: Millis) -> Result<bool> {
    let taken = state.guards.values().any(|kept| kept.changed);
    let guards: Vec<_> = state.to_save().collect();
    store::save_guards(conn, &guards)?;
    whatsapp::save_chats(conn, &state.chats)?;
    for (owner, kept) in state.plans.iter().filter(|(_, kept)| kept.changed) {
        store::save_plan(conn, *owner, &kept.value)?;
    }
    for (org, kept) in state.allowances.iter().filter(|(_, kept)| kept.changed) {
        wallet::save_allowance(conn, *org, Month::of(now), kept.value)?;
    }
    let spent: Vec<_> =
        state.spent.iter().filter(|(_, kept)| kept.changed).map(|(key, kept)| (key, &kept.value)).collect();
    wallet::save_spent(conn, &spent)?;
    store::take_pairs(conn, state.pairs.taken(), now)?;
    told::alert(conn, &state.alerts, now)?;
    let wallets: Vec<_> = state.wallets.values().filter(|kept| kept.changed).map(|kept| &kept.value).collect();
    wallet::save(conn, &wallets, now)?;
    if !writes.messages.is_empty() {
        store::insert_messages(conn, &writes.messages)?;
    }
    store::insert_decisions(conn, &writes.decisions)?;
    for batch in &writes.batches {
        store::insert_batch(conn, batch)?;
    }
    let plans = state.plans.values().any(|kept| kept.changed);
    Ok(plans || taken || !wallets.is_empty() || !writes.messages.is_empty() || !writes.decisions.is_empty())
}
