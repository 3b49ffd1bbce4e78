//! The pure heart of acceptance: (loaded state, item, now) → all gates of an item or none.
//!
//! Number windows, the plan's window and the wallet are looked at first, all of them, so that a refusal's wait is until
//! all of them are open; only an item that passes everything takes from any. Two items on one number or one wallet see
//! each other's effect. The property tests, the dry run and the accepting transaction all call this.
//!
//! A message counts in the moment it is due, not in the one it is asked for in: what is scheduled for tomorrow fills
//! tomorrow's windows, and what is paced fills those of its minute.

use std::collections::BTreeMap;
use std::time::Duration;

use super::accept::{Accept, Prepared};
use super::chat;
use super::gate_state::{EVER, GUARD_HORIZON, GuardKey, GuardKind, Kept, PaceKey, State};
use super::pairs;
use super::purse;
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::fraud::{Judged, Reason};
use crate::ids::OrgId;
use crate::inbound::Whom;
use crate::limits::{Allowance, OrgWindow, Policy, Rate, StampLog, View};
use crate::secret::sha256;
use crate::terms::{Channel, Kind};

/// What an item that passed is told.
pub struct Passed {
    /// The limits after it.
    pub view: View,
    /// When the plan lets it go, where that is later than it asked.
    pub paced_to: Option<Millis>,
    /// What the fraud engine said.
    pub judged: Option<Judged>,
    /// The WhatsApp number that it goes from.
    pub number: Option<String>,
}

/// A refusal, with the limits as they stand.
pub struct Denied {
    /// Why.
    pub error: Error,
    /// The limits met.
    pub view: View,
    /// What else was seen that refuses.
    pub reasons: Vec<Reason>,
    /// What the fraud engine said.
    pub judged: Option<Judged>,
}

impl Denied {
    /// A refusal that no window has to do with.
    pub fn plain(error: Error, reasons: Vec<Reason>) -> Box<Denied> {
        Box::new(Denied { error, view: View::new(), reasons, judged: None })
    }
}

/// Lets `item` through all its gates, or none.
pub fn pass(state: &mut State, accept: &Accept, item: &Prepared, now: Millis) -> Result<Passed, Box<Denied>> {
    let caller = &accept.caller;
    if let Some(error) = item.refusal.clone().or_else(|| item.screened.refusal()) {
        return Err(Denied::plain(error, Vec::new()));
    }
    if whom(caller, item).is_some_and(|whom| state.consents.refuses(&whom)) {
        let error = Error::new(Code::RecipientOptedOut);
        let reasons = vec![Reason::enforced("recipient.opted_out", error.sentence())];
        return Err(Denied::plain(error, reasons));
    }
    let trial = item.trial.as_deref();
    let judged = trial.map(|trial| trial.judge(state.learns, now));
    match through(state, accept, item, judged.as_ref(), now) {
        Ok(passed) => {
            if let (Some(trial), Some(judged), true) = (trial, &judged, state.learns)
                && judged.refusal().is_none()
            {
                trial.passed(judged, now);
            }
            Ok(Passed { judged, ..passed })
        }
        Err(denied) => Err(Box::new(Denied { judged, ..*denied })),
    }
}

/// The gates behind the fraud engine's word: WhatsApp, limits, money.
fn through(
    state: &mut State,
    accept: &Accept,
    item: &Prepared,
    judged: Option<&Judged>,
    now: Millis,
) -> Result<Passed, Box<Denied>> {
    let caller = &accept.caller;
    let is_fallback = item.trial.as_deref().is_some_and(|trial| trial.is_fallback);
    if let Some(code) = judged.and_then(Judged::refusal).filter(|_| !is_fallback) {
        return Err(Denied::plain(Error::new(code), Vec::new()));
    }
    if let Some(error) = pairs::too_late(&state.pairs, item, now) {
        return Err(Denied::plain(error, Vec::new()));
    }
    let number = chat::open(state, caller, item, now)?;
    let (at, mut view) = look(state, accept, item, now)?;
    if let Err(denied) = purse::pay(state, caller, item, now) {
        return Err(Box::new(Denied { view, ..*denied }));
    }
    let due = due_of(item, now);
    if let (true, Some(rate)) = (accept.is_paced(), plan_of(caller, item)) {
        state.paced.insert(pace_key(caller, due, paced(rate)), at);
    }
    take(state, caller, item, at, now);
    // Of the plan the view shows the window it was asked in, which a paced message does not count in.
    view.mark_taken(at, |verdict| verdict.policy != Policy::SmsPlan || at == due);
    Ok(Passed { view, paced_to: (at > due).then_some(at), judged: None, number })
}

/// Whose consent `item` needs; a code needs none, since somebody has asked for it.
pub fn whom(caller: &Caller, item: &Prepared) -> Option<Whom> {
    (item.kind != Kind::Otp).then(|| Whom {
        org_id: caller.org_id(),
        mode: caller.mode(),
        channel: item.channel,
        recipient: item.recipient.clone(),
    })
}

/// When `item` is due if nothing holds it back.
fn due_of(item: &Prepared, now: Millis) -> Millis {
    item.scheduled_for.map_or(now, |at| at.max(now))
}

/// The rate at which a bulk goes under a plan of `rate`: a fifth of each window, at least one message, is left to single
/// sends, so that a long bulk never keeps a code waiting. A plan of one message a window has none to leave; there a bulk
/// takes every third window.
pub fn paced(rate: Rate) -> Rate {
    match rate.limit {
        0 | 1 => Rate { window: rate.window.saturating_mul(3), ..rate },
        limit => Rate { limit: limit - (limit / 5).max(1), ..rate },
    }
}

fn pace_key(caller: &Caller, due: Millis, rate: Rate) -> PaceKey {
    (caller.org_id(), caller.mode(), due, rate.limit, rate.window)
}

/// The refusal of a bulk that could not pass even if nothing had been sent before: more than the limits' windows hold
/// at once. `None`: waiting helps.
pub fn never_passes(state: &State, accept: &Accept, now: Millis) -> Option<Error> {
    let known = state.guards.iter().filter(|((kind, ..), _)| *kind == GuardKind::Verified);
    let guards = known.map(|(key, kept)| (key.clone(), kept.clone())).collect();
    let mut empty = State { guards, chats: state.chats.emptied(), ..State::default() };
    let owner = (accept.caller.org_id(), accept.caller.mode());
    for (index, item) in accept.items.iter().enumerate() {
        let Some(item) = item.as_ref().ok().filter(|item| item.refusal.is_none()) else { continue };
        for (key, _) in guards_of(&accept.caller, item) {
            empty.guards.entry(key).or_insert_with(|| Kept::loaded(StampLog::new()));
        }
        if let Some(rate) = plan_of(&accept.caller, item) {
            empty.plans.entry(owner).or_insert_with(|| Kept::loaded(OrgWindow::open(&[], now, rate)));
        }
        let Err(denied) = pass(&mut empty, accept, item, now) else { continue };
        if let Some(hit) = denied.error.policy_hit() {
            let rate =
                Rate { limit: u32::try_from(hit.limit).unwrap_or(u32::MAX), window: Duration::from_secs(hit.window_s) };
            return Some(Error::new(Code::BatchTooLargeForPlan).detail(format!(
                "messages[{index}]: {} allows {rate} and could never pass all of these; split the bulk. Nothing was sent.",
                hit.policy
            )));
        }
    }
    None
}

/// What the windows of `batch` will hold if nothing has counted in them before and everything passes: the usual case of
/// a number, whose row is then written once.
pub fn foresee(batch: &[&Accept], now: Millis) -> BTreeMap<GuardKey, StampLog> {
    let mut state = State::default();
    for accept in batch {
        for item in accept.items.iter().flatten().filter(|item| item.refusal.is_none()) {
            for (key, _) in guards_of(&accept.caller, item) {
                state.guards.entry(key).or_insert_with(|| Kept::loaded(StampLog::new()));
            }
            take(&mut state, &accept.caller, item, due_of(item, now), now);
        }
    }
    state.guards.into_iter().map(|(key, kept)| (key, kept.value)).collect()
}

/// The guards that count `item`, each with its key and policies.
pub fn guards_of(caller: &Caller, item: &Prepared) -> Vec<(GuardKey, &'static [Policy])> {
    if item.kind != Kind::Otp {
        return Vec::new();
    }
    const NUMBER: &[Policy] = &[Policy::OtpNumber, Policy::OtpNumberHour, Policy::OtpNumberDay, Policy::PlatformNumber];
    let mut guards = vec![((GuardKind::Otp, caller.mode(), item.subject.clone()), NUMBER)];
    if let Some(subject) = &item.counts_for {
        guards.push(((GuardKind::Otp, caller.mode(), subject.clone()), NUMBER));
    }
    if let Some(ip) = &item.client.ip {
        guards.push(((GuardKind::Ip, caller.mode(), ip.clone()), &[Policy::OtpIp]));
    }
    if let Some(device) = &item.client.device {
        guards.push(((GuardKind::Device, caller.mode(), device.clone()), &[Policy::OtpDevice]));
    }
    guards
}

/// The plan's rate that counts `item`, where one does.
pub fn plan_of(caller: &Caller, item: &Prepared) -> Option<Rate> {
    match caller.policies.get(Policy::SmsPlan) {
        Allowance::Rate(rate) if item.channel == Channel::Sms => Some(rate),
        _ => None,
    }
}

/// The number under which a stamp belongs to an organization; 64 bits of its id's hash.
pub fn tag_of(org: OrgId) -> u64 {
    let digest = sha256(org.as_str().as_bytes());
    digest.iter().take(8).fold(0, |tag, byte| (tag << 8) | u64::from(*byte))
}

/// The number under which a check belongs to an organization for the day, whatever is forgiven meanwhile.
pub fn day_tag_of(org: OrgId) -> u64 {
    !tag_of(org)
}

/// The policies of a window of checks, with the tags that they count.
pub fn check_policies(org: OrgId) -> [(Policy, u64); 2] {
    [(Policy::CheckNumber, tag_of(org)), (Policy::CheckNumberDay, day_tag_of(org))]
}

/// A guard's window, under one policy.
struct Gate<'a> {
    log: &'a StampLog,
    tag: Option<u64>,
    policy: Policy,
    rate: Rate,
}

/// Looks at every gate of `item`: when it goes, and the limits as they stand then. With pacing, a full plan is a later
/// time instead of a refusal, unless the message would be worthless by then.
fn look(state: &State, accept: &Accept, item: &Prepared, now: Millis) -> Result<(Millis, View), Box<Denied>> {
    let (caller, due) = (&accept.caller, due_of(item, now));
    let plan =
        plan_of(caller, item).and_then(|rate| Some((&state.plans.get(&(caller.org_id(), caller.mode()))?.value, rate)));
    let mut view = View::new();
    let mut at = due;
    if let Some((window, rate)) = plan {
        let mut verdict = window.check_at(Policy::SmsPlan, rate, due, now);
        if accept.is_paced() {
            let pace = paced(rate);
            let from = state.paced.get(&pace_key(caller, due, pace)).copied().unwrap_or(due);
            let turn = window.opening(pace, from, now);
            if turn < due.plus(item.ttl) {
                at = turn;
                verdict.wait = None;
            }
        } else if accept.is_step() {
            // What a broadcast leaves of each window is for single sends, as with any bulk.
            let turn = window.opening(paced(rate), due, now);
            verdict.wait = (turn > due).then(|| turn.since(now));
        }
        view.push(verdict);
    }
    chat::verdict(state, caller, item, now).into_iter().for_each(|verdict| view.push(verdict));
    let gates = gates_of(state, caller, item, now);
    gates.iter().for_each(|gate| view.push(gate.log.check_at(gate.tag, gate.policy, gate.rate, at, now)));
    if !view.denied() {
        return Ok((at, view));
    }
    let opens = opening(&gates, plan, at, now);
    let error = refusal_of(&view, item, opens, now);
    Err(Box::new(Denied { view, ..*Denied::plain(error, Vec::new()) }))
}

/// The first moment from `from` on at which all gates are open at once: what waits for one may meet another's
/// appointments.
fn opening(gates: &[Gate<'_>], plan: Option<(&OrgWindow, Rate)>, from: Millis, now: Millis) -> Millis {
    let mut at = from;
    loop {
        let turns = gates.iter().map(|gate| gate.log.opening(gate.tag, gate.rate, at, now));
        let next = turns.chain(plan.map(|(window, rate)| window.opening(rate, at, now))).fold(at, Millis::max);
        if next == at {
            return at;
        }
        at = next;
    }
}

fn gates_of<'a>(state: &'a State, caller: &Caller, item: &Prepared, now: Millis) -> Vec<Gate<'a>> {
    let known = is_verified(state, caller, item, now);
    let own = tag_of(caller.org_id());
    let mut gates = Vec::with_capacity(8);
    for (key, policies) in guards_of(caller, item) {
        // A number verified before is exempt from what guards the app's client, not from its own limits.
        if known && key.0 != GuardKind::Otp {
            continue;
        }
        let Some(kept) = state.guards.get(&key) else { continue };
        for policy in policies {
            if let Allowance::Rate(rate) = caller.policies.get(*policy) {
                let tag = (*policy != Policy::PlatformNumber).then_some(own);
                gates.push(Gate { log: &kept.value, tag, policy: *policy, rate });
            }
        }
    }
    gates
}

/// Whether this organization has verified the number before.
fn is_verified(state: &State, caller: &Caller, item: &Prepared, now: Millis) -> bool {
    let key = (GuardKind::Verified, caller.mode(), item.subject.clone());
    state
        .guards
        .get(&key)
        .is_some_and(|log| log.value.check(Some(tag_of(caller.org_id())), Policy::OtpNumber, EVER, now).used > 0)
}

fn take(state: &mut State, caller: &Caller, item: &Prepared, at: Millis, now: Millis) {
    let tag = tag_of(caller.org_id());
    chat::take(state, caller, item, now);
    if let Some(pair) = &item.pair {
        state.pairs.take(pair, now);
    }
    for (key, _) in guards_of(caller, item) {
        if let Some(log) = state.guards.get_mut(&key) {
            let log = log.change();
            log.prune(GUARD_HORIZON, now);
            log.reserve(tag, at, now);
        }
    }
    if let Some(rate) = plan_of(caller, item)
        && let Some(window) = state.plans.get_mut(&(caller.org_id(), caller.mode()))
    {
        let window = window.change();
        window.prune(rate.window.max(paced(rate).window), now);
        window.reserve(at, now);
    }
}

/// The error of the gates that refuse: the code of the longest wait, and the wait until all of them are open.
fn refusal_of(view: &View, item: &Prepared, opens: Millis, now: Millis) -> Error {
    let Some(binding) = view.binding() else { return Error::internal("a refusal without a gate") };
    let (code, what) = match binding.policy {
        Policy::SmsPlan => (Code::SmsPlanCap, "The plan's messages are used up"),
        Policy::WhatsappContacts => {
            (Code::WhatsappTierLimit, "The tier of this WhatsApp number is used up for new contacts")
        }
        Policy::OtpIp => (Code::RateLimited, "This client address has had its share of codes"),
        Policy::OtpDevice => (Code::RateLimited, "This device has had its share of codes"),
        _ => (Code::OtpNumberLimit, "This number has had its share of codes"),
    };
    let wait = opens.since(now).max(view.wait().unwrap_or_default());
    let error = Error::new(code).retry_after(wait).policy(binding.hit());
    match item.scheduled_for {
        Some(_) => {
            error.detail(format!("{what} around the scheduled time; from {} on it would pass.", opens.rfc3339()))
        }
        None => error,
    }
}
