//! One call of the script: what is asked, as keys and arguments, and the answer read back.

use std::collections::HashMap;
use std::fmt::Write as _;

use redis::{Script, ScriptInvocation};

use super::group::{Count, Counted, Decided};
use crate::clock::Millis;
use crate::limits::scope::{Known, Slot};
use crate::limits::{Rate, Shape};

/// The script's text; its rules are those of `limits::shard`, and a test compares both.
const SCRIPT: &str = include_str!("script.lua");

/// The script, ready to be called by its hash.
pub(super) fn script() -> Script {
    Script::new(SCRIPT)
}

/// What a node has counted and the server has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    /// Where.
    pub slot: Slot,
    /// What the slot is held to.
    pub rate: Rate,
    /// How many.
    pub count: u64,
    /// The end of the period they were counted in, where it is one.
    pub until: Millis,
    /// What to put where the server's counters are gone: age in milliseconds, count.
    pub past: Vec<(u64, u32)>,
}

/// Requests that are decided together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    /// How many want to pass.
    pub requests: u64,
    /// What they must pass.
    pub rules: Vec<Counted>,
    /// What this node knows of each rule: the least that is used.
    pub least: Vec<Known>,
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// What became of each `Ask`, in order.
    Decided(Vec<Decided>),
    /// Counters that this node knows of are gone: it must report their past, and ask again.
    Forgotten,
}

/// A call as the script takes it.
#[derive(Debug, Default)]
struct Words {
    keys: Vec<String>,
    places: HashMap<(Slot, i64), usize>,
    args: Vec<String>,
}

impl Words {
    fn counted(&mut self, shard: &str, slot: Slot, rate: Rate) {
        let (mark, apart) = match slot.shape {
            // Each window of a list keeps what it needs itself, so that two windows at once cannot cut each other short.
            Shape::Ring => ("r", rate.window_ms()),
            Shape::Calendar => ("c", 0),
            Shape::UtcDay => ("d", 0),
            Shape::Bucketed => ("w", 0),
        };
        let next = self.keys.len() + 1;
        let place = *self.places.entry((slot, apart)).or_insert(next);
        if place == next {
            self.keys.push(format!("postern:{{{shard}}}:{}:{mark}{apart}:{:032x}", slot.policy, slot.scope.0));
        }
        self.word(place);
        self.args.push(mark.to_owned());
        self.word(rate.limit);
        self.word(rate.window_ms());
    }

    fn word(&mut self, value: impl ToString) {
        self.args.push(value.to_string());
    }
}

/// The call that brings `reports` and asks `asks`, of one shard. `now` is set where the clock is set by hand.
pub(super) fn invocation<'s>(
    script: &'s Script,
    shard: &str,
    now: Option<Millis>,
    (reports, asks): (&[Report], &[Ask]),
) -> ScriptInvocation<'s> {
    let mut words = Words { keys: vec![format!("postern:{{{shard}}}")], ..Words::default() };
    words.args.push(now.map(|now| now.0.to_string()).unwrap_or_default());
    words.word(reports.len());
    for report in reports {
        words.counted(shard, report.slot, report.rate);
        words.word(report.count);
        words.word(report.until.0);
        words.args.push(past_text(&report.past));
    }
    words.word(asks.len());
    for ask in asks {
        words.word(ask.requests);
        words.word(ask.rules.len());
        for (counted, least) in ask.rules.iter().zip(&ask.least) {
            words.counted(shard, counted.slot, counted.rate);
            words.word(least.used);
            words.word(least.until.0);
        }
    }
    let mut call = script.prepare_invoke();
    call.key(words.keys).arg(words.args);
    call
}

fn past_text(past: &[(u64, u32)]) -> String {
    past.iter().fold(String::new(), |mut text, (age, count)| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{age}:{count} ");
        text
    })
}

/// Reads the answer to `asks`; `None` where it is none.
pub(super) fn read_answer(said: &[i64], asks: &[Ask]) -> Option<Answer> {
    let mut said = said.iter().copied();
    let now = said.next()?;
    if now < 0 {
        return Some(Answer::Forgotten);
    }
    let (now, by) = (Millis(now), Millis(said.next()?));
    let mut decided = Vec::with_capacity(asks.len());
    for ask in asks {
        let admitted = u64::try_from(said.next()?).ok()?;
        let mut counts = Vec::with_capacity(ask.rules.len());
        for _ in &ask.rules {
            let used = u64::try_from(said.next()?).ok()?;
            counts.push(Count { used, changes: Millis(said.next()?) });
        }
        decided.push(Decided { now, by, admitted, counts });
    }
    said.next().is_none().then_some(Answer::Decided(decided))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Policy, Rule, ScopeKey};

    fn ask(requests: u64) -> Ask {
        let rule = |policy, limit, seconds| Rule::new(policy, ScopeKey(7), Rate::per_secs(limit, seconds).into());
        let rules = [rule(Policy::KeyBurstShort, 5, 1), rule(Policy::KeyMinute, 60, 60)];
        Ask { requests, rules: Counted::of(&rules), least: vec![Known { used: 12, until: Millis(60_000) }; 2] }
    }

    #[test]
    fn every_key_of_a_shard_has_its_hash_tag_and_is_named_once() {
        let mut words = Words { keys: vec![String::from("own")], ..Words::default() };
        for counted in ask(1).rules.iter().chain(&ask(1).rules) {
            words.counted("org_1", counted.slot, counted.rate);
        }
        let scope = format!("{:032x}", 7);
        let first = format!("postern:{{org_1}}:key.burst.short:r1000:{scope}");
        assert_eq!(words.keys, ["own".to_owned(), first, format!("postern:{{org_1}}:key.minute:c0:{scope}")]);
        assert_eq!(words.args, ["2", "r", "5", "1000", "3", "c", "60", "60000"].repeat(2));
    }

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let asks = [ask(3)];
        let said = [1_000, 1_001, 2, 3, 1_400, 0, 60_000];
        let counts = [(3, 1_400), (0, 60_000)].map(|(used, at)| Count { used, changes: Millis(at) }).to_vec();
        let decided = Decided { now: Millis(1_000), by: Millis(1_001), admitted: 2, counts };
        assert_eq!(read_answer(&said, &asks), Some(Answer::Decided(vec![decided])));
        assert_eq!(read_answer(&said[..6], &asks), None);
        assert_eq!(read_answer(&[said.as_slice(), &[1]].concat(), &asks), None);
        assert_eq!(read_answer(&[-1], &asks), Some(Answer::Forgotten));
    }
}
