//! The gates against an oracle that keeps every admission in a list and tries each window by hand.

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::accept::{Accept, BulkTerms, Prepared};
    use super::super::body::{BulkMode, Pacing};
    use super::super::client::ClientMacs;
    use super::super::gate_state::{GUARD_HORIZON, GuardKind, Kept, State};
    use super::super::gates::{guards_of, paced, pass, plan_of, tag_of};
    use super::super::store::Extra;
    use crate::accounts::{Caller, KeyView, Org, Standing};
    use crate::clock::{Millis, Span};
    use crate::fraud::{Action, Verdict};
    use crate::idempotency::Stored;
    use crate::ids::{BatchId, DecisionId, KeyId, MessageId, OrgId};
    use crate::limits::{Allowance, OrgWindow, Policies, Policy, Rate, ScopeKey, StampLog};
    use crate::money::Micros;
    use crate::terms::{Channel, Kind, Mode};
    use crate::wallet::{Priced, Wallet};

    const BORN: Millis = Millis(1_774_708_200_000);

    /// Small limits, so that a short walk meets all of them.
    const NUMBER: Rate = Rate::per_secs(2, 10);
    const HOUR: Rate = Rate::per_secs(4, 60);
    const PLATFORM: Rate = Rate::per_secs(5, 60);
    const DEVICE: Rate = Rate::per_secs(3, 20);
    const PLAN: Rate = Rate::per_secs(4, 15);

    fn caller(seed: i64) -> Caller {
        let (org_id, key_id) = (OrgId::new(Millis(BORN.0 + seed)), KeyId::new(BORN));
        let mut policies = Policies::plan_defaults("enterprise").unwrap();
        for (policy, rate) in [
            (Policy::OtpNumber, NUMBER),
            (Policy::OtpNumberHour, HOUR),
            (Policy::PlatformNumber, PLATFORM),
            (Policy::OtpDevice, DEVICE),
            (Policy::SmsPlan, PLAN),
        ] {
            policies.set(policy, Allowance::Rate(rate));
        }
        Caller::new(Standing {
            key: KeyView {
                id: key_id,
                org_id,
                name: String::from("k"),
                mode: Mode::Live,
                kind: "api".parse().unwrap(),
                prefix: String::new(),
                scopes: serde_json::from_str(r#"["*"]"#).unwrap(),
                rotated_from: None,
                expires_at: None,
                revoked_at: None,
                statuses: None,
                created_at: BORN,
            },
            org: Org {
                id: org_id,
                name: String::from("o"),
                plan: "enterprise".parse().unwrap(),
                status: "active".parse().unwrap(),
                subscription_status: "active".parse().unwrap(),
                kyb_status: "verified".parse().unwrap(),
                country: "GB".parse().unwrap(),
                countries: serde_json::from_str(r#"["*"]"#).unwrap(),
                locale: String::from("en"),
                protection: "standard".parse().unwrap(),
                learning_until: None,
                guarding: Default::default(),
                max_code_ttl: Span(Duration::from_secs(600)),
                next_plan: None,
                next_plan_at: None,
                created_at: BORN,
                updated_at: BORN,
            },
            policies,
            valid_until: None,
            key_scope: ScopeKey::of("k"),
            org_scope: ScopeKey::of("o"),
        })
    }

    /// One message of a random walk.
    #[derive(Debug, Clone)]
    struct Ask {
        org: usize,
        number: u8,
        device: Option<u8>,
        otp: bool,
        sms: bool,
        price: i64,
        paced: bool,
        ttl_s: u64,
        /// How far ahead it is scheduled; nought: not at all.
        ahead_ms: u64,
        after_ms: u64,
    }

    fn ask() -> impl Strategy<Value = Ask> {
        let who = (0usize..3, 0u8..3, prop::option::weighted(0.4, 0u8..2));
        let what = (prop::bool::weighted(0.7), prop::bool::weighted(0.8), 0i64..4, any::<bool>(), 1u64..40);
        let gap = prop_oneof![2 => Just(0u64), 3 => 1u64..4_000, 1 => 4_000u64..30_000];
        let ahead = prop_oneof![3 => Just(0u64), 2 => 1u64..90_000];
        (who, what, ahead, gap).prop_map(
            |((org, number, device), (otp, sms, price, paced, ttl_s), ahead_ms, after_ms)| Ask {
                org,
                number,
                device,
                otp,
                sms,
                price,
                paced,
                ttl_s,
                ahead_ms,
                after_ms,
            },
        )
    }

    fn render(_: Option<&BulkTerms>, _: &[super::super::accept::ItemOutcome]) -> Stored {
        Stored { status: 202, body: Vec::new(), location: None }
    }

    fn accept_of(caller: &Caller, ask: &Ask) -> Accept {
        let terms = BulkTerms {
            batch_id: BatchId::new(BORN),
            mode: BulkMode::Partial,
            pacing: Pacing::Plan,
            base: String::new(),
            is_step: false,
        };
        Accept {
            caller: caller.clone(),
            request_id: String::new(),
            claim: None,
            items: Vec::new(),
            bulk: ask.paced.then_some(terms),
            render,
        }
    }

    fn item_of(ask: &Ask, now: i64) -> Prepared {
        Prepared {
            chat: None,
            caps: Vec::new(),
            id: MessageId::new(BORN),
            recipient: String::new(),
            subject: vec![ask.number],
            counts_for: None,
            country: None,
            channel: if ask.sms { Channel::Sms } else { Channel::Email },
            kind: if ask.otp { Kind::Otp } else { Kind::Transactional },
            sender: None,
            content: Vec::new(),
            encoding: None,
            segments: 1,
            ttl: Duration::from_secs(ask.ttl_s),
            pair: None,
            scheduled_for: (ask.ahead_ms > 0).then(|| Millis(now).plus(Duration::from_millis(ask.ahead_ms))),
            extra: Extra::default(),
            verification_id: None,
            client: ClientMacs { device: ask.device.map(|device| vec![device]), ..ClientMacs::default() },
            price: Priced { amount: Micros(ask.price), ..Priced::FREE },
            allowance: None,
            decision_id: DecisionId::new(BORN),
            screened: Verdict { action: Action::Allow, reasons: Vec::new(), code: None },
            trial: None,
            refusal: None,
        }
    }

    /// Every admission there was.
    #[derive(Default, Clone)]
    struct Book {
        numbers: Vec<(usize, u8, i64)>,
        devices: Vec<(usize, u8, i64)>,
        plans: Vec<(usize, i64)>,
        spent: [i64; 3],
    }

    /// How full the fullest window of `rate` is that holds `at`, counting one more there.
    fn with_one_more(moments: &[i64], rate: Rate, at: i64) -> u32 {
        let window = rate.window_ms();
        let mut all = moments.to_vec();
        all.push(at);
        let starts = all.iter().filter(|start| **start <= at && at < **start + window);
        let counts = starts.map(|start| all.iter().filter(|m| (*start..*start + window).contains(*m)).count());
        u32::try_from(counts.max().unwrap_or(0)).unwrap()
    }

    fn is_open((rate, moments): &(Rate, Vec<i64>), at: i64) -> bool {
        with_one_more(moments, *rate, at) <= rate.limit
    }

    /// The first moment from `from` on at which one more fits each of `gates`. Only where a window ends can that change.
    fn opening(gates: &[(Rate, Vec<i64>)], from: i64) -> i64 {
        let ends = gates.iter().flat_map(|(rate, list)| list.iter().map(|moment| moment + rate.window_ms()));
        let mut tries: Vec<i64> = std::iter::once(from).chain(ends.filter(|end| *end > from)).collect();
        tries.sort_unstable();
        tries.into_iter().find(|at| gates.iter().all(|gate| is_open(gate, *at))).unwrap()
    }

    impl Book {
        /// The gates that count `ask`, each with its moments.
        fn gates(&self, ask: &Ask) -> Vec<(Rate, Vec<i64>)> {
            let numbers = |mine: bool| -> Vec<i64> {
                let of = self.numbers.iter().filter(|(org, n, _)| *n == ask.number && (!mine || *org == ask.org));
                of.map(|(.., at)| *at).collect()
            };
            let mut gates = Vec::new();
            if ask.otp {
                gates.extend([(NUMBER, numbers(true)), (HOUR, numbers(true)), (PLATFORM, numbers(false))]);
                if let Some(device) = ask.device {
                    let of = self.devices.iter().filter(|(org, d, _)| *d == device && *org == ask.org);
                    gates.push((DEVICE, of.map(|(.., at)| *at).collect()));
                }
            }
            gates
        }

        fn plan(&self, ask: &Ask) -> Option<Vec<i64>> {
            ask.sms.then(|| self.plans.iter().filter(|(org, _)| *org == ask.org).map(|(_, at)| *at).collect())
        }

        /// When `ask`, due at `due`, would go, and the gates it must pass then.
        fn place(&self, ask: &Ask, due: i64) -> (i64, Vec<(Rate, Vec<i64>)>) {
            let mut gates = self.gates(ask);
            let Some(plan) = self.plan(ask) else { return (due, gates) };
            let turn = opening(&[(paced(PLAN), plan.clone())], due);
            gates.push((PLAN, plan));
            let in_time = ask.paced && turn < due + i64::try_from(ask.ttl_s * 1_000).unwrap();
            (if in_time { turn } else { due }, gates)
        }

        fn note(&mut self, ask: &Ask, at: i64) {
            if ask.otp {
                self.numbers.push((ask.org, ask.number, at));
                self.devices.extend(ask.device.map(|device| (ask.org, device, at)));
            }
            if ask.sms {
                self.plans.push((ask.org, at));
            }
            self.spent[ask.org] += ask.price;
        }
    }

    /// All state that `ask` could touch, there already, as loading leaves it.
    fn furnish(state: &mut State, callers: &[Caller], ask: &Ask, item: &Prepared) {
        let caller = &callers[ask.org];
        for (key, _) in guards_of(caller, item) {
            state.guards.entry(key).or_insert_with(|| Kept::loaded(StampLog::default()));
        }
        let owner = (caller.org_id(), caller.mode());
        if let Some(rate) = plan_of(caller, item) {
            state.plans.entry(owner).or_insert_with(|| Kept::loaded(OrgWindow::open(&[], BORN, rate)));
        }
        let wallet = Wallet { balance: Micros(FUNDS), ..Wallet::fresh(owner.0, owner.1) };
        state.wallets.entry(owner).or_insert_with(|| Kept::loaded(wallet));
    }

    const FUNDS: i64 = 40;

    /// What a refusal must leave as it was.
    fn picture(state: &State) -> impl PartialEq + std::fmt::Debug + use<> {
        let guards: Vec<_> = state.guards.iter().map(|(key, kept)| (key.clone(), kept.value.clone())).collect();
        let plans: Vec<_> = state.plans.iter().map(|(key, kept)| (*key, kept.value.clone())).collect();
        let wallets: Vec<_> = state.wallets.iter().map(|(key, kept)| (*key, kept.value.clone())).collect();
        (guards, plans, wallets)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_gates_admit_exactly_what_the_oracle_admits(walk in prop::collection::vec(ask(), 1..120)) {
            let callers: Vec<Caller> = (0..3).map(caller).collect();
            let (mut state, mut book, mut now) = (State::default(), Book::default(), BORN.0);
            for ask in walk {
                now += i64::try_from(ask.after_ms).unwrap();
                let (item, accept) = (item_of(&ask, now), accept_of(&callers[ask.org], &ask));
                furnish(&mut state, &callers, &ask, &item);
                let before = picture(&state);

                let due = now + i64::try_from(ask.ahead_ms).unwrap();
                let (at, gates) = book.place(&ask, due);
                let open = gates.iter().all(|gate| is_open(gate, at));
                let funded = book.spent[ask.org] + ask.price <= FUNDS;

                match pass(&mut state, &accept, &item, Millis(now)) {
                    Ok(passed) => {
                        prop_assert!(open && funded, "{ask:?} passed: {open} {funded}");
                        prop_assert_eq!(passed.paced_to.map_or(due, |at| at.0), at);
                        book.note(&ask, at);
                    }
                    Err(denied) => {
                        prop_assert!(!(open && funded), "{ask:?} denied: {}", denied.error.code());
                        prop_assert!(picture(&state) == before, "a refusal took something");
                        if !open {
                            // The wait is until all gates are open at once, and no longer.
                            let wait = i64::try_from(denied.error.wait().unwrap().as_millis()).unwrap();
                            prop_assert_eq!(wait, opening(&gates, at) - now);
                            prop_assert_eq!(ask.ahead_ms > 0, denied.error.sentence().contains("scheduled time"));
                        }
                    }
                }
                for wallet in state.wallets.values() {
                    prop_assert!(wallet.value.held <= wallet.value.balance);
                }
            }
        }
    }

    #[test]
    fn two_organizations_have_two_tags_and_stamps_outlive_the_longest_window() {
        let callers: Vec<Caller> = (0..2).map(caller).collect();
        assert_ne!(tag_of(callers[0].org_id()), tag_of(callers[1].org_id()));
        let ask = Ask {
            org: 0,
            number: 1,
            device: None,
            otp: true,
            sms: false,
            price: 0,
            paced: false,
            ttl_s: 60,
            ahead_ms: 0,
            after_ms: 0,
        };
        let (item, accept) = (item_of(&ask, BORN.0), accept_of(&callers[0], &ask));
        let mut state = State::default();
        furnish(&mut state, &callers, &ask, &item);
        pass(&mut state, &accept, &item, BORN).ok().unwrap();
        let later = BORN.plus(GUARD_HORIZON);
        pass(&mut state, &accept, &item, Millis(later.0 - 1)).ok().unwrap();
        let log = &state.guards[&(GuardKind::Otp, Mode::Live, vec![1])].value;
        assert_eq!(log.len(), 2);
        pass(&mut state, &accept, &item, later).ok().unwrap();
        assert_eq!(
            state.guards[&(GuardKind::Otp, Mode::Live, vec![1])].value.len(),
            2,
            "what decides nothing is forgotten"
        );
    }
}
