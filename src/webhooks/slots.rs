//! Who may be called right now: bounds over all, for one organization, for one endpoint; half of all slots are kept
//! for what was never tried, so that endpoints that hang never hold the others up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::{App, FromApp};
use crate::ids::{EndpointId, OrgId};

/// Most calls to one endpoint at once.
const PER_ENDPOINT: usize = 8;
/// Most calls to one that has failed and not succeeded since: one is enough to learn that it is well again.
const PER_FAILING: usize = 1;

/// The slots of this process.
pub struct Slots(Arc<Shared>);

struct Shared {
    most: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    again: usize,
    by_org: HashMap<OrgId, usize>,
    by_endpoint: HashMap<EndpointId, usize>,
}

/// Whom a slot is for.
#[derive(Debug, Clone, Copy)]
pub struct For {
    /// The organization.
    pub org: OrgId,
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Whether it has failed and not succeeded since.
    pub is_failing: bool,
    /// Whether the delivery was never tried, to an endpoint that is well.
    pub is_fresh: bool,
}

/// A slot; given back when dropped.
pub struct Slot {
    shared: Arc<Shared>,
    whom: For,
}

impl FromApp for Slots {
    fn from_app(app: &App) -> Slots {
        Slots::new(usize::try_from(app.config.outbound.webhook_concurrency).unwrap_or(usize::MAX))
    }
}

impl Slots {
    fn new(most: usize) -> Slots {
        Slots(Arc::new(Shared { most, taken: Mutex::default() }))
    }

    /// How many calls are under way.
    pub fn count(&self) -> usize {
        self.0.lock().all
    }

    /// How many could begin, whomever they are for.
    pub fn free(&self) -> usize {
        self.0.most.saturating_sub(self.count())
    }

    /// How many could begin for `whom`.
    pub fn room_for(&self, whom: For) -> usize {
        self.0.lock().room(self.0.most, whom)
    }

    /// Takes one, if there is room.
    pub fn take(&self, whom: For) -> Option<Slot> {
        let mut taken = self.0.lock();
        if taken.room(self.0.most, whom) == 0 {
            return None;
        }
        taken.all += 1;
        taken.again += usize::from(!whom.is_fresh);
        *taken.by_org.entry(whom.org).or_default() += 1;
        *taken.by_endpoint.entry(whom.endpoint).or_default() += 1;
        Some(Slot { shared: Arc::clone(&self.0), whom })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn room(&self, most: usize, whom: For) -> usize {
        let of_endpoint = if whom.is_failing { PER_FAILING } else { PER_ENDPOINT };
        let again = if whom.is_fresh { usize::MAX } else { (most / 2).saturating_sub(self.again) };
        let used = |count: Option<&usize>| count.copied().unwrap_or(0);
        [
            most.saturating_sub(self.all),
            again,
            (most / 4).saturating_sub(used(self.by_org.get(&whom.org))),
            of_endpoint.saturating_sub(used(self.by_endpoint.get(&whom.endpoint))),
        ]
        .into_iter()
        .min()
        .unwrap_or(0)
    }
}

fn give_back<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.shared.lock();
        taken.all = taken.all.saturating_sub(1);
        taken.again = taken.again.saturating_sub(usize::from(!self.whom.is_fresh));
        give_back(&mut taken.by_org, &self.whom.org);
        give_back(&mut taken.by_endpoint, &self.whom.endpoint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    fn whom(org: i64, endpoint: i64, is_fresh: bool) -> For {
        let (org, endpoint) = (OrgId::first_at(Millis(org)), EndpointId::first_at(Millis(endpoint)));
        For { org, endpoint, is_failing: false, is_fresh }
    }

    #[test]
    fn retries_leave_half_and_an_organization_leaves_three_quarters() {
        let slots = Slots::new(64);
        let take = |org: i64, is_fresh| (0..100).filter_map(|n| slots.take(whom(org, n, is_fresh))).collect::<Vec<_>>();
        let (first, second, third) = (take(1, false), take(2, false), take(3, false));
        assert_eq!((first.len(), second.len(), third.len()), (16, 16, 0));
        let fresh = take(3, true);
        assert_eq!((fresh.len(), slots.free()), (16, 16));
        drop((first, second, third, fresh));
        let taken = slots.0.lock();
        assert_eq!((taken.all, taken.again, taken.by_endpoint.len(), taken.by_org.len()), (0, 0, 0, 0));
    }

    #[test]
    fn an_endpoint_takes_eight_and_one_while_it_fails() {
        let slots = Slots::new(64);
        let eight: Vec<_> = (0..20).filter_map(|_| slots.take(whom(1, 1, true))).collect();
        assert_eq!(eight.len(), PER_ENDPOINT);
        let failing = For { is_failing: true, ..whom(2, 2, false) };
        let one: Vec<_> = (0..20).filter_map(|_| slots.take(failing)).collect();
        assert_eq!(one.len(), PER_FAILING);
    }
}
