//! The hand-offs of this process that are under way: how many, of which messages, to which carriers.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::{App, FromApp};
use crate::ids::MessageId;

/// Hand-offs of this process that are under way.
#[derive(Clone, Default)]
pub struct InFlight(Arc<Mutex<Flights>>);

#[derive(Default)]
struct Flights {
    messages: HashSet<MessageId>,
    by_carrier: BTreeMap<String, usize>,
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

    pub(super) fn of_carrier(&self, carrier: &str) -> usize {
        self.lock().by_carrier.get(carrier).copied().unwrap_or(0)
    }

    pub(super) fn begin(&self, id: MessageId, carrier: &str) {
        let mut flights = self.lock();
        flights.messages.insert(id);
        *flights.by_carrier.entry(String::from(carrier)).or_default() += 1;
    }

    pub(super) fn end(&self, id: MessageId, carrier: &str) {
        let mut flights = self.lock();
        flights.messages.remove(&id);
        if let Some(count) = flights.by_carrier.get_mut(carrier) {
            *count = count.saturating_sub(1);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Flights> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
