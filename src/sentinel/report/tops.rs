//! Who asked for most codes: numbers, networks, devices, prefixes.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::FraudSpan;
use super::heat::prefix_of;
use super::past::Past;
use crate::clock::Millis;
use crate::fraud::engine::Features;
use crate::money::Micros;
use crate::phone::{Country, mask};

/// Rows that are shown.
const ROWS: usize = 50;

crate::text_enum! {
    /// What attempts are counted by.
    pub enum TopBy {
        /// The number, masked.
        Number = "number",
        /// The end user's network (/24, or /48), as a keyed hash: addresses are not kept.
        Ip = "ip",
        /// The end user's device, as a keyed hash.
        Device = "device",
        /// The digits before the last six.
        Prefix = "prefix",
    }
}

/// One of those who asked most.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TopRow {
    /// The masked number, the prefix, or the hash that decisions show of a network or a device.
    #[schema(example = "+371••••••456")]
    pub subject: String,
    /// The country of its last attempt.
    #[schema(value_type = String, example = "LV")]
    pub country: Country,
    /// Attempts: codes sent and refusals of the engine.
    pub attempts: u32,
    /// Of these, refused.
    pub refused: u32,
    /// Codes typed.
    pub verified: u32,
    /// Different numbers.
    pub numbers: usize,
    /// What the sent codes cost, decimal, in the wallets' currency.
    #[schema(example = "1.40")]
    pub cost: String,
    /// The last attempt.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Millis,
}

/// Who asked most.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TopList {
    /// From when to when.
    #[serde(flatten)]
    pub span: FraudSpan,
    /// By what they are counted.
    pub by: TopBy,
    /// Those of most attempts without a typed code first; at most fifty.
    pub data: Vec<TopRow>,
}

struct Sums {
    features: Features,
    last_at: Millis,
    attempts: u32,
    refused: u32,
    verified: u32,
    numbers: std::collections::BTreeSet<u64>,
    cost: i64,
}

/// What an attempt is counted under: two numbers are told apart although they look alike when masked.
fn subject(features: &Features, by: TopBy) -> Option<u64> {
    match by {
        TopBy::Number => Some(features.digits),
        TopBy::Ip => features.network.map(|key| key.0),
        TopBy::Device => features.device.map(|key| key.0),
        TopBy::Prefix => Some(features.digits / 1_000_000),
    }
}

fn shown(subject: u64, features: &Features, by: TopBy) -> String {
    match by {
        TopBy::Number => mask(&format!("+{}", features.digits)),
        TopBy::Prefix => prefix_of(features),
        TopBy::Ip | TopBy::Device => format!("{subject:016x}"),
    }
}

/// The top list of `past`.
pub(super) fn tops(past: &Past, by: TopBy, now: Millis) -> TopList {
    let mut all: BTreeMap<u64, Sums> = BTreeMap::new();
    let sent = past.sent.iter().map(|one| (&one.features, one.at, false, one.typed));
    let refused = past.refused.iter().map(|one| (&one.features, one.at, true, false));
    for (features, at, is_refused, typed) in sent.chain(refused) {
        let Some(key) = subject(features, by) else { continue };
        let sums = all.entry(key).or_insert_with(|| Sums {
            features: features.clone(),
            last_at: at,
            attempts: 0,
            refused: 0,
            verified: 0,
            numbers: std::collections::BTreeSet::new(),
            cost: 0,
        });
        sums.last_at = sums.last_at.max(at);
        sums.attempts += 1;
        sums.refused += u32::from(is_refused);
        sums.verified += u32::from(typed);
        sums.numbers.insert(features.digits);
        if !is_refused {
            sums.cost = sums.cost.saturating_add(features.price.0);
        }
    }
    let mut all: Vec<(u64, Sums)> = all.into_iter().collect();
    all.sort_by_key(|(key, sums)| (std::cmp::Reverse((sums.attempts - sums.verified, sums.attempts)), *key));
    all.truncate(ROWS);
    let row = |(key, sums): (u64, Sums)| TopRow {
        subject: shown(key, &sums.features, by),
        country: sums.features.country,
        attempts: sums.attempts,
        refused: sums.refused,
        verified: sums.verified,
        numbers: sums.numbers.len(),
        cost: Micros(sums.cost).to_string(),
        last_at: sums.last_at,
    };
    TopList { span: past.span(now), by, data: all.into_iter().map(row).collect() }
}
