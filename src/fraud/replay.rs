//! Replay: recorded attempts judged anew under a changed rule set, beside the rules that are.
//!
//! A record is one line of JSON: an attempt and what came of it. What was refused at the time has no outcome; what the new
//! rules let through besides then counts as never verified, which understates their good. Two engines with one seed see the
//! same records in the order of their time; the report's hash is the same wherever and whenever it is made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::engine::{Event, Features, Key, Named, Node, Room, Rules, State, Verdict, decide};
use super::kept::Kept;
use super::screen::Action;
use crate::clock::Millis;
use crate::limits::Rate;
use crate::money::Micros;
use crate::phone::Phone;
use crate::secret::{hex, sha256};
use crate::terms::Channel;

/// One recorded attempt with its outcome, as a line of JSONL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When it was asked for, RFC 3339.
    pub at: Millis,
    /// The number in E.164.
    pub to: String,
    /// The organization; one where none is named.
    #[serde(default)]
    pub org: String,
    /// The API key.
    #[serde(default)]
    pub credential: String,
    /// The channel; SMS where none is named.
    #[serde(default = "sms")]
    pub channel: Channel,
    /// The price in micros of the wallet's currency.
    #[serde(default)]
    pub price: i64,
    /// The end user's address.
    #[serde(default)]
    pub ip: Option<std::net::IpAddr>,
    /// The end user's device.
    #[serde(default)]
    pub device: Option<String>,
    /// Keys that the caller named, each with its rate: `{"account:42": "3/5m"}`.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// When the number last verified before, RFC 3339.
    #[serde(default)]
    pub proven_at: Option<Millis>,
    /// Whether a verification would have been reported.
    #[serde(default = "yes")]
    pub reports: bool,
    /// Seconds until the code was typed; none where it never was.
    #[serde(default)]
    pub verified_after_s: Option<f64>,
    /// What the carrier reported, where it did.
    #[serde(default)]
    pub delivered: Option<bool>,
}

fn sms() -> Channel {
    Channel::Sms
}

fn yes() -> bool {
    true
}

/// A line that is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no record: {fault}")]
pub struct NotARecord {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: String,
}

/// A record as the engine sees it.
#[derive(Debug, Clone)]
pub struct Recorded {
    at: Millis,
    features: Features,
    verified_after: Option<f64>,
    delivered: Option<bool>,
}

impl Recorded {
    /// An attempt as its decision kept it, and what came of it: seconds until the code was typed, what the carrier said.
    pub fn kept(at: Millis, kept: &Kept, verified_after: Option<f64>, delivered: Option<bool>) -> Recorded {
        let mut features = kept.features();
        // That the number was proven is kept, when is not.
        features.proven_at = kept.seen().proven.then(|| at.minus(Duration::from_secs(86_400)));
        Recorded { at, features, verified_after, delivered }
    }
}

/// The network that an address stands for: its /24, or its /48.
pub fn network_of(ip: std::net::IpAddr) -> Key {
    let text = match ip {
        std::net::IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        std::net::IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return network_of(std::net::IpAddr::V4(v4));
            }
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    };
    Key::of(&text)
}

impl Record {
    /// Reads one line.
    pub fn read(text: &str, line: usize) -> Result<Recorded, NotARecord> {
        let wrong = |fault: String| NotARecord { line, fault };
        let record: Record = serde_json::from_str(text).map_err(|fault| wrong(fault.to_string()))?;
        let phone = Phone::parse(&record.to, None).map_err(|fault| wrong(format!("to {fault}")))?;
        let digits =
            phone.e164().trim_start_matches('+').parse().map_err(|_| wrong(String::from("to has no digits")))?;
        let named = |(name, rate): (&String, &String)| {
            let rate: Rate = rate.parse().map_err(|fault| wrong(format!("keys: {fault}")))?;
            Ok(Named { key: Key::of(&format!("{}\n{name}", record.org)), rate })
        };
        let features = Features {
            org: Key::of(&record.org),
            credential: Key::of(&record.credential),
            number: Key::of(phone.e164()),
            digits,
            country: phone.country(),
            channel: record.channel,
            price: Micros(record.price),
            network: record.ip.map(network_of),
            device: record.device.as_deref().map(Key::of),
            named: record.keys.iter().map(named).collect::<Result<_, _>>()?,
            proven_at: record.proven_at,
            reports: record.reports,
        };
        let (verified_after, delivered) = (record.verified_after_s, record.delivered);
        Ok(Recorded { at: record.at, features, verified_after, delivered })
    }
}

/// What one rule does in the replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RuleReplayed {
    /// Attempts that it stopped under the rules that are.
    pub before: u64,
    /// And under the new ones.
    pub after: u64,
    /// Of the latter, those whose number verified in truth.
    pub verified_lost: u64,
}

/// What a changed rule set would have done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReplayReport {
    /// Attempts replayed.
    pub attempts: u64,
    /// Stopped by the rules that are.
    pub stopped_before: u64,
    /// Stopped by the new ones.
    pub stopped_after: u64,
    /// Stopped by the new ones only.
    pub added: u64,
    /// Stopped by the old ones only.
    pub removed: u64,
    /// Money not spent on what the new ones stop and nobody typed, less what the old ones stop: a decimal text.
    pub money_saved: String,
    /// Verified users that the new ones stop and the old ones do not.
    pub verified_users_lost: u64,
    /// And the other way round.
    pub verified_users_won: u64,
    /// By rule: each that gave a reason counts.
    pub rules: BTreeMap<String, RuleReplayed>,
    /// SHA-256 of the lines above as canonical JSON, in hex.
    pub hash: String,
}

/// One engine in a replay.
struct Side {
    rules: Rules,
    state: State,
    // What is still to be learned: time, record, and whether it is the receipt.
    to_come: BinaryHeap<Reverse<(Millis, usize, bool)>>,
}

/// Seconds until a carrier's report is learned of.
const RECEIPT_MS: i64 = 5_000;

impl Side {
    fn new(rules: Rules, seed: u64) -> Side {
        Side { rules, state: State::new(seed, Room::default()), to_come: BinaryHeap::new() }
    }

    fn learn(&mut self, records: &[Recorded], until: Millis) {
        while let Some(Reverse((at, index, receipt))) = self.to_come.peek().copied() {
            if at > until {
                return;
            }
            self.to_come.pop();
            let Some(record) = records.get(index) else { continue };
            let (org, number) = (record.features.org, record.features.number);
            let event = match record.delivered {
                Some(delivered) if receipt => Event::Receipt { org, number, delivered },
                _ => Event::Verified { org, number },
            };
            self.state.observe(&event, &self.rules, at);
        }
    }

    fn judge(&mut self, records: &[Recorded], index: usize, record: &Recorded) -> Verdict {
        self.learn(records, record.at);
        let verdict = decide(&self.state, &record.features, &self.rules, record.at);
        if let Some(event) = verdict.follows(&record.features) {
            self.state.observe(&event, &self.rules, record.at);
        }
        if verdict.action == Action::Allow {
            let probe: Option<Node> = verdict.probe;
            let event = Event::Accepted(Box::new(record.features.clone()), probe);
            self.state.observe(&event, &self.rules, record.at);
            if record.delivered.is_some() {
                self.to_come.push(Reverse((Millis(record.at.0 + RECEIPT_MS), index, true)));
            }
            if let Some(seconds) = record.verified_after {
                let at = Millis(record.at.0.saturating_add((seconds.max(0.0) * 1e3) as i64));
                self.to_come.push(Reverse((at, index, false)));
            }
        }
        verdict
    }
}

/// Replays records under the rules that are and under changed ones. The same records, rules and seed give the same report.
pub fn replay(mut records: Vec<Recorded>, before: &Rules, after: &Rules, seed: u64) -> ReplayReport {
    records.sort_by_key(|record| record.at);
    let (mut old, mut new) = (Side::new(before.clone(), seed), Side::new(after.clone(), seed));
    let mut report = ReplayReport::default();
    let mut saved = 0i64;
    for (index, record) in records.iter().enumerate() {
        let (was, is) = (old.judge(&records, index, record), new.judge(&records, index, record));
        saved = saved.saturating_add(report.count(record, &was, &is));
    }
    report.money_saved = Micros(saved).to_string();
    report.hash = report.hashed();
    report
}

impl ReplayReport {
    /// Counts one attempt; what it saves, in micros.
    fn count(&mut self, record: &Recorded, was: &Verdict, is: &Verdict) -> i64 {
        let (stopped, stops) = (was.action != Action::Allow, is.action != Action::Allow);
        let verified = record.verified_after.is_some();
        self.attempts += 1;
        self.stopped_before += u64::from(stopped);
        self.stopped_after += u64::from(stops);
        self.added += u64::from(stops && !stopped);
        self.removed += u64::from(stopped && !stops);
        self.verified_users_lost += u64::from(verified && stops && !stopped);
        self.verified_users_won += u64::from(verified && stopped && !stops);
        let acting = |verdict: &Verdict| verdict.action != Action::Allow;
        for reason in was.reasons.iter().filter(|reason| acting(was) && reason.mode == "enforce") {
            self.rules.entry(reason.rule.clone()).or_default().before += 1;
        }
        for reason in is.reasons.iter().filter(|reason| acting(is) && reason.mode == "enforce") {
            let own = self.rules.entry(reason.rule.clone()).or_default();
            own.after += 1;
            own.verified_lost += u64::from(verified);
        }
        if verified { 0 } else { (i64::from(stops) - i64::from(stopped)) * record.features.price.0 }
    }

    fn hashed(&self) -> String {
        let bare = ReplayReport { hash: String::new(), ..self.clone() };
        // Fields in the order of the type, rules in the order of their names: one text for one report.
        let text = serde_json::to_string(&bare).unwrap_or_default();
        hex(&sha256(text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Protection;

    fn line(second: i64, to: u64, verified: bool) -> String {
        let at = Millis(1_790_000_000_000 + second * 1_000).rfc3339();
        let after = if verified { "20" } else { "null" };
        format!("{{\"at\":\"{at}\",\"to\":\"+{to}\",\"price\":70000,\"verified_after_s\":{after}}}")
    }

    fn trace() -> Vec<Recorded> {
        let honest = (0..200).map(|i| line(i * 60, 447_400_000_000 + (i as u64 * 611_953) % 900_000, i % 5 != 0));
        let attack = (0..300).map(|i| line(12_100 + i, 37_120_123_000 + i as u64, false));
        honest.chain(attack).enumerate().map(|(at, text)| Record::read(&text, at + 1).unwrap()).collect()
    }

    #[test]
    fn a_changed_rule_set_shows_what_it_would_have_saved_and_whom_it_would_have_lost() {
        let (off, standard) = (Rules::of(Protection::Off), Rules::of(Protection::Standard));
        let report = replay(trace(), &off, &standard, 7);
        assert_eq!((report.attempts, report.stopped_before, report.removed), (500, 0, 0));
        assert!(report.added > 270, "{report:?}");
        assert_eq!(report.verified_users_lost, 0);
        assert!(report.rules.contains_key("prefix.hold"));
        assert_eq!(report.money_saved, Micros(70_000 * report.added as i64).to_string());
    }

    #[test]
    fn the_same_seed_gives_the_same_hash_and_other_rules_another() {
        let (monitor, standard) = (Rules::of(Protection::Monitor), Rules::of(Protection::Standard));
        let first = replay(trace(), &monitor, &standard, 7);
        assert_eq!(first, replay(trace(), &monitor, &standard, 7));
        assert_ne!(first.hash, replay(trace(), &monitor, &monitor, 7).hash);
    }

    #[test]
    fn a_line_that_is_no_record_is_named() {
        let fault = Record::read("{\"at\":\"2026-01-01T00:00:00Z\",\"to\":\"+1\"}", 3).unwrap_err();
        assert!(fault.to_string().starts_with("line 3 is no record: to is not a phone number"), "{fault}");
        assert!(Record::read("{\"at\":\"2026-01-01T00:00:00Z\",\"to\":\"+447400123456\",\"x\":1}", 1).is_err());
    }
}
