//! A map in bounded memory: what was not touched for its time goes, and what was touched longest ago goes first when it is full.

use std::collections::VecDeque;
use std::hash::Hash;
use std::time::Duration;

use foldhash::HashMap;

use crate::clock::Millis;

/// Values by key, each kept for `keep` after its last touch, at most `most` of them.
#[derive(Debug, Clone)]
pub struct Aging<K, V> {
    keep: Duration,
    most: usize,
    values: HashMap<K, (V, Millis)>,
    // Oldest first; an entry whose value was touched since goes round once more.
    queue: VecDeque<(K, Millis)>,
}

impl<K: Copy + Eq + Hash + Ord, V> Aging<K, V> {
    /// An empty map.
    pub fn new(keep: Duration, most: usize) -> Self {
        Aging { keep, most: most.max(1), values: HashMap::default(), queue: VecDeque::new() }
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key).map(|(value, _)| value)
    }

    /// The value of `key`, to change without touching it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.values.get_mut(key).map(|(value, _)| value)
    }

    /// The value of `key`, touched; made where there is none.
    pub fn touch(&mut self, key: K, now: Millis, make: impl FnOnce() -> V) -> &mut V {
        self.expire(now);
        let queue = &mut self.queue;
        let entry = self.values.entry(key).or_insert_with(|| {
            queue.push_back((key, now));
            (make(), now)
        });
        entry.1 = now;
        &mut entry.0
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Every value with its key and last touch, in the order of the keys.
    pub fn sorted(&self) -> Vec<(K, &V, Millis)> {
        let mut all: Vec<_> = self.values.iter().map(|(key, (value, at))| (*key, value, *at)).collect();
        all.sort_unstable_by_key(|(key, ..)| *key);
        all
    }

    /// Drops a few of what is too old or too many: constant work a call.
    fn expire(&mut self, now: Millis) {
        for _ in 0..3 {
            let full = self.values.len() >= self.most;
            let Some((key, queued)) = self.queue.front().copied() else { return };
            if !full && now.since(queued) < self.keep {
                return;
            }
            self.queue.pop_front();
            match self.values.get(&key) {
                Some((_, touched)) if *touched > queued && !(full && now.since(*touched) >= self.keep) => {
                    self.queue.push_back((key, *touched));
                }
                Some(_) => drop(self.values.remove(&key)),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_values_go_and_touched_ones_stay() {
        let mut map = Aging::new(Duration::from_secs(10), 100);
        map.touch(1, Millis(0), || 'a');
        map.touch(2, Millis(0), || 'b');
        map.touch(1, Millis(9_000), || 'x');
        map.touch(3, Millis(12_000), || 'c');
        assert_eq!((map.get(&1), map.get(&2)), (Some(&'a'), None));
    }

    #[test]
    fn a_full_map_makes_room() {
        let mut map = Aging::new(Duration::from_secs(1_000), 10);
        for key in 0..1_000 {
            map.touch(key, Millis(i64::from(key)), || key);
        }
        assert!(map.len() <= 11, "{}", map.len());
        assert_eq!(map.get(&999), Some(&999));
    }
}
