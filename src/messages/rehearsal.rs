//! Dry runs as the API shows them: what would be decided, without an id of anything, since nothing is stored.

use serde::Serialize;
use utoipa::ToSchema;

use super::accept::{Accept, ItemOutcome, Prepared};
use super::view::{DecisionView, LimitView};
use crate::clock::Millis;
use crate::error::Error;
use crate::fraud::{Action, for_customer};
use crate::http::problem::Problem;
use crate::money::{Currency, Micros, MoneyView};
use crate::phone::Country;
use crate::text::Encoding;

/// What deciding on a request came to, nothing taken.
pub struct Rehearsed {
    /// One outcome a message.
    pub outcomes: Vec<ItemOutcome>,
    /// Why all of it would be refused, where one refusal refuses all.
    pub refusal: Option<Error>,
}

/// What a dry run found.
#[derive(Serialize, ToSchema)]
pub struct DryRunView {
    /// Always true.
    pub dry_run: bool,
    /// What would be done.
    pub decision: DecisionView,
    /// The number in E.164, or the mail address.
    pub to: String,
    /// The number's country.
    #[schema(value_type = Option<String>)]
    pub country: Option<Country>,
    /// SMS encoding.
    pub encoding: Option<Encoding>,
    /// SMS parts.
    pub segments: u32,
    /// What it would cost.
    pub price: MoneyView,
    /// When it would go, where that is later.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_for: Option<Millis>,
    /// The limits it would meet.
    pub limits: Vec<LimitView>,
    /// Why it would be refused, where it would.
    pub error: Option<Problem>,
}

/// What a dry run found about one message of a bulk.
#[derive(Serialize, ToSchema)]
pub struct BulkFinding {
    /// Its place in the request.
    pub index: usize,
    /// What would be done with it.
    pub decision: DecisionView,
    /// The number in E.164, or the mail address; absent where it could not be read.
    pub to: Option<String>,
    /// The number's country.
    #[schema(value_type = Option<String>)]
    pub country: Option<Country>,
    /// SMS encoding.
    pub encoding: Option<Encoding>,
    /// SMS parts.
    pub segments: u32,
    /// What it would cost.
    pub price: MoneyView,
    /// When it would go, where that is later.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub scheduled_for: Option<Millis>,
    /// The limits it would meet.
    pub limits: Vec<LimitView>,
    /// Why it would be refused, where it would.
    pub error: Option<Problem>,
}

/// What a dry run of a bulk found.
#[derive(Serialize, ToSchema)]
pub struct BulkDryRunView {
    /// Always true.
    pub dry_run: bool,
    /// Messages that would be taken.
    pub accepted: usize,
    /// Messages that would be refused.
    pub rejected: usize,
    /// One entry a message, in the order of the request.
    pub results: Vec<BulkFinding>,
    /// Why all of it would be refused, where one refusal refuses all.
    pub error: Option<Problem>,
}

impl DryRunView {
    /// What deciding on a single send came to; `base` is where clients reach this server.
    pub fn of(accept: &Accept, outcome: &ItemOutcome, base: &str) -> DryRunView {
        let found = BulkFinding::of(0, accept.items.first().and_then(|item| item.as_ref().ok()), outcome, base);
        let BulkFinding { decision, to, country, encoding, segments, price, scheduled_for, limits, error, .. } = found;
        let to = to.unwrap_or_default();
        DryRunView { dry_run: true, decision, to, country, encoding, segments, price, scheduled_for, limits, error }
    }
}

impl BulkFinding {
    fn of(index: usize, item: Option<&Prepared>, outcome: &ItemOutcome, base: &str) -> BulkFinding {
        let refused = outcome.result.as_ref().err();
        let price = item.map_or((Micros::ZERO, Currency::USD), |item| (item.price.amount, item.price.currency));
        BulkFinding {
            index,
            decision: DecisionView {
                id: None,
                action: if refused.is_some() { Action::Block } else { Action::Allow },
                reasons: for_customer(outcome.reasons.clone()),
            },
            to: item.map(|item| item.recipient.clone()),
            country: item.and_then(|item| item.country),
            encoding: item.and_then(|item| item.encoding),
            segments: item.map_or(0, |item| item.segments),
            price: MoneyView::new(price.0, price.1),
            scheduled_for: outcome.result.as_ref().ok().and_then(|row| row.scheduled_for),
            limits: outcome.view.iter().map(LimitView::from).collect(),
            error: refused.map(|fault| Problem::of(fault, base)),
        }
    }
}

impl BulkDryRunView {
    /// What deciding on a bulk came to; `base` is where clients reach this server.
    pub fn of(accept: &Accept, rehearsed: &Rehearsed, base: &str) -> BulkDryRunView {
        let pairs = accept.items.iter().zip(&rehearsed.outcomes).enumerate();
        let results: Vec<BulkFinding> =
            pairs.map(|(index, (item, outcome))| BulkFinding::of(index, item.as_ref().ok(), outcome, base)).collect();
        let passing = results.iter().filter(|result| result.error.is_none()).count();
        let accepted = if rehearsed.refusal.is_some() { 0 } else { passing };
        let error = rehearsed.refusal.as_ref().map(|fault| Problem::of(fault, base));
        BulkDryRunView { dry_run: true, accepted, rejected: results.len() - accepted, results, error }
    }
}
