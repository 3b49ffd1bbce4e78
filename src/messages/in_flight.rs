//! The hand-offs of this process that are under way: how many, of which messages, to which carriers; and whose turn it
//! was last.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::{App, FromApp};
use crate::ids::{MessageId, OrgId};

/// Hand-offs of this process that are under way.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<Flights>>);

#[derive(Default)]
struct Flights {
    messages: HashSet<MessageId>,
    by_carrier: BTreeMap<String, usize>,
    /// By lane: the organization that was served last.
    turns: BTreeMap<i16, OrgId>,
}

/// A hand-off under way; it counts until this is dropped, however it ends.
pub(super) struct Flight {
    flights: InFlight,
    id: MessageId,
    carrier: String,
}

impl FromApp for InFlight {
    fn from_app(_app: &App) -> Self {
        InFlight::default()
    }
}

impl InFlight {
    /// How many hand-offs are under way.
    pub fn count(&self) -> usize {
        self.lock().messages.len()
    }

    pub(super) fn holds(&self, id: MessageId) -> bool {
        self.lock().messages.contains(&id)
    }

    /// How many of them go to `carrier`.
    pub fn of_carrier(&self, carrier: &str) -> usize {
        self.lock().by_carrier.get(carrier).copied().unwrap_or(0)
    }

    pub(super) fn begin(&self, id: MessageId, carrier: &str) -> Flight {
        let mut flights = self.lock();
        flights.messages.insert(id);
        *flights.by_carrier.entry(String::from(carrier)).or_default() += 1;
        Flight { flights: self.clone(), id, carrier: String::from(carrier) }
    }

    /// The organization after which the next claim in `lane` begins.
    pub(super) fn last_served(&self, lane: i16) -> Option<OrgId> {
        self.lock().turns.get(&lane).copied()
    }

    pub(super) fn note_served(&self, lane: i16, org: OrgId) {
        self.lock().turns.insert(lane, org);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Flights> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        flights.messages.remove(&self.id);
        if let Some(count) = flights.by_carrier.get_mut(&self.carrier) {
            *count = count.saturating_sub(1);
        }
    }
}
