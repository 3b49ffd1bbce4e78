//! The pure heart of acceptance: (loaded state, item, now) → all gates of an item or none.
//!
//! Number windows, the plan's window and the wallet are looked at first, all of them, so that a refusal's wait is the
//! longest of the gates that refuse; only an item that passes everything takes from any. Two items on one number or one
//! wallet see each other's effect. The property tests, the dry run and the accepting transaction all call this.

use std::collections::BTreeMap;
use std::time::Duration;

use super::accept::{Accept, Prepared};
use crate::accounts::Caller;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::ids::OrgId;
use crate::limits::{Allowance, OrgWindow, Policy, Rate, StampLog, View};
use crate::secret::sha256;
use crate::terms::{Channel, Kind, Mode};
use crate::wallet::Wallet;

crate::text_enum! {
    /// What a guard's window counts.
    pub enum GuardKind { Otp = "otp", Check = "check", Ip = "ip", Device = "device", Verified = "verified" }
}

/// A guard's window: what it counts, in which world, for whom (a keyed hash).
pub type GuardKey = (GuardKind, Mode, Vec<u8>);

/// Stamps older than this decide nothing: the longest message-level window.
pub const GUARD_HORIZON: Duration = Duration::from_secs(86_400);

/// The state that a batch is decided on.
#[derive(Clone, Default)]
pub struct State {
    /// Windows per number, client address and device.
    pub guards: BTreeMap<GuardKey, Kept<StampLog>>,
    /// Windows whose rows are new and stored already as they will be if everything passes (see [`foresee`]).
    pub foreseen: BTreeMap<GuardKey, StampLog>,
    /// The plan's SMS windows.
    pub plans: BTreeMap<(OrgId, Mode), Kept<OrgWindow>>,
    /// Money.
    pub wallets: BTreeMap<(OrgId, Mode), Kept<Wallet>>,
}

impl State {
    /// The guards' windows that are not in the database as they are here.
    pub fn to_save(&self) -> impl Iterator<Item = (&GuardKey, &StampLog)> {
        self.guards.iter().filter_map(|(key, kept)| match self.foreseen.get(key) {
            Some(stored) => (*stored != kept.value).then_some((key, &kept.value)),
            None => kept.changed.then_some((key, &kept.value)),
        })
    }
}

/// A piece of state and whether it must be written back.
#[derive(Clone)]
pub struct Kept<T> {
    /// The piece.
    pub value: T,
    /// Whether an item took from it.
    pub changed: bool,
}

impl<T> Kept<T> {
    /// As it was loaded.
    pub fn loaded(value: T) -> Self {
        Kept { value, changed: false }
    }

    fn change(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

/// Any stamp at all: wider than any window.
pub const EVER: Rate = Rate::per_secs(1, 100 * 365 * 86_400);

/// What an item that passed is told.
pub struct Passed {
    /// The limits after it.
    pub view: View,
    /// When the plan lets it go, where that is later than it asked.
    pub paced_to: Option<Millis>,
}

/// A refusal, with the limits as they stand.
pub struct Denied {
    /// Why.
    pub error: Error,
    /// The limits met.
    pub view: View,
}

/// Lets `item` through all its gates, or none.
pub fn pass(state: &mut State, accept: &Accept, item: &Prepared, now: Millis) -> Result<Passed, Box<Denied>> {
    let caller = &accept.caller;
    let mut view = View::new();
    if let Some(error) = item.refusal.clone().or_else(|| item.screened.refusal()) {
        return Err(Box::new(Denied { error, view }));
    }
    look_at_guards(state, caller, item, now, &mut view);
    let paced_to = look_at_plan(state, accept, item, now, &mut view);
    if let Some(error) = refusal_of(&view) {
        return Err(Box::new(Denied { error, view }));
    }
    let owner = (caller.org_id(), caller.mode());
    if let Some(wallet) = state.wallets.get_mut(&owner)
        && item.price.amount.0 > 0
    {
        match wallet.value.hold(item.price) {
            Ok(()) => wallet.changed = true,
            Err(error) => return Err(Box::new(Denied { error, view })),
        }
    }
    take(state, caller, item, paced_to.unwrap_or(now), now);
    view.mark_taken(now, |_| true);
    Ok(Passed { view, paced_to: paced_to.filter(|at| *at > now) })
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
            take(&mut state, &accept.caller, item, now, now);
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

fn look_at_guards(state: &State, caller: &Caller, item: &Prepared, now: Millis, view: &mut View) {
    let known = is_verified(state, caller, item, now);
    for (key, policies) in guards_of(caller, item) {
        // A number verified before is exempt from what guards the app's client, not from its own limits.
        if known && key.0 != GuardKind::Otp {
            continue;
        }
        let Some(log) = state.guards.get(&key) else { continue };
        for policy in policies {
            if let Allowance::Rate(rate) = caller.policies.get(*policy) {
                let tag = (*policy != Policy::PlatformNumber).then(|| tag_of(caller.org_id()));
                view.push(log.value.check(tag, *policy, rate, now));
            }
        }
    }
}

/// Whether this organization has verified the number before.
fn is_verified(state: &State, caller: &Caller, item: &Prepared, now: Millis) -> bool {
    let key = (GuardKind::Verified, caller.mode(), item.subject.clone());
    state
        .guards
        .get(&key)
        .is_some_and(|log| log.value.check(Some(tag_of(caller.org_id())), Policy::OtpNumber, EVER, now).used > 0)
}

/// Looks at the plan's window; with pacing, a full window is a later time instead of a refusal, unless the message
/// would be worthless by then.
fn look_at_plan(state: &State, accept: &Accept, item: &Prepared, now: Millis, view: &mut View) -> Option<Millis> {
    let rate = plan_of(&accept.caller, item)?;
    let window = &state.plans.get(&(accept.caller.org_id(), accept.caller.mode()))?.value;
    let verdict = window.check(Policy::SmsPlan, rate, now);
    if verdict.denied() && accept.is_paced() && rate.limit > 0 {
        let at = window.pace(rate, now);
        if at < now.plus(item.ttl) {
            return Some(at);
        }
    }
    view.push(verdict);
    None
}

fn take(state: &mut State, caller: &Caller, item: &Prepared, at: Millis, now: Millis) {
    let tag = tag_of(caller.org_id());
    for (key, _) in guards_of(caller, item) {
        if let Some(log) = state.guards.get_mut(&key) {
            let log = log.change();
            log.prune(GUARD_HORIZON, now);
            log.add(tag, now);
        }
    }
    if let Some(rate) = plan_of(caller, item)
        && let Some(window) = state.plans.get_mut(&(caller.org_id(), caller.mode()))
    {
        let window = window.change();
        window.prune(rate.window, now);
        window.reserve(at, now);
    }
}

/// The error of the gates that refuse: the code of the longest wait.
fn refusal_of(view: &View) -> Option<Error> {
    let binding = view.binding().filter(|_| view.denied())?;
    let code = match binding.policy {
        Policy::SmsPlan => Code::SmsPlanCap,
        Policy::OtpIp | Policy::OtpDevice => Code::RateLimited,
        _ => Code::OtpNumberLimit,
    };
    Some(Error::new(code).retry_after(view.wait().unwrap_or_default()).policy(binding.hit()))
}
