//! Unique contacts of a portfolio in a moving 24 h: never more than the tier, exact. Pure.
//!
//! A contact counts from its latest message outside a session until 24 h after it: in each 24 h there are then as many
//! unique contacts as count at their end. Another message to a contact that counts is free, and keeps it counting. What
//! fails later keeps counting: Meta may have counted it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ladder::ContactLimit;
use crate::clock::Millis;
use crate::limits::{Policy, Verdict};

/// How long a contact counts.
pub const CONTACT_WINDOW: Duration = Duration::from_secs(86_400);

/// A portfolio's window, as far as a batch needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactWindow {
    limit: ContactLimit,
    used: u64,
    forgotten_to: Millis,
    as_of: Millis,
    /// Those that may be asked for: their latest message, where one is known.
    known: BTreeMap<Vec<u8>, Millis>,
    /// Those that stop counting first, oldest first.
    oldest: Vec<(Millis, Vec<u8>)>,
    /// Whether `oldest` has all that count.
    is_whole: bool,
    taken: BTreeMap<Vec<u8>, Millis>,
}

/// A window as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Contacts that counted.
    pub used: u64,
    /// What lies here or before counts no more, and is not in `used`.
    pub forgotten_to: Millis,
    /// The latest moment seen: nothing is counted earlier, so that a clock set back opens nothing.
    pub as_of: Millis,
}

impl Stored {
    /// Nothing counted yet.
    pub fn fresh(now: Millis) -> Stored {
        Stored { used: 0, forgotten_to: now.minus(CONTACT_WINDOW), as_of: now }
    }

    /// The same at `now`, with how many have stopped counting meanwhile: `gone` counts those between two moments, the
    /// later one included.
    pub fn turned<E>(self, now: Millis, gone: impl FnOnce(Millis, Millis) -> Result<u64, E>) -> Result<Stored, E> {
        let as_of = self.as_of.max(now);
        let to = as_of.minus(CONTACT_WINDOW).max(self.forgotten_to);
        let left = if to > self.forgotten_to { gone(self.forgotten_to, to)? } else { 0 };
        Ok(Stored { used: self.used.saturating_sub(left), forgotten_to: to, as_of })
    }

    /// How many of the oldest a batch that asks for `asked` contacts has to know.
    pub fn oldest_needed(&self, limit: ContactLimit, asked: usize) -> u64 {
        let asked = u64::try_from(asked).unwrap_or(u64::MAX);
        let over = limit.count().map_or(0, |limit| self.used.saturating_add(asked).saturating_sub(u64::from(limit)));
        over.saturating_add(1)
    }
}

impl ContactWindow {
    /// A window turned to now, with what is known of those asked for and the oldest that count.
    pub fn new(
        limit: ContactLimit,
        stored: Stored,
        known: BTreeMap<Vec<u8>, Millis>,
        oldest: Vec<(Millis, Vec<u8>)>,
    ) -> ContactWindow {
        let is_whole = u64::try_from(oldest.len()).unwrap_or(u64::MAX) >= stored.used;
        let Stored { used, forgotten_to, as_of } = stored;
        ContactWindow { limit, used, forgotten_to, as_of, known, oldest, is_whole, taken: BTreeMap::new() }
    }

    /// The same window with nothing in it.
    #[must_use]
    pub fn emptied(&self) -> ContactWindow {
        let stored = Stored { used: 0, forgotten_to: self.forgotten_to, as_of: self.as_of };
        ContactWindow::new(self.limit, stored, BTreeMap::new(), Vec::new())
    }

    /// Whether `contact` counts already.
    fn counts(&self, contact: &[u8]) -> bool {
        self.known.get(contact).is_some_and(|at| *at > self.forgotten_to)
    }

    /// Whether `contact` may be written to at `now`. `None`: it is free, or there is no limit.
    pub fn verdict(&self, contact: &[u8], now: Millis) -> Option<Verdict> {
        let limit = u64::from(self.limit.count()?);
        if self.counts(contact) {
            return None;
        }
        let ends = |index: u64| {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            self.oldest.get(index).map_or(now, |(at, _)| *at).plus(CONTACT_WINDOW)
        };
        let mut verdict = Verdict {
            policy: Policy::WhatsappContacts,
            limit,
            window: CONTACT_WINDOW,
            used: self.used,
            reset_at: ends(0),
            wait: None,
        };
        if self.used >= limit {
            // After a tier went down more than one has to stop counting first.
            verdict.reset_at = ends(self.used.saturating_sub(limit));
            verdict.wait = Some(verdict.reset_at.since(now));
        }
        Some(verdict)
    }

    /// Counts `contact` at `now`.
    pub fn take(&mut self, contact: &[u8], now: Millis) {
        let at = self.as_of.max(now);
        if self.counts(contact) {
            self.oldest.retain(|(_, other)| other != contact);
        } else {
            self.used = self.used.saturating_add(1);
        }
        if self.is_whole {
            self.oldest.push((at, contact.to_vec()));
        }
        self.known.insert(contact.to_vec(), at);
        self.taken.insert(contact.to_vec(), at);
    }

    /// What is to be stored, where anything was counted.
    pub fn to_store(&self) -> Option<(Stored, &BTreeMap<Vec<u8>, Millis>)> {
        let stored = Stored { used: self.used, forgotten_to: self.forgotten_to, as_of: self.as_of };
        (!self.taken.is_empty()).then_some((stored, &self.taken))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BORN: i64 = 1_774_708_200_000;
    const HOUR: i64 = 3_600_000;

    /// The store as a list, and the oracle: every message that passed.
    #[derive(Default)]
    struct Shop {
        rows: BTreeMap<Vec<u8>, Millis>,
        stored: Option<Stored>,
        sent: Vec<(Millis, Vec<u8>)>,
    }

    impl Shop {
        /// A batch to `contacts` under `limit`: what each was told.
        fn batch(&mut self, limit: ContactLimit, contacts: &[u8], now: Millis) -> Vec<Option<Millis>> {
            let stored = self.stored.unwrap_or(Stored::fresh(now));
            let rows = &self.rows;
            let gone = |from, to| Ok::<_, ()>(rows.values().filter(|at| **at > from && **at <= to).count() as u64);
            let stored = stored.turned(now, gone).unwrap();
            let mut counting: Vec<(Millis, Vec<u8>)> = self.rows.iter().map(|(who, at)| (*at, who.clone())).collect();
            counting.retain(|(at, _)| *at > stored.forgotten_to);
            assert_eq!(counting.len() as u64, stored.used, "what is stored is what counts");
            counting.sort();
            counting.truncate(stored.oldest_needed(limit, contacts.len()) as usize);
            let mut window = ContactWindow::new(limit, stored, self.rows.clone(), counting);
            let mut told = Vec::new();
            for contact in contacts {
                let who = vec![*contact];
                let wait = window.verdict(&who, now).and_then(|verdict| verdict.wait);
                if wait.is_none() {
                    window.take(&who, now);
                    self.sent.push((now, who));
                }
                told.push(wait.map(|wait| now.plus(wait)));
            }
            if let Some((stored, taken)) = window.to_store() {
                self.rows.extend(taken.clone());
                self.stored = Some(stored);
            }
            told
        }

        /// Unique contacts in the 24 h that end at `now`.
        fn unique(&self, now: Millis) -> usize {
            let since = now.minus(CONTACT_WINDOW);
            let within: std::collections::BTreeSet<_> =
                self.sent.iter().filter(|(at, _)| *at > since && *at <= now).map(|(_, who)| who).collect();
            within.len()
        }
    }

    #[test]
    fn a_full_window_says_when_the_next_may_come_and_repeats_are_free() {
        let (mut shop, limit) = (Shop::default(), ContactLimit::Limited(2));
        let at = |hours: i64| Millis(BORN + hours * HOUR);
        assert_eq!(shop.batch(limit, &[1], at(0)), [None]);
        assert_eq!(shop.batch(limit, &[2, 3, 1], at(1)), [None, Some(at(24)), None]);
        // The first was written to again, so the second is the one that stops counting first.
        assert_eq!(shop.batch(limit, &[3], at(2)), [Some(at(25))]);
        assert_eq!(shop.batch(limit, &[3], Millis(at(25).0 - 1)), [Some(at(25))]);
        assert_eq!(shop.batch(limit, &[3], at(25)), [None]);
    }

    #[test]
    fn after_a_downgrade_the_wait_is_until_enough_have_gone() {
        let mut shop = Shop::default();
        let at = |minutes: i64| Millis(BORN + minutes * 60_000);
        for n in 0..5 {
            shop.batch(ContactLimit::Unlimited, &[n], at(i64::from(n)));
        }
        let told = shop.batch(ContactLimit::Limited(2), &[9], at(10));
        assert_eq!(told, [Some(at(3 + 24 * 60))]);
    }

    proptest! {
        #[test]
        fn no_24_hours_hold_more_than_the_tier_and_every_wait_is_tight(
            steps in prop::collection::vec((0i64..9, prop::collection::vec(0u8..12, 1..6), 1u32..6), 1..60)
        ) {
            let (mut shop, mut now) = (Shop::default(), Millis(BORN));
            for (hours, contacts, limit) in steps {
                now = Millis(now.0 + hours * HOUR + 1);
                let before = shop.unique(now);
                let told = shop.batch(ContactLimit::Limited(limit), &contacts, now);
                prop_assert!(shop.unique(now) <= before.max(limit as usize));
                // The last refusal of a batch saw everything that was taken: alone it passes then, and not before.
                if let (Some(Some(opens)), Some(contact)) = (told.last(), contacts.last()) {
                    let alone = |at: Millis| {
                        let mut copy = Shop { rows: shop.rows.clone(), stored: shop.stored, sent: Vec::new() };
                        copy.batch(ContactLimit::Limited(limit), &[*contact], at)[0].is_none()
                    };
                    prop_assert!(alone(*opens));
                    prop_assert!(!alone(Millis(opens.0 - 1)));
                }
            }
        }
    }
}
