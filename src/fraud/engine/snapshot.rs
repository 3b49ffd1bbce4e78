//! The state as bytes and back: so that a restart forgets nothing but the last numbers of each country.
//!
//! JSON lines: a version, then one line a table. Numbers are in it as hashes and prefixes only. Fractions come back within
//! their last bit, which the thousandths of a verdict do not show.

use serde::{Deserialize, Serialize};

use super::aging::Aging;
use super::baseline::{Baseline, Learned};
use super::curve::Curve;
use super::features::Node;
use super::neighbours::Neighbours;
use super::state::{Room, State};
use crate::clock::Millis;

/// Goes up when a table's shape changes; another version is not read, and the engine begins anew.
const VERSION: u32 = 1;

/// Bytes that are no snapshot of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no snapshot of this version: {0}")]
pub struct NotASnapshot(String);

/// The state as bytes: the same state gives the same bytes.
pub fn snapshot(state: &State) -> Result<Vec<u8>, serde_json::Error> {
    let baselines: Vec<_> = state.baselines.sorted();
    let baselines: Vec<(Node, (&Curve, &Learned, f64), Millis)> = baselines
        .into_iter()
        .map(|(node, base, at)| (node, (&base.curve, &base.learned, base.neighbours.plan_ln()), at))
        .collect();
    let mut lines = Lines(Vec::new());
    lines.add(&(VERSION, state.seed))?;
    lines.add(&state.groups.sorted())?;
    lines.add(&state.control.sorted())?;
    lines.add(&baselines)?;
    lines.add(&state.units.sorted())?;
    lines.add(&state.people.sorted())?;
    lines.add(&state.named.sorted())?;
    lines.add(&state.holds.sorted())?;
    lines.add(&state.reports.sorted())?;
    Ok(lines.0)
}

struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, value: &impl Serialize) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut self.0, value)?;
        self.0.push(b'\n');
        Ok(())
    }
}

/// The state of a snapshot.
pub fn restore(bytes: &[u8], room: Room) -> Result<State, NotASnapshot> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let (version, seed): (u32, u64) = read(lines.next())?;
    if version != VERSION {
        return Err(NotASnapshot(format!("version {version}")));
    }
    let mut state = State::new(seed, room);
    fill(&mut state.groups, read(lines.next())?);
    fill(&mut state.control, read(lines.next())?);
    let bases: Vec<(Node, (Curve, Learned, f64), Millis)> = read(lines.next())?;
    let whole = |(curve, learned, plan_ln): (Curve, Learned, f64)| Baseline {
        curve,
        learned,
        neighbours: Neighbours::sized(plan_ln),
    };
    fill(&mut state.baselines, bases.into_iter().map(|(node, base, at)| (node, whole(base), at)).collect());
    fill(&mut state.units, read(lines.next())?);
    fill(&mut state.people, read(lines.next())?);
    fill(&mut state.named, read(lines.next())?);
    fill(&mut state.holds, read(lines.next())?);
    fill(&mut state.reports, read(lines.next())?);
    Ok(state)
}

fn read<'de, T: Deserialize<'de>>(line: Option<&'de [u8]>) -> Result<T, NotASnapshot> {
    let line = line.ok_or_else(|| NotASnapshot(String::from("it ends too soon")))?;
    serde_json::from_slice(line).map_err(|fault| NotASnapshot(fault.to_string()))
}

/// Puts rows back, the one touched longest ago first, so that it goes first again.
fn fill<K: Copy + Eq + std::hash::Hash + Ord, V>(map: &mut Aging<K, V>, mut rows: Vec<(K, V, Millis)>) {
    rows.sort_by_key(|(key, _, at)| (*at, *key));
    for (key, value, at) in rows {
        map.put_back(key, value, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Protection;
    use crate::fraud::engine::{Event, Features, Key, Rules, decide};
    use crate::money::Micros;
    use crate::terms::Channel;

    fn attempt(number: u64) -> Features {
        Features {
            org: Key(1),
            credential: Key(2),
            number: Key(number),
            digits: 37_120_000_000 + number * 3,
            country: "LV".parse().unwrap(),
            channel: Channel::Sms,
            price: Micros(70_000),
            network: Some(Key(number % 9)),
            device: None,
            named: Vec::new(),
            proven_at: None,
            reports: true,
        }
    }

    #[test]
    fn a_restored_state_is_the_same_and_judges_alike() {
        let (mut state, rules) = (State::new(5, Room::default()), Rules::of(Protection::Standard));
        let mut now = Millis(1_790_000_000_000);
        for number in 0..400 {
            now = now.plus(std::time::Duration::from_secs(20));
            let features = attempt(number);
            let verdict = decide(&state, &features, &rules, now);
            if let Some(event) = verdict.follows(&features) {
                state.observe(&event, &rules, now);
            }
            state.observe(&Event::Accepted(Box::new(features), verdict.probe), &rules, now);
            if number < 100 {
                state.observe(&Event::Verified { org: Key(1), number: Key(number) }, &rules, now);
            }
        }
        let bytes = snapshot(&state).unwrap();
        let restored = restore(&bytes, Room::default()).unwrap();
        assert_eq!((restored.size(), restored.holds(now)), (state.size(), state.holds(now)));
        let judged = |state: &State| {
            (0..50).map(|number| decide(state, &attempt(390 + number * 7), &rules, now)).collect::<Vec<_>>()
        };
        assert_eq!(judged(&restored), judged(&state));
        assert!(judged(&state).iter().any(|verdict| verdict.action != crate::fraud::Action::Allow));
    }

    #[test]
    fn other_bytes_are_no_snapshot() {
        assert!(restore(b"[2,7]\n", Room::default()).is_err());
        assert!(restore(b"", Room::default()).is_err());
    }
}
