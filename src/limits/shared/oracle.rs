//! The script against the limiter in memory: the same requests, the same clock, the same answers. Wants a Redis of the run
//! (`POSTERN_TEST_REDIS`), which `./tests/run redis` starts.

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use redis::Connection;

    use crate::clock::Millis;
    use crate::limits::scope::Known;
    use crate::limits::shared::call::{self, Answer, Ask, Report};
    use crate::limits::shared::group::{Counted, Decided, Group};
    use crate::limits::{Limits, Policy, Rate, Rule, ScopeKey, View};

    const START: Millis = Millis(1_774_710_000_000);

    /// One connection to the Redis of this run, and a shard that nobody has used.
    struct Server {
        connection: Connection,
        shard: String,
    }

    impl Server {
        #[expect(clippy::disallowed_methods, reason = "the run's own switch, not configuration of the product")]
        fn of_this_run() -> Option<Server> {
            let url = std::env::var("POSTERN_TEST_REDIS").ok().filter(|url| !url.is_empty())?;
            let connection = redis::Client::open(url).unwrap().get_connection().unwrap();
            Some(Server { connection, shard: format!("oracle_{}", crate::secret::random_token::<12>()) })
        }

        fn call(&mut self, now: Millis, reports: &[Report], asks: &[Ask]) -> Answer {
            let script = call::script();
            let said = call::invocation(&script, &self.shard, Some(now), (reports, asks));
            let said: Vec<i64> = said.invoke(&mut self.connection).unwrap();
            call::read_answer(&said, asks).unwrap()
        }

        fn decide(&mut self, now: Millis, groups: &[(Group, u64)]) -> Vec<Decided> {
            let ask = |(group, n): &(Group, u64)| {
                let rules = Counted::of(&group.rules);
                let least = vec![Known { used: 0, until: now }; rules.len()];
                Ask { requests: if group.takes { *n } else { 0 }, rules, least }
            };
            let asks: Vec<Ask> = groups.iter().map(ask).collect();
            match self.call(now, &[], &asks) {
                Answer::Decided(decided) => decided,
                Answer::Forgotten => panic!("nothing was known"),
            }
        }

        fn views(&mut self, now: Millis, groups: &[(Group, u64)]) -> Vec<View> {
            let decided = self.decide(now, groups);
            let views = groups.iter().zip(&decided);
            views.flat_map(|((group, n), decided)| (0..*n).map(move |place| group.view(decided, place, now))).collect()
        }
    }

    fn rule(policy: Policy, scope: u128, limit: u32, seconds: u64) -> Rule {
        Rule::new(policy, ScopeKey(scope), Rate::per_secs(limit, seconds).into())
    }

    /// Limits of every shape over the keys of one organization.
    fn rules(limits: [u32; 8], key: u128) -> Vec<Rule> {
        let [short, medium, long, minute, org_minute, window, daily, band] = limits;
        vec![
            rule(Policy::KeyBurstShort, key, short, 1),
            rule(Policy::KeyBurstMedium, key, medium, 5),
            rule(Policy::KeyBurstLong, key, long, 60),
            rule(Policy::KeyMinute, key, minute, 60),
            rule(Policy::OrgMinute, 99, org_minute, 60),
            rule(Policy::KeyWindow, key, window, 3_600),
            rule(Policy::KeyDaily, key, daily, 86_400),
            rule(Policy::BandSend, key, band, 7),
        ]
    }

    fn limits() -> impl Strategy<Value = [u32; 8]> {
        (1u32..5, 2u32..8, 3u32..16, 2u32..20, 3u32..40, 5u32..60, 5u32..90, 1u32..12)
            .prop_map(|(a, b, c, d, e, f, g, h)| [a, b, c, d, e, f, g, h])
    }

    /// How the clock moves, who asks how often, and whether they only look.
    fn steps() -> impl Strategy<Value = Vec<(i64, u128, u64, bool)>> {
        let by = prop_oneof![
            12 => 0i64..60,
            8 => 0i64..3_000,
            3 => 0i64..90_000,
            1 => 0i64..5_000_000,
            2 => -5_000i64..0,
        ];
        prop::collection::vec((by, 0u128..3, 1u64..7, prop::bool::weighted(0.9)), 1..80)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

        #[test]
        fn the_script_says_what_memory_says(limits in limits(), steps in steps(), set_back in 0usize..80) {
            let Some(mut server) = Server::of_this_run() else { return Ok(()) };
            let (memory, mut now, mut latest) = (Limits::new(), START, START);
            for (step, (by, key, n, takes)) in steps.into_iter().enumerate() {
                // Once in a run the clock is set back; else it is a little late at most.
                let set_back = step == set_back;
                now = if set_back { latest.minus(Duration::from_millis(200_000)) } else { Millis(now.0 + by).max(Millis(latest.0 - 5_000)) };
                latest = if set_back { now } else { latest.max(now) };
                let rules = rules(limits, key);
                let expected: Vec<View> = (0..n)
                    .map(|_| if takes { memory.take("org", &rules, now) } else { memory.peek("org", &rules, now) })
                    .collect();
                let said = server.views(now, &[(Group { rules, takes }, n)]);
                let differs = said.iter().zip(&expected).find(|(said, expected)| said != expected);
                prop_assert!(differs.is_none(), "step {} at {}: {:?}", step, now.0, differs);
            }
        }

        #[test]
        fn groups_of_one_call_see_each_other(limits in limits(), batches in prop::collection::vec(
            (0i64..20_000, prop::collection::vec((0u128..4, 1u64..5), 1..6)), 1..20,
        )) {
            let Some(mut server) = Server::of_this_run() else { return Ok(()) };
            let (memory, mut now) = (Limits::new(), START);
            for (by, groups) in batches {
                now = Millis(now.0 + by);
                let groups = groups.into_iter().map(|(key, n)| (Group { rules: rules(limits, key), takes: true }, n));
                let groups: Vec<(Group, u64)> = groups.collect();
                let take = |group: &Group| memory.take("org", &group.rules, now);
                let expected: Vec<View> =
                    groups.iter().flat_map(|(group, n)| (0..*n).map(move |_| take(group))).collect();
                let said = server.views(now, &groups);
                let differs = said.iter().zip(&expected).find(|(said, expected)| said != expected);
                prop_assert!(differs.is_none() && said.len() == expected.len(), "{:?}", differs);
            }
        }
    }

    #[test]
    fn what_a_node_knows_is_put_back_where_the_server_forgot() {
        let Some(mut server) = Server::of_this_run() else { return };
        let group = Group { rules: rules([99, 999, 999, 999, 999, 50, 60, 999], 1), takes: true };
        let rules = Counted::of(&group.rules);
        let midnight = START.next_utc_midnight();
        let known = |counted: &Counted| match counted.rule.policy {
            Policy::KeyDaily => Known { used: 40, until: midnight },
            Policy::KeyWindow => Known { used: 45, until: START },
            // What is known of a minute that is over.
            _ => Known { used: 7, until: Millis(START.0 - START.0.rem_euclid(60_000)) },
        };
        let ask = Ask { requests: 1, least: rules.iter().map(known).collect(), rules: rules.clone() };
        assert_eq!(server.call(START, &[], std::slice::from_ref(&ask)), Answer::Forgotten);
        let wheel = rules.iter().find(|counted| counted.rule.policy == Policy::KeyWindow).unwrap();
        let past = vec![(3_000_000, 15), (600_000, 30)];
        let report = Report { slot: wheel.slot, rate: wheel.rate, count: 0, until: START, past };
        let Answer::Decided(decided) = server.call(START, &[report], &[ask]) else { panic!("forgotten twice") };
        let view = group.view(&decided[0], 0, START);
        let used = |policy| view.find(policy).map(|verdict| verdict.used);
        assert_eq!((used(Policy::KeyWindow), used(Policy::KeyDaily)), (Some(46), Some(41)));
        assert_eq!((used(Policy::KeyMinute), used(Policy::KeyBurstLong)), (Some(1), Some(1)));
        // The older part leaves the hour first.
        let later = Millis(START.0 + 700_000);
        let after = server.views(later, &[(group, 1)]);
        assert_eq!(after[0].find(Policy::KeyWindow).map(|verdict| verdict.used), Some(32));
    }

    #[test]
    fn what_was_counted_while_the_server_was_away_is_added_and_fills_no_gate_over_its_limit() {
        let Some(mut server) = Server::of_this_run() else { return };
        let group = Group { rules: rules([5, 9, 20, 30, 40, 50, 60, 70], 1), takes: true };
        server.views(START, &[(group.clone(), 3)]);
        let midnight = START.next_utc_midnight();
        let report = |counted: &Counted| Report {
            slot: counted.slot,
            rate: counted.rate,
            count: 4,
            until: if counted.is_meter() { midnight } else { Millis(0) },
            past: Vec::new(),
        };
        let reports: Vec<Report> = Counted::of(&group.rules).iter().map(report).collect();
        server.call(START, &reports, &[]);
        let view = server.views(START, &[(Group { takes: false, ..group }, 1)])[0];
        let used: Vec<u64> = view.iter().map(|verdict| verdict.used).collect();
        assert_eq!(used, [5, 7, 7, 3, 3, 7, 7, 3], "periods that are over count no more");
    }

    #[test]
    fn a_full_list_of_moments_is_cut_at_its_window() {
        let Some(mut server) = Server::of_this_run() else { return };
        let (memory, limits) = (Limits::new(), [4_000, 9_000, 10_000, 99_999, 99_999, 99_999, 99_999, 99_999]);
        let group = Group { rules: rules(limits, 1), takes: true };
        for step in 0..40 {
            let now = Millis(START.0 + step * 1_700);
            let expected: Vec<View> = (0..700).map(|_| memory.take("org", &group.rules, now)).collect();
            assert_eq!(server.views(now, &[(group.clone(), 700)]).last(), expected.last(), "step {step}");
        }
    }

    #[test]
    fn every_key_has_an_end_and_the_tag_of_its_shard() {
        let Some(mut server) = Server::of_this_run() else { return };
        let group = Group { rules: rules([5; 8], 1), takes: true };
        server.views(START, &[(group, 2)]);
        let pattern = format!("postern:{{{}}}*", server.shard);
        let keys: Vec<String> = redis::cmd("KEYS").arg(&pattern).query(&mut server.connection).unwrap();
        assert_eq!(keys.len(), 9, "{keys:?}");
        for key in keys {
            let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut server.connection).unwrap();
            assert!(left > 60_000, "{key} lives for {left} ms");
        }
    }
}
