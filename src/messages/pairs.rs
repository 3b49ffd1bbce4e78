//! The pace at which one WhatsApp number may write to one person: once in six seconds, and up to 45 at once that are paid
//! back later. Whoever goes faster is refused by Meta (131056). A message over the pace waits for its turn.
//! Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits>.
//!
//! The algorithm is that of `providers::pace`, by person. What was handed over is added up in a table, so that it holds
//! for all processes: exactly within one, whose claims follow each other, and but for what two hand over in the same
//! moment. Pure: the table and `now` are given.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::accept::Prepared;
use crate::clock::Millis;
use crate::error::{Code, Error, PolicyHit};
use crate::terms::Kind;

/// One message in this time, in the long run.
pub const EVERY: Duration = Duration::from_secs(6);
/// So many may go at once.
pub const BURST: u32 = 45;
/// The last of these are left to codes: nobody who is written to a lot waits for a code because of that.
const LEFT_TO_CODES: u32 = 5;

/// A carrier, which is a number of ours, and a recipient as a keyed hash.
pub type PairKey = (String, Vec<u8>);

/// How long until another may go, where the next is due at an even pace at `due`; zero where it may now.
pub fn wait(due: Millis, is_code: bool, now: Millis) -> Duration {
    let at_once = if is_code { BURST } else { BURST - LEFT_TO_CODES };
    due.since(now).saturating_sub(EVERY.saturating_mul(at_once - 1))
}

/// Counts one that goes now: when the next is due at an even pace.
pub fn after(due: Millis, now: Millis) -> Millis {
    due.max(now).plus(EVERY)
}

/// When the next is due at an even pace where Meta has refused one, so that a code goes after `rest` and nothing before.
pub fn after_refusal(rest: Duration, now: Millis) -> Millis {
    now.plus(rest).plus(EVERY.saturating_mul(BURST - 1))
}

/// The key under which what was accepted for a recipient is counted, beside what was handed over: by it the turn of one
/// more is known before it waits. No carrier's name has a `/`.
pub fn asked(carrier: &str, recipient: Vec<u8>) -> PairKey {
    (format!("asked/{carrier}"), recipient)
}

/// The pairs that a claim, or an accepting transaction, meets.
#[derive(Clone, Default)]
pub struct Pairs {
    due: BTreeMap<PairKey, Millis>,
    looked_up: BTreeSet<Vec<u8>>,
    taken: BTreeMap<PairKey, u32>,
    put_off: BTreeMap<PairKey, u32>,
}

impl Pairs {
    /// Those of `recipients` that were not looked up yet.
    pub fn unknown(&self, recipients: BTreeSet<Vec<u8>>) -> BTreeSet<Vec<u8>> {
        recipients.into_iter().filter(|recipient| !self.looked_up.contains(recipient)).collect()
    }

    /// Takes in what the table says of `recipients`; who is not in it is not ahead.
    pub fn add(&mut self, recipients: BTreeSet<Vec<u8>>, found: Vec<(PairKey, Millis)>) {
        self.looked_up.extend(recipients);
        self.due.extend(found);
    }

    /// How long until another may go.
    pub fn wait(&self, key: &PairKey, is_code: bool, now: Millis) -> Duration {
        self.due.get(key).map_or(Duration::ZERO, |due| wait(*due, is_code, now))
    }

    /// How many messages it is ahead of an even pace.
    pub fn ahead(&self, key: &PairKey, now: Millis) -> u64 {
        let ahead = self.due.get(key).map_or(Duration::ZERO, |due| due.since(now));
        u64::try_from(ahead.as_millis().div_ceil(EVERY.as_millis())).unwrap_or(u64::MAX)
    }

    /// The same for one of several that wait: each has a turn of its own.
    pub fn next_turn(&mut self, key: &PairKey, is_code: bool, now: Millis) -> Duration {
        let wait = self.wait(key, is_code, now);
        let before = self.put_off.entry(key.clone()).or_default();
        let turn = wait.saturating_add(EVERY.saturating_mul(*before));
        *before += 1;
        turn
    }

    /// Counts one that goes now.
    pub fn take(&mut self, key: &PairKey, now: Millis) {
        let due = after(self.due.get(key).copied().unwrap_or(now), now);
        self.due.insert(key.clone(), due);
        *self.taken.entry(key.clone()).or_default() += 1;
    }

    /// What was counted here, and is to be added to the table.
    pub fn taken(&self) -> &BTreeMap<PairKey, u32> {
        &self.taken
    }
}

/// A refusal where so many messages wait for the recipient already that the turn of `item` would come after its time.
pub fn too_late(pairs: &Pairs, item: &Prepared, now: Millis) -> Option<Error> {
    let key = item.pair.as_ref()?;
    let turn = pairs.wait(key, item.kind == Kind::Otp, now);
    // It would have to go before its time is over.
    let over = turn.checked_sub(item.ttl).filter(|_| turn > Duration::ZERO)?.saturating_add(Duration::from_millis(1));
    let hit = PolicyHit {
        policy: "whatsapp.pair".into(),
        limit: u64::from(BURST),
        usage: pairs.ahead(key, now),
        window_s: EVERY.saturating_mul(BURST).as_secs(),
    };
    Some(Error::new(Code::WhatsappPairLimit).retry_after(over).policy(hit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: i64 = 1_774_708_200_000;

    fn key() -> PairKey {
        (String::from("meta"), vec![1])
    }

    proptest! {
        /// Whatever is asked when: no span holds more than the burst and one for every six seconds of it; a wait is true
        /// to the millisecond; and a code goes where the rest has used up its own share.
        #[test]
        fn no_span_holds_more_than_its_pace(gaps in prop::collection::vec((0i64..9_000, any::<bool>()), 1..400)) {
            let (mut pairs, mut now, mut gone) = (Pairs::default(), START, Vec::new());
            for (gap, is_code) in gaps {
                now += gap / 3;
                let wait = pairs.wait(&key(), is_code, Millis(now));
                if wait.is_zero() {
                    pairs.take(&key(), Millis(now));
                    gone.push(now);
                    continue;
                }
                let at = now + i64::try_from(wait.as_millis()).unwrap();
                prop_assert!(pairs.wait(&key(), is_code, Millis(at)).is_zero());
                prop_assert!(!pairs.wait(&key(), is_code, Millis(at - 1)).is_zero());
                prop_assert!(wait <= EVERY.saturating_mul(1 + LEFT_TO_CODES));
            }
            for (first, from) in gone.iter().enumerate() {
                for (last, to) in gone.iter().enumerate().skip(first) {
                    let count = i64::try_from(last - first + 1).unwrap();
                    prop_assert!(count <= i64::from(BURST) + (to - from) / 6_000, "{count} in {} ms", to - from);
                }
            }
        }
    }

    #[test]
    fn a_burst_goes_at_once_the_rest_by_six_seconds_and_codes_have_five_more() {
        let (mut pairs, now) = (Pairs::default(), Millis(START));
        let mut notices = 0;
        while pairs.wait(&key(), false, now).is_zero() {
            pairs.take(&key(), now);
            notices += 1;
        }
        assert_eq!((notices, pairs.wait(&key(), false, now)), (40, EVERY));
        let turns: Vec<u64> = (0..3).map(|_| pairs.next_turn(&key(), false, now).as_secs()).collect();
        assert_eq!(turns, [6, 12, 18]);
        let mut codes = 0;
        while pairs.wait(&key(), true, now).is_zero() {
            pairs.take(&key(), now);
            codes += 1;
        }
        assert_eq!((codes, pairs.wait(&key(), true, now)), (5, EVERY));
        assert_eq!(pairs.taken()[&key()], 45);
        assert!(pairs.wait(&(String::from("other"), vec![1]), false, now).is_zero());
        assert!(pairs.wait(&key(), true, now.plus(EVERY)).is_zero());
    }
}
