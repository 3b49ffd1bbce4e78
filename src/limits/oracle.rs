//! Brute force against every window: a list of all that was let through, counted anew at each question, under clocks that
//! run, stand, come out of order and are set back.

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use proptest::prelude::*;

    use crate::clock::Millis;
    use crate::limits::reading::OUT_OF_ORDER;
    use crate::limits::seeds::Seeds;
    use crate::limits::shard::Shard;
    use crate::limits::{BucketLog, Policy, Rate, Rule, ScopeKey, StampLog, Verdict, View};

    /// Time as it passes, whatever the clock says: a clock set back is time standing still.
    struct Elapsed {
        as_of: i64,
        passed: i64,
    }

    impl Elapsed {
        fn read(&mut self, now: i64) -> i64 {
            if now >= self.as_of {
                self.passed += now - self.as_of;
                self.as_of = now;
            } else if u128::from((self.as_of - now).unsigned_abs()) > OUT_OF_ORDER.as_millis() {
                self.as_of = now;
            }
            self.passed
        }
    }

    const START: i64 = 1_774_710_000_000;

    /// How a clock moves between two requests.
    fn step() -> impl Strategy<Value = i64> {
        prop_oneof![
            12 => 0i64..60,
            8 => 0i64..3_000,
            2 => 0i64..90_000,
            1 => 0i64..5_000_000,
            2 => -5_000i64..0,
            1 => -200_000i64..-5_000,
        ]
    }

    fn forward() -> impl Strategy<Value = i64> {
        step().prop_map(|by| by.max(0))
    }

    fn rate() -> impl Strategy<Value = Rate> {
        (1u32..7, 1u64..20_000).prop_map(|(limit, ms)| Rate { limit, window: Duration::from_millis(ms) })
    }

    /// How many of `times` lie in the window of `window_ms` that ends with `at`.
    fn within(times: &[i64], window_ms: i64, at: i64) -> u64 {
        u64::try_from(times.iter().filter(|time| **time > at - window_ms && **time <= at).count()).unwrap()
    }

    /// The most that any window of `window_ms` holds.
    fn worst(times: &[i64], window_ms: i64) -> u64 {
        let held = |start: i64| times.iter().filter(|time| (start..start + window_ms).contains(*time)).count();
        u64::try_from(times.iter().map(|start| held(*start)).max().unwrap_or(0)).unwrap()
    }

    /// Waiting exactly as long as was said passes, and a millisecond less does not.
    fn is_tight(wait: Option<Duration>, now: i64, denied_at: impl Fn(Millis) -> bool) -> bool {
        let Some(wait) = wait else { return !denied_at(Millis(now)) };
        let passes = Millis(now).plus(wait);
        !denied_at(passes) && denied_at(Millis(passes.0 - 1))
    }

    proptest! {
        #[test]
        fn a_log_of_timestamps_says_what_the_list_says(rate in rate(), steps in prop::collection::vec((step(), 1u64..3), 1..120)) {
            let (mut log, mut now) = (StampLog::decode(&[], Millis(START)), START);
            let mut time = Elapsed { as_of: START, passed: 0 };
            let mut let_through: Vec<(u64, i64)> = Vec::new();
            for (by, tag) in steps {
                now += by;
                let before = time.as_of;
                let at = time.read(now);
                prop_assert_eq!(log.turn_to(Millis(now)), time.as_of < before);
                let ask = |log: &StampLog, now: Millis| log.check(Some(tag), Policy::OtpNumber, rate, now);
                let verdict = ask(&log, Millis(now));
                let of_tag: Vec<i64> = let_through.iter().filter(|(of, _)| *of == tag).map(|(_, at)| *at).collect();
                prop_assert_eq!(verdict.used, within(&of_tag, rate.window_ms(), at));
                prop_assert_eq!(verdict.denied(), verdict.used >= u64::from(rate.limit));
                prop_assert!(is_tight(verdict.wait, now, |then| ask(&log, then).denied()));
                if !verdict.denied() {
                    log.add(tag, Millis(now));
                    let_through.push((tag, at));
                }
                log.prune(rate.window, Millis(now));
                log = StampLog::decode(&log.encode(), log.as_of());
            }
        }

        #[test]
        fn reservations_and_sends_together_fill_no_window_over(
            rate in rate(),
            steps in prop::collection::vec((forward(), any::<bool>(), prop_oneof![Just(0i64), 1i64..60_000]), 1..120),
        ) {
            let (mut log, mut now) = (StampLog::decode(&[], Millis(START)), START);
            let mut times = Vec::new();
            for (by, paced, ahead) in steps {
                now += by;
                let due = Millis(now + ahead);
                let then = log.check_at(None, Policy::SmsPlan, rate, due, Millis(now));
                prop_assert_eq!(then.denied(), worst(&[times.as_slice(), &[due.0]].concat(), rate.window_ms()) > u64::from(rate.limit));
                if ahead > 0 && !then.denied() {
                    log.reserve(0, due, Millis(now));
                    times.push(due.0);
                }
                let verdict = log.check(None, Policy::SmsPlan, rate, Millis(now));
                prop_assert!(is_tight(verdict.wait, now, |then| log.check(None, Policy::SmsPlan, rate, then).denied()));
                let at = log.opening(None, rate, Millis(now), Millis(now));
                prop_assert_eq!(at, verdict.wait.map_or(Millis(now), |wait| Millis(now).plus(wait)));
                if paced || !verdict.denied() {
                    log.reserve(0, at, Millis(now));
                    times.push(at.0);
                }
                prop_assert!(worst(&times, rate.window_ms()) <= u64::from(rate.limit));
                log.prune(rate.window, Millis(now));
            }
        }

        #[test]
        fn counters_of_a_row_are_never_over_and_hardly_late(
            rate in rate(),
            steps in prop::collection::vec((forward(), any::<bool>()), 1..120),
        ) {
            let (mut log, mut now) = (BucketLog::new(rate.window, Millis(START)), START);
            let late = rate.window_ms() / 100 + 1;
            let mut times = Vec::new();
            for (by, paced) in steps {
                now += by;
                let verdict = log.check(Policy::SmsPlan, rate, Millis(now));
                prop_assert!(is_tight(verdict.wait, now, |then| log.check(Policy::SmsPlan, rate, then).denied()));
                if verdict.denied() {
                    // Some window a hundredth wider on both sides is full.
                    let around: Vec<i64> = times.iter().copied().filter(|at| (now - at).abs() < rate.window_ms() + 2 * late).collect();
                    prop_assert!(around.len() >= usize::try_from(rate.limit).unwrap());
                }
                if paced || !verdict.denied() {
                    let at = log.opening(rate, Millis(now), Millis(now));
                    log.reserve(at, Millis(now));
                    times.push(at.0);
                }
                prop_assert!(worst(&times, rate.window_ms()) <= u64::from(rate.limit));
                log.prune(rate.window, Millis(now));
                log = BucketLog::decode(&log.encode(), log.as_of()).unwrap();
            }
        }

        #[test]
        fn counters_of_a_row_are_never_over_when_the_clock_is_set_back(rate in rate(), steps in prop::collection::vec(step(), 1..200)) {
            let (mut log, mut now) = (BucketLog::new(rate.window, Millis(START)), START);
            let mut time = Elapsed { as_of: START, passed: 0 };
            let mut times = Vec::new();
            for by in steps {
                now += by;
                let at = time.read(now);
                log.turn_to(Millis(now));
                let verdict = log.check(Policy::SmsPlan, rate, Millis(now));
                prop_assert!(is_tight(verdict.wait, now, |then| log.check(Policy::SmsPlan, rate, then).denied()));
                if !verdict.denied() {
                    log.add(Millis(now));
                    times.push(at);
                }
                log.prune(rate.window, Millis(now));
            }
            prop_assert!(worst(&times, rate.window_ms()) <= u64::from(rate.limit));
        }
    }

    /// Limits of every shape over three keys of one organization.
    fn rules(limits: [u32; 8]) -> impl Fn(u8) -> [Rule; 8] {
        move |key| {
            let [short, medium, long, minute, org_minute, window, daily, sliding] = limits;
            let (key, org) = (ScopeKey(u128::from(key)), ScopeKey(99));
            let rule = |policy, scope, limit, seconds| Rule::new(policy, scope, Rate::per_secs(limit, seconds).into());
            [
                rule(Policy::KeyBurstShort, key, short, 1),
                rule(Policy::KeyBurstMedium, key, medium, 5),
                rule(Policy::KeyBurstLong, key, long, 60),
                rule(Policy::KeyMinute, key, minute, 60),
                rule(Policy::OrgMinute, org, org_minute, 60),
                rule(Policy::KeyWindow, key, window, 3_600),
                rule(Policy::KeyDaily, key, daily, 86_400),
                rule(Policy::SmsPlan, org, sliding, 10),
            ]
        }
    }

    fn limits() -> impl Strategy<Value = [u32; 8]> {
        (1u32..5, 2u32..8, 3u32..16, 2u32..20, 3u32..40, 5u32..60, 5u32..90, 1u32..12)
            .prop_map(|(a, b, c, d, e, f, g, h)| [a, b, c, d, e, f, g, h])
    }

    /// All that was let through, by policy and scope: the moment as time passed, and the moment on the clock.
    #[derive(Default)]
    struct Book(BTreeMap<(Policy, ScopeKey), Vec<(i64, i64)>>);

    impl Book {
        fn times(&self, rule: &Rule) -> Vec<i64> {
            self.entries(rule).iter().map(|(passed, _)| *passed).collect()
        }

        fn entries(&self, rule: &Rule) -> &[(i64, i64)] {
            self.0.get(&(rule.policy, rule.scope)).map_or(&[], Vec::as_slice)
        }

        fn note(&mut self, rule: &Rule, passed: i64, clock: i64) {
            self.0.entry((rule.policy, rule.scope)).or_default().push((passed, clock));
        }
    }

    fn window_of(verdict: &Verdict) -> i64 {
        i64::try_from(verdict.window.as_millis()).unwrap()
    }

    /// What a sliding gate says is what the list says; counters count too much by a sixtieth at most, never too little.
    fn sliding_is_right(verdict: &Verdict, times: &[i64], at: i64) -> Result<(), TestCaseError> {
        let window = window_of(verdict);
        let exact = within(times, window, at);
        if verdict.policy == Policy::KeyWindow {
            prop_assert!(verdict.used >= exact && verdict.used <= within(times, window + window / 60, at));
        } else {
            // A ring keeps no more timestamps than its largest tier admits, which is all that decides.
            prop_assert_eq!(verdict.used, exact);
        }
        prop_assert_eq!(verdict.denied(), verdict.used >= verdict.limit);
        Ok(())
    }

    fn is_calendar(verdict: &Verdict) -> bool {
        matches!(verdict.policy, Policy::KeyMinute | Policy::OrgMinute | Policy::KeyDaily)
    }

    fn without_meter(view: &View) -> Vec<Verdict> {
        view.iter().filter(|verdict| verdict.policy != Policy::KeyDaily).copied().collect()
    }

    /// Runs requests through a shard and the book, and compares them at each step.
    fn run(limits: [u32; 8], steps: &[(i64, u8)]) -> Result<(), TestCaseError> {
        let (rules, mut now) = (rules(limits), START);
        let mut shard = Shard::new(Seeds::new(), Millis(now));
        let mut time = Elapsed { as_of: now, passed: 0 };
        let (mut book, mut was_set_back) = (Book::default(), false);
        for (by, key) in steps {
            now += by;
            let (rules, before) = (rules(*key), time.as_of);
            let at = time.read(now);
            was_set_back |= time.as_of < before;
            let view = shard.peek(&rules, Millis(now));
            for (rule, verdict) in rules.iter().zip(view.iter()) {
                if !is_calendar(verdict) {
                    sliding_is_right(verdict, &book.times(rule), at)?;
                } else if !was_set_back {
                    let window = window_of(verdict);
                    let same = |clock: i64| clock.div_euclid(window) == time.as_of.div_euclid(window);
                    let used = book.entries(rule).iter().filter(|(_, clock)| same(*clock)).count();
                    prop_assert_eq!(verdict.used, u64::try_from(used).unwrap());
                }
            }
            prop_assert!(is_tight(view.wait(), now, |then| shard.clone().peek(&rules, then).denied()));
            let taken = shard.take(&rules, Millis(now));
            prop_assert_eq!(taken.denied(), view.denied());
            let meter_open = view.find(Policy::KeyDaily).is_some_and(|verdict| !verdict.denied());
            for rule in &rules {
                if !taken.denied() || (rule.policy == Policy::KeyDaily && meter_open) {
                    book.note(rule, at, time.as_of);
                }
            }
            let after = shard.peek(&rules, Millis(now));
            if taken.denied() {
                prop_assert_eq!(
                    without_meter(&after),
                    without_meter(&view),
                    "a denied request leaves every gate as it was"
                );
            } else {
                let used = |view: &View| view.iter().map(|verdict| verdict.used).collect::<Vec<_>>();
                prop_assert_eq!(used(&after), used(&taken));
            }
        }
        for key in 0..3 {
            for rule in rules(key) {
                let rate = rule.allowance.rate().unwrap();
                let calendar = matches!(rule.policy, Policy::KeyMinute | Policy::OrgMinute | Policy::KeyDaily);
                // A fixed window lets at most twice its limit through around a boundary, a clock set back or not.
                let most = u64::from(rate.limit) * if calendar { 2 } else { 1 };
                prop_assert!(worst(&book.times(&rule), rate.window_ms()) <= most, "{} over", rule.policy);
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn a_shard_says_what_the_list_says(limits in limits(), steps in prop::collection::vec((forward(), 0u8..3), 1..150)) {
            run(limits, &steps)?;
        }

        #[test]
        fn a_shard_opens_nothing_when_the_clock_is_set_back(limits in limits(), steps in prop::collection::vec((step(), 0u8..3), 1..150)) {
            run(limits, &steps)?;
        }
    }
}
