//! Decisions that refused: what a refusal saw, and the book of those that cost the accepting transaction nothing.
//!
//! A refusal of the screen is part of the transaction. One of a limit or of the wallet writes nothing there, so that a
//! flood of them costs no sync: it is noted in memory, and the worker writes the notes down each second. A crash loses the
//! last second of them; what does not fit is counted and has no decision.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::accept::{Accept, ItemOutcome, Prepared};
use super::gates::Denied;
use super::queue::Queue;
use super::store::{self, DecisionRow, LimitTerm, Terms};
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::fraud::{Action, Judged, Reason};

/// Most notes that wait for the worker.
const MOST: usize = 2_000;

/// The notes. Cheap to clone; all clones are one book.
#[derive(Clone, Default)]
pub struct RefusalBook(Arc<Mutex<VecDeque<DecisionRow>>>);

impl RefusalBook {
    /// Notes what `make` makes, if there is room; whether it was noted.
    fn note(&self, make: impl FnOnce() -> DecisionRow) -> bool {
        let mut notes = self.lock();
        if notes.len() >= MOST {
            metrics::counter!("postern_decisions_dropped_total").increment(1);
            return false;
        }
        notes.push_back(make());
        true
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<DecisionRow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the noted refusals down; how many. What the database does not take stays noted.
pub async fn write_refusals(app: &App) -> Result<usize> {
    let book = app.room::<Queue>().refusals();
    let rows: Arc<Vec<DecisionRow>> = Arc::new(book.lock().drain(..).collect());
    if rows.is_empty() {
        return Ok(0);
    }
    let to_write = Arc::clone(&rows);
    let written = app.db.write(move |conn| store::insert_decisions(conn, &to_write)).await;
    if written.is_err() {
        for row in rows.iter() {
            book.note(|| row.clone());
        }
    }
    written.map(|()| rows.len())
}

/// Why `item` was refused, rule by rule: what the screen saw, then the limits and the money. Nothing where it was no
/// decision: a faulty request, no route.
pub fn reasons_of(item: &Prepared, denied: &Denied, now: Millis) -> Vec<Reason> {
    let mut reasons = seen_by(item, denied.judged.as_ref());
    reasons.extend(denied.view.iter().filter(|verdict| verdict.denied()).map(Reason::of_limit));
    match denied.error.policy_hit() {
        // A magic number refuses without having looked at a window.
        Some(hit) if denied.view.is_empty() => {
            let until = denied.error.wait().map(|wait| now.plus(wait));
            reasons.push(Reason {
                limit: Some(hit.limit),
                window_s: Some(hit.window_s),
                until,
                ..Reason::enforced(&hit.policy, hit.usage)
            });
        }
        // And one that says the wallet is empty has not looked at it.
        None if denied.error.code() == Code::InsufficientBalance && denied.reasons.is_empty() => {
            reasons.push(Reason::enforced("wallet.balance", denied.error.sentence()));
        }
        _ => {}
    }
    reasons.extend(denied.reasons.iter().cloned());
    reasons
}

/// What the screen and the engine saw in `item`.
pub fn seen_by(item: &Prepared, judged: Option<&Judged>) -> Vec<Reason> {
    let mut reasons = item.screened.reasons.clone();
    reasons.extend(judged.iter().flat_map(|judged| judged.reasons.iter().cloned()));
    reasons
}

/// Gives every refused item of a request its decision: in the transaction (`rows`) where the screen refused, else in
/// the book.
pub fn keep(
    accept: &Accept,
    outcomes: &mut [ItemOutcome],
    now: Millis,
    rows: &mut Vec<DecisionRow>,
    book: &RefusalBook,
) {
    for (item, outcome) in accept.items.iter().zip(outcomes) {
        let (Ok(item), Err(fault)) = (item, &outcome.result) else { continue };
        // A contact of a broadcast that meets a limit is asked for again until it passes.
        if accept.is_step() && fault.policy_hit().is_some() {
            continue;
        }
        let is_kept = if item.screened.code.is_some() {
            rows.push(row(accept, item, fault, outcome, now));
            true
        } else {
            !outcome.reasons.is_empty() && book.note(|| row(accept, item, fault, outcome, now))
        };
        if is_kept {
            outcome.result = Err(fault.clone().decision(item.decision_id));
        }
    }
}

fn row(accept: &Accept, item: &Prepared, fault: &Error, outcome: &ItemOutcome, now: Millis) -> DecisionRow {
    let limits = outcome.view.iter().filter(|verdict| !verdict.denied()).map(LimitTerm::from).collect();
    let terms = Terms { reasons: outcome.reasons.clone(), limits, engine: outcome.judged.clone() };
    DecisionRow {
        id: item.decision_id,
        org_id: accept.caller.org_id(),
        key_id: accept.caller.key_id(),
        mode: accept.caller.mode(),
        action: if fault.code() == Code::FraudChallengeRequired { Action::Challenge } else { Action::Block },
        code: fault.code().to_string(),
        terms: terms.to_json(),
        request_id: accept.request_id.clone(),
        created_at: now,
    }
}
