//! The figures of a stretch: what was blocked, what that saved, and whom it may have hit by mistake.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::FraudSpan;
use super::past::Past;
use crate::clock::Millis;
use crate::fraud::engine::Key;
use crate::money::Micros;

/// Refusals by what the request was told.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RefusalCount {
    /// The error code.
    #[schema(example = "fraud.blocked")]
    pub code: String,
    /// How many.
    pub count: i64,
}

/// The figures of a stretch.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FraudSummary {
    /// From when to when.
    #[serde(flatten)]
    pub span: FraudSpan,
    /// Attempts refused by the fraud guard: lists, destinations and the engine. All of the stretch.
    pub blocked: i64,
    /// All refusals by their code, limits and the wallet too. All of the stretch.
    pub refusals: Vec<RefusalCount>,
    /// What the engine's refusals would have cost, decimal, in the wallets' currency; of those that were looked at.
    #[schema(example = "86.10")]
    pub estimated_saving: String,
    /// Refused numbers whose later code was typed: real users that waited, most likely.
    pub refused_then_verified: usize,
    /// Holds that an operator ended by hand.
    pub holds_released_by_hand: i64,
    /// Refusals that operators reported as mistakes.
    pub false_positives: i64,
}

impl FraudSummary {
    /// The figures of `past`, with what was counted over the whole stretch.
    pub(super) fn of(
        past: &Past,
        counts: Vec<(String, i64)>,
        (released, reported): (i64, i64),
        now: Millis,
    ) -> FraudSummary {
        let saved = past.refused.iter().fold(0i64, |sum, one| sum.saturating_add(one.features.price.0));
        let late = refused_then_verified(past);
        let is_fraud = |code: &str| code.starts_with("fraud.");
        FraudSummary {
            span: past.span(now),
            blocked: counts.iter().filter(|(code, _)| is_fraud(code)).map(|(_, count)| count).sum(),
            refusals: counts.into_iter().map(|(code, count)| RefusalCount { code, count }).collect(),
            estimated_saving: Micros(saved).to_string(),
            refused_then_verified: late,
            holds_released_by_hand: released,
            false_positives: reported,
        }
    }
}

/// Numbers that were refused and typed a code that was sent later.
fn refused_then_verified(past: &Past) -> usize {
    let mut first: BTreeMap<Key, Millis> = BTreeMap::new();
    for one in &past.refused {
        let at = first.entry(one.features.number).or_insert(one.at);
        *at = (*at).min(one.at);
    }
    let is_late = |at: Option<&Millis>, typed_at: Millis| at.is_some_and(|refused| *refused < typed_at);
    let typed = past.sent.iter().filter(|one| one.typed && is_late(first.get(&one.features.number), one.at));
    typed.map(|one| one.features.number).collect::<std::collections::BTreeSet<_>>().len()
}
