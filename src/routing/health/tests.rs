//! The circuit of a route, by time and what is seen.

use std::time::Duration;

use proptest::prelude::*;

use super::{Change, Health, PATIENCE, Reason, Seen};
use crate::clock::Millis;
use crate::providers::circuit::State;

const fn at(ms: i64) -> Millis {
    Millis(1_000_000 + ms)
}

fn step(change: Option<Change>) -> Option<(State, State, Reason)> {
    change.map(|change| (change.from, change.to, change.reason))
}

/// Opened by twenty failures at `now`.
fn sick(health: &mut Health, now: Millis) -> Option<Change> {
    (0..20).filter_map(|_| health.record(now, true, now)).last()
}

fn seen(started: Millis, lag_s: Option<u64>) -> Seen {
    Seen { started, lag: lag_s.map(Duration::from_secs) }
}

/// A route whose receipts come within three seconds, known from a hundred of them.
fn known() -> Health {
    let mut health = Health::default();
    for n in 0..100 {
        let now = at(n * 1_000 - 200_000);
        assert_eq!(health.judge(&[seen(now, Some(3))], now), None);
    }
    health
}

#[test]
fn half_of_twenty_failed_opens_it_and_tells_the_numbers() {
    let mut health = Health::default();
    let changes: Vec<Change> = (0..40).filter_map(|n| health.record(at(n), n % 2 == 1, at(n))).collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].detail, serde_json::json!({"failed": 10, "of": 20, "window_s": 60}));
    assert!(!health.is_open_to(at(19 + 14_999)) && health.is_open_to(at(19 + 15_000)));
    // Failures of more than a minute ago do not add up.
    let mut slow = Health::default();
    assert!((0..200).all(|n| slow.record(at(n * 4_000), true, at(n * 4_000)).is_none()));
}

#[test]
fn three_probes_must_do_well_and_one_that_fails_doubles_the_rest() {
    let mut health = Health::default();
    sick(&mut health, at(0));
    let opened = step(health.permit(at(15_000)));
    assert_eq!(opened, Some((State::Open, State::HalfOpen, Reason::RestOver)));
    assert_eq!(health.record(at(14_000), false, at(15_100)), None, "from before the circuit opened");
    assert_eq!(
        step(health.record(at(15_000), true, at(15_200))),
        Some((State::HalfOpen, State::Open, Reason::ProbeFailed))
    );
    assert!(!health.is_open_to(at(45_199)) && health.is_open_to(at(45_200)), "twice the rest");
    for n in 0..3 {
        assert!(health.is_open_to(at(45_200 + n)));
        health.permit(at(45_200 + n));
    }
    assert!(!health.is_open_to(at(45_203)), "three are out");
    assert_eq!(health.record(at(45_200), false, at(45_300)), None);
    assert_eq!(health.record(at(45_201), false, at(45_300)), None);
    let closed = step(health.record(at(45_202), false, at(45_300)));
    assert_eq!(closed, Some((State::HalfOpen, State::Closed, Reason::Recovered)));
    // Soon open again, it rests on where it stopped.
    sick(&mut health, at(50_000));
    assert!(!health.is_open_to(at(50_000 + 59_999)) && health.is_open_to(at(50_000 + 60_000)));
}

#[test]
fn receipts_that_stay_away_open_it_and_only_receipts_close_it() {
    let mut health = known();
    let mut changes = Vec::new();
    for n in 0..20 {
        let started = at(n * 1_000);
        changes.extend(health.judge(&[seen(started, None)], started.plus(PATIENCE)));
    }
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].reason, Reason::ReceiptsMissing);
    assert_eq!(changes[0].detail["usual_percent"], 0);
    let rest_over = at(400_000);
    for _ in 0..3 {
        health.permit(rest_over);
        assert_eq!(health.record(rest_over, false, rest_over), None, "an answer proves nothing");
    }
    assert_eq!(health.judge(&[seen(rest_over, Some(4)), seen(rest_over, Some(5))], at(410_000)), None);
    assert_eq!(health.standing().state, State::HalfOpen);
    let closed = step(health.judge(&[seen(rest_over, Some(20))], at(420_000)));
    assert_eq!(closed, Some((State::HalfOpen, State::Closed, Reason::Recovered)));
}

#[test]
fn slow_receipts_open_it_and_a_probe_without_one_keeps_it_open() {
    let mut health = known();
    let slow = (0..20).filter_map(|n| health.judge(&[seen(at(n * 1_000), Some(60))], at(n * 1_000 + 60_000))).next();
    assert_eq!(slow.unwrap().detail, serde_json::json!({"median_s": 60, "usual_s": 3}));
    health.permit(at(400_000));
    let again = step(health.judge(&[seen(at(400_000), None)], at(400_000).plus(PATIENCE)));
    assert_eq!(again, Some((State::HalfOpen, State::Open, Reason::ProbeFailed)));
    assert_eq!(health.standing().reason, Some(Reason::ReceiptsSlow));
}

#[test]
fn lost_probes_do_not_keep_it_shut() {
    let mut health = Health::default();
    sick(&mut health, at(0));
    (0..3).for_each(|_| drop(health.permit(at(15_000))));
    assert!(!health.is_open_to(at(15_000 + 299_999)) && health.is_open_to(at(15_000 + 300_000)));
}

/// What may happen to a route next.
#[derive(Debug, Clone)]
enum Happens {
    HandOff { failed: bool },
    Receipt { lag_s: Option<u64> },
}

fn happening() -> impl Strategy<Value = (u64, Happens)> {
    let hand_off = any::<bool>().prop_map(|failed| Happens::HandOff { failed });
    let receipt = prop_oneof![Just(None), (0u64..120).prop_map(Some)].prop_map(|lag_s| Happens::Receipt { lag_s });
    (0u64..4_000, prop_oneof![3 => hand_off, 1 => receipt])
}

proptest! {
    /// Whatever happens: nothing passes during a rest, each rest is at least the first, a change leads on from where it
    /// stood, and it never opens twice within a rest.
    #[test]
    fn it_never_flaps_within_a_rest(happenings in proptest::collection::vec(happening(), 1..600)) {
        let mut health = known();
        let (mut now, mut opened, mut state) = (at(0), None::<Millis>, State::Closed);
        for (pause, what) in happenings {
            now = now.plus(Duration::from_millis(pause));
            let may = health.is_open_to(now);
            let changes = match what {
                Happens::HandOff { failed } if may => {
                    let permitted = health.permit(now);
                    [permitted, health.record(now, failed, now)]
                }
                Happens::HandOff { .. } => [None, None],
                Happens::Receipt { lag_s } => [None, health.judge(&[seen(now, lag_s)], now)],
            };
            for change in changes.into_iter().flatten() {
                prop_assert_eq!(change.from, state);
                state = change.to;
                let rested = opened.is_none_or(|since| now.since(since) >= Duration::from_secs(15));
                prop_assert!(rested, "{:?} too soon", change);
                if state == State::Open {
                    opened = Some(now);
                }
            }
            prop_assert_eq!(health.standing().state, state);
            if let Some(until) = health.standing().open_until {
                prop_assert!(health.is_open_to(now) == (until <= now));
            }
        }
    }
}
