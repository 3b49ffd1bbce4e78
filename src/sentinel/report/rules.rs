//! How rules did: how often each fired, and how often that was right where it can be known.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::FraudSpan;
use super::past::Past;
use crate::clock::Millis;

/// How a rule did.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleStats {
    /// The rule.
    #[schema(example = "prefix.conversion")]
    pub rule: String,
    /// Refused attempts in which it acted.
    pub enforced: u32,
    /// Attempts in which it fired and only watched, or did not suffice.
    pub watched: u32,
    /// Of the codes that were sent although it fired, those whose fate is known.
    pub ripe: u32,
    /// Of these, typed: it would have been wrong.
    pub verified: u32,
    /// The share of these that nobody typed, 0 to 1 with four places; null without any. What was refused has no fate.
    #[schema(example = 0.9713)]
    pub precision: Option<f64>,
}

/// How rules did.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RuleStatsList {
    /// From when to when.
    #[serde(flatten)]
    pub span: FraudSpan,
    /// The rules that fired, by name.
    pub data: Vec<RuleStats>,
}

/// How rules did in `past`.
pub(super) fn stats(past: &Past, now: Millis) -> RuleStatsList {
    let mut rules: BTreeMap<&str, RuleStats> = BTreeMap::new();
    let of = |name: &str| RuleStats {
        rule: String::from(name),
        enforced: 0,
        watched: 0,
        ripe: 0,
        verified: 0,
        precision: None,
    };
    for reason in past.refused.iter().flat_map(|one| &one.reasons) {
        let row = rules.entry(&reason.rule).or_insert_with(|| of(&reason.rule));
        let count = if reason.mode == "enforce" { &mut row.enforced } else { &mut row.watched };
        *count += 1;
    }
    for one in &past.sent {
        for reason in &one.reasons {
            let row = rules.entry(&reason.rule).or_insert_with(|| of(&reason.rule));
            row.watched += 1;
            row.ripe += u32::from(one.is_ripe(now));
            row.verified += u32::from(one.typed);
        }
    }
    let mut data: Vec<RuleStats> = rules.into_values().collect();
    for row in data.iter_mut().filter(|row| row.ripe > 0) {
        let wrong = f64::from(row.verified) / f64::from(row.ripe);
        row.precision = Some(((1.0 - wrong) * 10_000.0).round() / 10_000.0);
    }
    RuleStatsList { span: past.span(now), data }
}
