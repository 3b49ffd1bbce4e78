//! Units of evidence of one group over a day, in fixed memory: the last two minutes by 10 s, the last hour by 5 min, the day by hours.
//!
//! A unit is one number in a day, not one message: a user who asks three times is one coin. A slot that leaves a ring is
//! poured into the next, so that each unit stands in one ring and the sum over all is the day. 48 slots of 8 bytes.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// Units and those of them that verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slot {
    /// Units begun; one that could not be delivered is taken out again.
    pub begun: u32,
    /// Units verified.
    pub verified: u32,
}

impl Slot {
    fn add(&mut self, other: Slot) {
        self.begun = self.begun.saturating_add(other.begun);
        self.verified = self.verified.saturating_add(other.verified);
    }

    fn take(&mut self, other: Slot) {
        self.begun = self.begun.saturating_sub(other.begun);
        self.verified = self.verified.saturating_sub(other.verified);
    }

    /// Units that have not verified.
    pub fn missing(&self) -> u32 {
        self.begun.saturating_sub(self.verified)
    }
}

/// Slots of the first ring, 10 s each.
pub const FINE: usize = 12;
/// Slots of the second ring, 5 min each.
pub const FIVE: usize = 12;
/// Slots of the third ring, an hour each.
pub const HOUR: usize = 24;
/// Length of the shortest slot.
pub const TICK_MS: i64 = 10_000;
const TICKS_A_FIVE: u32 = 30;
const TICKS_AN_HOUR: u32 = 360;

/// What changes about a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It began.
    Begun,
    /// It verified.
    Verified,
    /// No one could have verified it: it was not delivered.
    Undelivered,
    /// It was delivered after all.
    Delivered,
}

/// The three rings. Each array begins with the newest slot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(into = "Saved", from = "Saved")]
pub struct Rings {
    tick: u32,
    /// The last two minutes.
    pub fine: [Slot; FINE],
    /// The last hour, without what is still in `fine`.
    pub five: [Slot; FIVE],
    /// The day, without what is still in the other two.
    pub hour: [Slot; HOUR],
}

/// Rings as they are kept: where they stand, and the slots that hold anything with their place.
#[derive(Serialize, Deserialize)]
struct Saved(u32, Vec<(u8, u32, u32)>);

impl From<Rings> for Saved {
    fn from(rings: Rings) -> Saved {
        let slots = rings.fine.iter().chain(&rings.five).chain(&rings.hour).zip(0u8..);
        let held = slots.filter(|(slot, _)| **slot != Slot::default());
        Saved(rings.tick, held.map(|(slot, place)| (place, slot.begun, slot.verified)).collect())
    }
}

impl From<Saved> for Rings {
    fn from(Saved(tick, held): Saved) -> Rings {
        let mut rings = Rings { tick, ..Rings::default() };
        for (place, begun, verified) in held {
            let mut slots = rings.fine.iter_mut().chain(&mut rings.five).chain(&mut rings.hour);
            if let Some(slot) = slots.nth(usize::from(place)) {
                *slot = Slot { begun, verified };
            }
        }
        rings
    }
}

/// The 10 s tick of a moment.
pub fn tick_of(at: Millis) -> u32 {
    u32::try_from(at.0.div_euclid(TICK_MS)).unwrap_or(0)
}

impl Rings {
    /// Rings that stand at `now`.
    pub fn at(now: Millis) -> Rings {
        Rings { tick: tick_of(now), ..Rings::default() }
    }

    /// Turns the rings to `now`; time that goes back changes nothing.
    pub fn turn(&mut self, now: Millis) {
        let (old, new) = (self.tick, tick_of(now));
        if new <= old {
            return;
        }
        self.tick = new;
        let (old_hour, new_hour) = (old / TICKS_AN_HOUR, new / TICKS_AN_HOUR);
        if new_hour > old_hour {
            turn(&mut self.hour, old_hour, new_hour, |_, _| {});
        }
        let (old_five, new_five) = (old / TICKS_A_FIVE, new / TICKS_A_FIVE);
        if new_five > old_five {
            let hour = &mut self.hour;
            turn(&mut self.five, old_five, new_five, |five, slot| {
                pour(hour, new_hour, five / (TICKS_AN_HOUR / TICKS_A_FIVE), slot);
            });
        }
        let (five, hour) = (&mut self.five, &mut self.hour);
        turn(&mut self.fine, old, new, |tick, slot| {
            if !pour(five, new_five, tick / TICKS_A_FIVE, slot) {
                pour(hour, new_hour, tick / TICKS_AN_HOUR, slot);
            }
        });
    }

    /// Notes what became of a unit that began at `begun`; the rings must stand at now.
    pub fn note(&mut self, begun: Millis, change: Change) {
        let Some(slot) = self.slot(tick_of(begun)) else { return };
        match change {
            Change::Begun | Change::Delivered => slot.begun = slot.begun.saturating_add(1),
            Change::Undelivered => slot.begun = slot.begun.saturating_sub(1),
            Change::Verified => slot.verified = slot.verified.saturating_add(1).min(slot.begun),
        }
    }

    fn slot(&mut self, tick: u32) -> Option<&mut Slot> {
        let place = |newest: u32, bucket: u32| newest.saturating_sub(bucket) as usize;
        let fine = place(self.tick, tick);
        if fine < FINE {
            return self.fine.get_mut(fine);
        }
        let five = place(self.tick / TICKS_A_FIVE, tick / TICKS_A_FIVE);
        if five < FIVE {
            return self.five.get_mut(five);
        }
        self.hour.get_mut(place(self.tick / TICKS_AN_HOUR, tick / TICKS_AN_HOUR))
    }

    /// Takes out what a narrower group explains; both must stand at the same time.
    pub fn explain(&mut self, narrower: &Rings) {
        let all = self.fine.iter_mut().chain(&mut self.five).chain(&mut self.hour);
        let theirs = narrower.fine.iter().chain(&narrower.five).chain(&narrower.hour);
        all.zip(theirs).for_each(|(slot, other)| slot.take(*other));
    }

    /// Begins anew.
    pub fn forgive(&mut self) {
        *self = Rings { tick: self.tick, ..Rings::default() };
    }

    /// Units of the last hour.
    pub fn last_hour(&self) -> Slot {
        sum(self.fine.iter().chain(&self.five))
    }

    /// Units of the last ten minutes, roughly.
    pub fn ten_minutes(&self) -> Slot {
        sum(self.fine.iter().chain(self.five.iter().take(2)))
    }

    /// Units of the day.
    pub fn day(&self) -> Slot {
        sum(self.fine.iter().chain(&self.five).chain(&self.hour))
    }

    /// How old the units of the fine ring's slots are on average, seconds.
    pub fn fine_ages(now: Millis) -> [f64; FINE] {
        let into = now.0.rem_euclid(TICK_MS) as f64 / 1_000.0;
        std::array::from_fn(|place| if place == 0 { into / 2.0 } else { into + 10.0 * place as f64 - 5.0 })
    }
}

fn sum<'a>(slots: impl Iterator<Item = &'a Slot>) -> Slot {
    slots.fold(Slot::default(), |mut sum, slot| {
        sum.add(*slot);
        sum
    })
}

/// Adds `slot` to the ring's slot of `bucket`; false where the ring no longer has it.
fn pour<const N: usize>(ring: &mut [Slot; N], newest: u32, bucket: u32, slot: Slot) -> bool {
    match ring.get_mut(newest.saturating_sub(bucket) as usize) {
        Some(own) => {
            own.add(slot);
            true
        }
        None => false,
    }
}

/// Moves a ring from `old` to `new`, and hands on what falls out.
fn turn<const N: usize>(ring: &mut [Slot; N], old: u32, new: u32, mut out: impl FnMut(u32, Slot)) {
    let before = std::mem::replace(ring, [Slot::default(); N]);
    for (place, slot) in before.into_iter().enumerate() {
        if slot == Slot::default() {
            continue;
        }
        let bucket = old.saturating_sub(place as u32);
        match ring.get_mut((new - bucket) as usize) {
            Some(own) => *own = slot,
            None => out(bucket, slot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_790_000_000_000;

    #[test]
    fn every_unit_stands_in_one_ring_for_a_day_and_then_in_none() {
        let mut rings = Rings::at(Millis(START));
        for minute in 0..60 {
            let at = Millis(START + minute * 60_000);
            rings.turn(at);
            rings.note(at, Change::Begun);
        }
        for later in [0, 90, 700, 4_000, 30_000, 79_000] {
            rings.turn(Millis(START + 3_540_000 + later * 1_000));
            assert_eq!(rings.day().begun, 60, "after {later} s");
        }
        rings.turn(Millis(START + 3_540_000 + 90_100_000));
        assert_eq!(rings.day().begun, 0);
    }

    #[test]
    fn a_late_verification_finds_its_slot_wherever_it_went() {
        for late in [5, 100, 400, 4_000, 50_000] {
            let mut rings = Rings::at(Millis(START));
            rings.note(Millis(START), Change::Begun);
            rings.turn(Millis(START + late * 1_000));
            rings.note(Millis(START), Change::Verified);
            assert_eq!(rings.day(), Slot { begun: 1, verified: 1 }, "after {late} s");
        }
    }

    #[test]
    fn what_a_narrower_group_explains_is_taken_out() {
        let (mut wide, mut narrow) = (Rings::at(Millis(START)), Rings::at(Millis(START)));
        (0..5).for_each(|_| wide.note(Millis(START), Change::Begun));
        (0..3).for_each(|_| narrow.note(Millis(START), Change::Begun));
        wide.explain(&narrow);
        assert_eq!(wide.day().begun, 2);
    }
}
