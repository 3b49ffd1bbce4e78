//! The state as bytes and back: so that a restart forgets nothing but the last numbers of each country.
//!
//! JSON lines: a version, then one line a table. Numbers are in it as keyed hashes and prefixes only.

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
        neighbours: Neighbours::new(plan_ln.exp()),
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
        map.touch(key, at, || value);
    }
}
