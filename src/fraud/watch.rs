//! The engine of this process: one state that every attempt is judged against and that learns from each, in turn.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::HashSet;

use super::engine::{Event, Features, Hold, Key, Node, Origin, Plan, Room, Rules, State, Verdict, decide, usual_share};
use super::screen::Reason;
use crate::app::{App, FromApp};
use crate::clock::Millis;
use crate::ids::{DecisionId, OrgId};
use crate::secret::Purpose;
use crate::terms::Mode;

/// Whose attempt.
pub type Owner = (OrgId, Mode);

/// The engine. What it knows is rebuilt from the database at start (`sentinel`), and learned from it while it runs.
pub struct Watch(Mutex<Inner>);

struct Inner {
    state: State,
    // What happens while the state is being rebuilt from the database, to be told to the new one.
    meanwhile: Option<Vec<(Event, Millis)>>,
    begun: Vec<HoldBegun>,
    recent: Recent,
}

/// Ids of what was learned lately, so that what is read again from the database is learned once. Two generations: the older
/// goes when the younger is old enough.
#[derive(Default)]
struct Recent {
    young: HashSet<Key>,
    old: HashSet<Key>,
    since: Millis,
}

/// Longer than anything is read again.
const GENERATION: Duration = Duration::from_secs(60);

impl Recent {
    fn is_new(&mut self, key: Key, now: Millis) -> bool {
        if now.since(self.since) >= GENERATION {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        !self.old.contains(&key) && self.young.insert(key)
    }
}

/// A hold that a decision asked for, not written down yet.
#[derive(Debug, Clone)]
pub struct HoldBegun {
    /// Whose attempts are held.
    pub owner: Owner,
    /// What, until when, and how often before.
    pub plan: Plan,
    /// Where the attempt belonged that asked for it.
    pub origin: Origin,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Which decision.
    pub decision: DecisionId,
    /// When.
    pub at: Millis,
}

/// Most holds that wait to be written down.
const MOST_BEGUN: usize = 10_000;

impl FromApp for Watch {
    fn from_app(app: &App) -> Self {
        let seed = app.keyring.mac(Purpose::Number, &[b"fraud probes"]);
        Watch::new(Key::of_bytes(&seed).0, room_of(app))
    }
}

fn room_of(app: &App) -> Room {
    let count = |setting: u32| usize::try_from(setting).unwrap_or(usize::MAX);
    Room { numbers: count(app.config.fraud.tracked_numbers), groups: count(app.config.fraud.tracked_groups) }
}

impl Watch {
    /// An engine that knows nothing. The seed decides which attempts probe a hold.
    pub fn new(seed: u64, room: Room) -> Watch {
        Watch(Mutex::new(Inner {
            state: State::new(seed, room),
            meanwhile: None,
            begun: Vec::new(),
            recent: Recent::default(),
        }))
    }

    /// A state like this one's that knows nothing yet; what happens from now on is kept for it until [`Watch::replace`].
    pub fn blank(&self, app: &App) -> State {
        let mut inner = self.lock();
        inner.meanwhile = Some(Vec::new());
        State::new(inner.state.seed(), room_of(app))
    }

    /// Puts the state in place that was rebuilt, and tells it what happened meanwhile.
    pub fn replace(&self, state: State, rules: &Rules) {
        let mut inner = self.lock();
        inner.state = state;
        for (event, at) in inner.meanwhile.take().unwrap_or_default() {
            inner.state.observe(&event, rules, at);
        }
    }

    /// Judges an attempt without learning of it.
    pub fn look(&self, features: &Features, rules: &Rules, now: Millis) -> Verdict {
        decide(&self.lock().state, features, rules, now)
    }

    /// Judges an attempt; a hold that it asks for stands from then on.
    pub fn judge(
        &self,
        (owner, decision): (Owner, DecisionId),
        features: &Features,
        rules: &Rules,
        now: Millis,
    ) -> Verdict {
        let mut inner = self.lock();
        let verdict = decide(&inner.state, features, rules, now);
        if let Some(event) = verdict.follows(features) {
            if let (Event::Held(plan, origin), true) = (&event, inner.begun.len() < MOST_BEGUN) {
                let (plan, origin, reasons) = (*plan, *origin, verdict.reasons.clone());
                inner.begun.push(HoldBegun { owner, plan, origin, reasons, decision, at: now });
            }
            inner.learn(event, rules, now);
        }
        verdict
    }

    /// Learns of an event.
    pub fn observe(&self, event: Event, rules: &Rules, at: Millis) {
        self.lock().learn(event, rules, at);
    }

    /// Whether `id` was not asked about within the last minute: what has it is to be learned.
    pub fn is_new(&self, id: &str, now: Millis) -> bool {
        self.lock().recent.is_new(Key::of(id), now)
    }

    /// Holds that have begun since this was asked last.
    pub fn take_begun(&self) -> Vec<HoldBegun> {
        std::mem::take(&mut self.lock().begun)
    }

    /// Keeps holds that could not be written down, for the next time.
    pub fn give_back(&self, mut begun: Vec<HoldBegun>) {
        let mut inner = self.lock();
        begun.append(&mut inner.begun);
        inner.begun = begun;
    }

    /// The hold on `node`, where the engine knows one.
    pub fn hold(&self, node: &Node) -> Option<Hold> {
        self.lock().state.hold(node).cloned()
    }

    /// How many verifications an organization has reported.
    pub fn reports_of(&self, org: Key) -> u32 {
        self.lock().state.reports_of(org)
    }

    /// What is usual for the country `node` of an organization: the learned share of new users who type their code.
    pub fn usual_share(&self, node: &Node, rules: &Rules) -> Option<f64> {
        usual_share(&self.lock().state, node, rules)
    }

    /// How many groups and numbers are remembered.
    pub fn size(&self) -> (usize, usize) {
        self.lock().state.size()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn learn(&mut self, event: Event, rules: &Rules, at: Millis) {
        self.state.observe(&event, rules, at);
        if let Some(kept) = &mut self.meanwhile {
            kept.push((event, at));
        }
    }
}
