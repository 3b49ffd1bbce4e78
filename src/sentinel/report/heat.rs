//! Countries and prefixes: how many codes went there, how many were typed, what that cost, and how far that is from what
//! is usual.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::FraudSpan;
use super::past::Past;
use crate::clock::Millis;
use crate::fraud::engine::{Features, Node};
use crate::money::Micros;
use crate::phone::Country;

/// Rows that are shown.
const ROWS: usize = 500;
/// Fewer codes say nothing of a prefix.
const ENOUGH: u32 = 5;

/// A country's numbers of one prefix.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HeatRow {
    /// The country.
    #[schema(value_type = String, example = "LV")]
    pub country: Country,
    /// The digits before the last six.
    #[schema(example = "+37120")]
    pub prefix: String,
    /// Codes sent.
    pub sent: u32,
    /// Attempts that the engine refused.
    pub refused: u32,
    /// Codes whose fate is known: typed, or sent ten minutes ago.
    pub ripe: u32,
    /// Of these, typed.
    pub verified: u32,
    /// The share of these, 0 to 1 with four places; null without any.
    #[schema(example = 0.0213)]
    pub conversion: Option<f64>,
    /// What the engine has learned to be usual there for the organizations that sent, 0 to 1; null where nothing is.
    #[schema(example = 0.8713)]
    pub usual: Option<f64>,
    /// What the codes cost, decimal, in the wallets' currency.
    #[schema(example = "12.60")]
    pub cost: String,
    /// By how many standard deviations the typed codes are off what is usual: far below zero is what pumping looks like.
    /// Null for fewer than five codes or where nothing is usual yet.
    #[schema(example = -7.2)]
    pub z_score: Option<f64>,
}

/// The map.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HeatList {
    /// From when to when.
    #[serde(flatten)]
    pub span: FraudSpan,
    /// The rows, the lowest z-score first, then by most codes; at most 500.
    pub data: Vec<HeatRow>,
}

/// Sums of a row.
#[derive(Default)]
struct Sums {
    sent: u32,
    refused: u32,
    ripe: u32,
    verified: u32,
    cost: i64,
    // Of the ripe ones for which something is usual: how many, how many were typed, expected, variance.
    known: u32,
    known_typed: u32,
    expected: f64,
    variance: f64,
}

/// The digits before the last six, as reports name them.
pub(super) fn prefix_of(features: &Features) -> String {
    format!("+{}", features.digits / 1_000_000)
}

/// The map of `past`; `usual` is what the engine has learned for a country of an organization.
pub(super) fn heat(past: &Past, usual: impl Fn(&Node) -> Option<f64>, now: Millis) -> HeatList {
    let mut shares: BTreeMap<Node, Option<f64>> = BTreeMap::new();
    let mut rows: BTreeMap<(Country, String), Sums> = BTreeMap::new();
    for one in &past.sent {
        let row = rows.entry((one.features.country, prefix_of(&one.features))).or_default();
        row.sent += 1;
        row.cost = row.cost.saturating_add(one.features.price.0);
        if !one.is_ripe(now) {
            continue;
        }
        row.ripe += 1;
        row.verified += u32::from(one.typed);
        let node = one.features.origin().country();
        if let Some(share) = *shares.entry(node).or_insert_with(|| usual(&node)) {
            row.known += 1;
            row.known_typed += u32::from(one.typed);
            row.expected += share;
            row.variance += share * (1.0 - share);
        }
    }
    for one in &past.refused {
        rows.entry((one.features.country, prefix_of(&one.features))).or_default().refused += 1;
    }
    let mut data: Vec<HeatRow> = rows.into_iter().map(|(of, sums)| sums.row(of)).collect();
    data.sort_by(|one, other| {
        let z = |row: &HeatRow| row.z_score.unwrap_or(0.0).min(0.0);
        z(one).total_cmp(&z(other)).then((other.refused + other.sent).cmp(&(one.refused + one.sent)))
    });
    data.truncate(ROWS);
    HeatList { span: past.span(now), data }
}

fn places(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}

impl Sums {
    fn row(self, (country, prefix): (Country, String)) -> HeatRow {
        let known = f64::from(self.known);
        let deviation = self.variance.sqrt();
        let is_enough = self.known >= ENOUGH && deviation > 0.0;
        HeatRow {
            country,
            prefix,
            sent: self.sent,
            refused: self.refused,
            ripe: self.ripe,
            verified: self.verified,
            conversion: (self.ripe > 0).then(|| places(f64::from(self.verified) / f64::from(self.ripe), 10_000.0)),
            usual: (self.known > 0).then(|| places(self.expected / known, 10_000.0)),
            cost: Micros(self.cost).to_string(),
            z_score: is_enough.then(|| places((f64::from(self.known_typed) - self.expected) / deviation, 100.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fraud::engine::Key;
    use crate::sentinel::report::past::{RefusedOne, SentOne};
    use crate::terms::Channel;

    const NOW: Millis = Millis(1_790_000_000_000);

    fn to(digits: u64) -> Features {
        Features {
            org: Key(1),
            credential: Key(2),
            number: Key(digits),
            digits,
            country: "LV".parse().unwrap(),
            channel: Channel::Sms,
            price: Micros(70_000),
            network: None,
            device: None,
            named: Vec::new(),
            proven_at: None,
            reports: true,
        }
    }

    fn sent(digits: u64, typed: bool, minutes: u64) -> SentOne {
        let at = NOW.minus(Duration::from_secs(minutes * 60));
        SentOne { at, features: to(digits), reasons: Vec::new(), typed }
    }

    #[test]
    fn a_prefix_whose_codes_nobody_types_is_far_below_what_is_usual() {
        let pumped = (0..20).map(|n| sent(37_120_123_000 + n, false, 30));
        let honest = (0..20).map(|n| sent(37_129_900_000 + n, n % 5 != 0, 30));
        let young = (0..9).map(|n| sent(37_129_910_000 + n, false, 2));
        let refused = vec![RefusedOne { at: NOW, features: to(37_120_123_099), reasons: Vec::new() }];
        let past = Past { since: NOW, cut_at: None, sent: pumped.chain(honest).chain(young).collect(), refused };
        let heat = heat(&past, |_| Some(0.8), NOW);
        let [first, second] = heat.data.as_slice() else { panic!("{:?}", heat.data) };
        assert_eq!((first.prefix.as_str(), first.sent, first.refused, first.verified), ("+37120", 20, 1, 0));
        // (0 - 16) / sqrt(20 * 0.8 * 0.2) = -8.94
        assert_eq!((first.z_score, first.conversion, first.cost.as_str()), (Some(-8.94), Some(0.0), "1.40"));
        assert_eq!((second.sent, second.ripe, second.conversion, second.z_score), (29, 20, Some(0.8), Some(0.0)));
    }

    #[test]
    fn nothing_is_said_where_nothing_is_usual_or_too_few_were_sent() {
        let past = |n| Past { sent: (0..n).map(|n| sent(37_120_123_000 + n, false, 30)).collect(), ..Past::default() };
        assert_eq!(heat(&past(4), |_| Some(0.8), NOW).data[0].z_score, None);
        let unknown = heat(&past(9), |_| None, NOW);
        assert_eq!((unknown.data[0].z_score, unknown.data[0].usual), (None, None));
    }
}
