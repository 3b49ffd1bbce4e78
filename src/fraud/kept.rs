//! What a decision keeps of the engine's verdict: the attempt, what was seen, and what was said, compact; enough to say
//! it again with the rules of its version.

use serde::{Deserialize, Serialize};

use super::book::RuleSet;
use super::engine::{Features, GroupSeen, HoldSeen, Key, Level, Named, NamedSeen, Node, Plan, Seen, Verdict, weigh};
use super::screen::Action;
use crate::accounts::Protection;
use crate::clock::Millis;
use crate::limits::Rate;
use crate::money::Micros;
use crate::phone::Country;
use crate::terms::Channel;

/// The verdict of the engine, as a decision stores it. About 300 bytes; letters, because there is one a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Version of the rules.
    #[serde(rename = "v", default, skip_serializing_if = "is_default")]
    pub version: i64,
    /// The level.
    #[serde(rename = "l")]
    pub level: Protection,
    /// Whether the engine only watched.
    #[serde(rename = "t", default, skip_serializing_if = "is_default")]
    pub is_learning: bool,
    /// What the rules that act said.
    #[serde(rename = "a")]
    pub action: Action,
    /// What all rules would have said.
    #[serde(rename = "z")]
    pub shadow: Action,
    /// The highest score, log-odds in thousandths.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i32>,
    #[serde(rename = "o")]
    org: Key,
    #[serde(rename = "k")]
    credential: Key,
    #[serde(rename = "n")]
    number: Key,
    #[serde(rename = "d")]
    digits: u64,
    #[serde(rename = "i")]
    country: Country,
    #[serde(rename = "p", default, skip_serializing_if = "is_default")]
    price: i64,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    network: Option<Key>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    device: Option<Key>,
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    named: Vec<(Key, String)>,
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    reports: bool,
    #[serde(rename = "s")]
    seen: KeptSeen,
}

/// [`Seen`] without what the attempt itself says: the groups' nodes are found by their level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptSeen {
    #[serde(rename = "v", default, skip_serializing_if = "is_default")]
    proven: bool,
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    unanswered: u32,
    #[serde(rename = "t", default, skip_serializing_if = "is_default")]
    unanswered_until: i64,
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    named: Option<NamedSeen>,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    hold: Option<KeptHold>,
    #[serde(rename = "e", default, skip_serializing_if = "is_default")]
    explores: bool,
    #[serde(rename = "p", default, skip_serializing_if = "is_default")]
    price: i32,
    #[serde(rename = "w", default, skip_serializing_if = "is_default")]
    network: i32,
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<KeptGroup>,
}

/// Level, begun, verified, recent, credit, conversion, sequence, volume, held.
type KeptGroup = (u8, u32, u32, u32, u16, i32, i32, i32, u32);

/// Level, until, and the hold that follows: until, before, waiting.
type KeptHold = (u8, Option<i64>, Option<(i64, u32, u32)>);

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn place(level: Level) -> u8 {
    Level::ALL.iter().position(|other| *other == level).and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)
}

impl Kept {
    /// What is kept of `verdict` on `features` under `set`.
    pub fn of(features: &Features, verdict: &Verdict, set: &RuleSet) -> Kept {
        Kept {
            version: set.version,
            level: set.level,
            is_learning: set.is_learning,
            action: verdict.action,
            shadow: verdict.shadow,
            score: verdict.score,
            org: features.org,
            credential: features.credential,
            number: features.number,
            digits: features.digits,
            country: features.country,
            price: features.price.0,
            network: features.network,
            device: features.device,
            named: features.named.iter().map(|named| (named.key, named.rate.to_string())).collect(),
            reports: features.reports,
            seen: KeptSeen::of(&verdict.seen),
        }
    }

    /// The attempt.
    pub fn features(&self) -> Features {
        let rate = |(key, rate): &(Key, String)| Some(Named { key: *key, rate: rate.parse::<Rate>().ok()? });
        Features {
            org: self.org,
            credential: self.credential,
            number: self.number,
            digits: self.digits,
            country: self.country,
            channel: Channel::Sms,
            price: Micros(self.price),
            network: self.network,
            device: self.device,
            named: self.named.iter().filter_map(rate).collect(),
            proven_at: None,
            reports: self.reports,
        }
    }

    /// What was seen, whole.
    pub fn seen(&self) -> Seen {
        let nodes: Vec<Node> = self.features().origin().nodes().collect();
        let node = |level: u8| nodes.iter().find(|node| place(node.level) == level).copied();
        let kept = &self.seen;
        Seen {
            proven: kept.proven,
            unanswered: kept.unanswered,
            unanswered_until: Millis(kept.unanswered_until),
            named: kept.named,
            hold: kept.hold.and_then(|(level, until, again)| {
                let node = node(level)?;
                let again = again.map(|(until, before, waiting)| Plan { node, until: Millis(until), before, waiting });
                Some(HoldSeen { node, until: until.map(Millis), again })
            }),
            explores: kept.explores,
            price: kept.price,
            network: kept.network,
            groups: kept.groups.iter().filter_map(|group| Some(seen_group(node(group.0)?, group))).collect(),
        }
    }

    /// The verdict again, from what was seen, at the moment it was given and by the rules of its version.
    pub fn again(&self, set: &RuleSet, at: Millis) -> Verdict {
        weigh(self.seen(), &set.rules, at)
    }
}

impl KeptSeen {
    fn of(seen: &Seen) -> KeptSeen {
        let again = |plan: Plan| (plan.until.0, plan.before, plan.waiting);
        KeptSeen {
            proven: seen.proven,
            unanswered: seen.unanswered,
            unanswered_until: seen.unanswered_until.0,
            named: seen.named,
            hold: seen.hold.map(|hold| (place(hold.node.level), hold.until.map(|at| at.0), hold.again.map(again))),
            explores: seen.explores,
            price: seen.price,
            network: seen.network,
            groups: seen.groups.iter().map(kept_group).collect(),
        }
    }
}

fn kept_group(seen: &GroupSeen) -> KeptGroup {
    let GroupSeen { node, begun, verified, recent, credit, conversion, sequence, volume, held } = *seen;
    (place(node.level), begun, verified, recent, credit, conversion, sequence, volume, held)
}

fn seen_group(node: Node, kept: &KeptGroup) -> GroupSeen {
    let (_, begun, verified, recent, credit, conversion, sequence, volume, held) = *kept;
    GroupSeen { node, begun, verified, recent, credit, conversion, sequence, volume, held }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::engine::{Event, Room, Rules, State, decide};

    const START: Millis = Millis(1_790_000_000_000);

    fn attempt(at: u64) -> Features {
        Features {
            org: Key(1),
            credential: Key(2),
            number: Key(at),
            digits: 37_120_123_000 + at,
            country: "LV".parse().unwrap(),
            channel: Channel::Sms,
            price: Micros(70_000),
            network: Some(Key(7)),
            device: None,
            named: vec![Named { key: Key(9), rate: "500/1h".parse().unwrap() }],
            proven_at: None,
            reports: true,
        }
    }

    /// A burst along one range: every decision of it, those that hold and those that are held, says the same again.
    #[test]
    fn a_kept_verdict_says_the_same_again() {
        let set = RuleSet::of(&Rules::built_in(), 0, Protection::Standard, false);
        let mut state = State::new(1, Room::default());
        let mut actions = std::collections::BTreeSet::new();
        for second in 0..300 {
            let (now, features) = (Millis(START.0 + second * 4_000), attempt(second as u64));
            let verdict = decide(&state, &features, &set.rules, now);
            let text = serde_json::to_string(&Kept::of(&features, &verdict, &set)).unwrap();
            let kept: Kept = serde_json::from_str(&text).unwrap();
            assert!(text.len() < 600, "{text}");
            assert_eq!(kept.again(&set, now), verdict);
            assert_eq!(kept.features(), features);
            actions.insert(verdict.action.as_str());
            if let Some(event) = verdict.follows(&features) {
                state.observe(&event, &set.rules, now);
            }
            if verdict.action == Action::Allow {
                state.observe(&Event::Accepted(Box::new(features), verdict.probe), &set.rules, now);
            }
        }
        assert!(actions.len() > 1, "{actions:?}");
    }
}
