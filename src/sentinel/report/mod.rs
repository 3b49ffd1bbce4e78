//! What operators are told of fraud: figures, a map of countries and prefixes, who asks most, and how rules do. Made of the
//! codes sent by SMS and the engine's refusals of a stretch of time, read once for all who ask within half a minute.

mod heat;
mod past;
mod rules;
mod summary;
mod tops;

pub use heat::{HeatList, HeatRow};
pub use rules::{RuleStats, RuleStatsList};
pub use summary::{FraudSummary, RefusalCount};
pub use tops::{TopBy, TopList, TopRow};

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::store;
use crate::app::App;
use crate::audit;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::fraud::guards;
use crate::terms::Mode;
use past::{Past, past_of};

/// The longest stretch: what decisions are kept for may be longer, but it is read whole.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// What the audit log calls a report of an operator that a refusal was a mistake.
const FALSE_POSITIVE: &str = "decision.false_positive";

/// From when to when, and whether all of it was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FraudSpan {
    /// From here.
    #[schema(value_type = String, format = DateTime)]
    pub since: Millis,
    /// Up to this.
    #[schema(value_type = String, format = DateTime)]
    pub until: Millis,
    /// There were more attempts than are looked at: the newest were, from this moment on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cut_at: Option<Millis>,
    /// Codes sent by SMS that were looked at.
    pub sent: usize,
    /// The engine's refusals that were.
    pub refused: usize,
}

/// A stretch that ends at `now` and begins `span` before. Error: `validation_failed`.
pub fn since_of(span: Option<Duration>, now: Millis) -> Result<Millis> {
    let span = span.unwrap_or(Duration::from_secs(86_400));
    if span.is_zero() || span > LONGEST {
        return Err(Error::field("since", "must be a time of 1s to 31d, e.g. 24h"));
    }
    Ok(now.minus(span))
}

/// The figures of a stretch.
pub async fn fraud_summary(app: &App, mode: Mode, since: Millis) -> Result<FraudSummary> {
    let (past, now) = (past_of(app, mode, since).await?, app.clock.now());
    let (counts, mistakes) = app
        .db
        .read(move |conn| {
            let counts = store::refusal_counts(conn, since, mode)?;
            let reported = audit::count_of(conn, FALSE_POSITIVE, since)?;
            Ok((counts, (store::released_by_hand(conn, since, mode)?, reported)))
        })
        .await?;
    Ok(FraudSummary::of(&past, counts, mistakes, now))
}

/// Countries and prefixes, with what is usual for each country.
pub async fn fraud_heat(app: &App, mode: Mode, since: Millis) -> Result<HeatList> {
    let (past, guards) = (past_of(app, mode, since).await?, guards(app).await?);
    let usual = |node: &_| guards.watch.usual_share(node, &guards.book.base);
    Ok(heat::heat(&past, usual, app.clock.now()))
}

/// Who asked most.
pub async fn fraud_top(app: &App, mode: Mode, since: Millis, by: TopBy) -> Result<TopList> {
    let past = past_of(app, mode, since).await?;
    Ok(tops::tops(&past, by, app.clock.now()))
}

/// How rules did.
pub async fn rule_stats(app: &App, mode: Mode, since: Millis) -> Result<RuleStatsList> {
    let past = past_of(app, mode, since).await?;
    Ok(rules::stats(&past, app.clock.now()))
}

impl Past {
    fn span(&self, now: Millis) -> FraudSpan {
        FraudSpan {
            since: self.since,
            until: now,
            cut_at: self.cut_at,
            sent: self.sent.len(),
            refused: self.refused.len(),
        }
    }
}
