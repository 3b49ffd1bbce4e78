//! How hand-offs ended, written for many at once: the attempts, the messages, the money, the timelines; then what receipts
//! said meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pairs::{self, PairKey};
use super::progress;
use super::settle::{self, Moved, Step};
use super::state::Status;
use super::store::{self, Attempt, AttemptState, Move, Row};
use crate::app::{App, FromApp};
use crate::clock::{Clock, Millis};
use crate::db::batch::{Batcher, Bounds, Work, Worked};
use crate::db::task::{Share, contained};
use crate::db::{Conn, savepoint, whole};
use crate::error::Result;
use crate::failpoint;
use crate::providers::{Outcome, RefusalKind};
use crate::secret::random_u64;

/// A hand-off that ended.
pub struct Ended {
    /// The message as it was handed over.
    pub row: Row,
    /// The hand-off as it began.
    pub attempt: Attempt,
    /// How it ended.
    pub outcome: Outcome,
    /// The number and the recipient, where their pace is kept.
    pub pair: Option<PairKey>,
}

/// The queue before the database's record of hand-offs that ended.
#[derive(Clone)]
pub struct Outcomes(Batcher<Recording>);

/// Most that wait, and most of one transaction.
const BOUNDS: Bounds = Bounds { depth: 100_000, batch: 256, lanes: 1 };

impl FromApp for Outcomes {
    fn from_app(app: &App) -> Self {
        let bounds = Bounds { lanes: app.db.writers().min(2), ..BOUNDS };
        Outcomes(Batcher::new(app.db.clone(), bounds, Recording { clock: app.clock.clone() }))
    }
}

impl Outcomes {
    /// Writes how a hand-off ended; returns after the commit.
    pub async fn write(&self, ended: Arc<Ended>) -> Result<()> {
        let answer = self.0.submit(ended)?;
        self.0.db().in_time(answer).await
    }
}

struct Recording {
    clock: Clock,
}

impl Work for Recording {
    type Ask = Arc<Ended>;
    type Answer = ();

    fn run(&self, conn: &mut Conn, share: Share, batch: &[&Arc<Ended>]) -> Worked<()> {
        let now = self.clock.now();
        let ended: Vec<&Ended> = batch.iter().map(|ended| &***ended).collect();
        let together = whole(conn, share, |conn| contained(|| write_all(conn, &ended, now)));
        let results: Vec<Result<()>> = match together {
            Ok(()) => ended.iter().map(|_| Ok(())).collect(),
            // Each on its own, so that one that cannot be written fails alone.
            Err(_) => {
                ended.iter().map(|ended| savepoint(conn, |conn| contained(|| write_all(conn, &[ended], now)))).collect()
            }
        };
        Worked { wrote: results.iter().any(Result::is_ok), results }
    }
}

fn write_all(conn: &mut Conn, ended: &[&Ended], now: Millis) -> Result<()> {
    failpoint::pass("dispatch.before_write")?;
    let attempts: Vec<Attempt> = ended.iter().map(|ended| finished(ended, now)).collect();
    let mut hand_offs: Vec<(&str, &str)> = attempts
        .iter()
        .filter_map(|attempt| Some((attempt.carrier.as_str(), attempt.provider_id.as_deref()?)))
        .collect();
    hand_offs.sort_by_key(|(carrier, id)| (*id, *carrier));
    store::hold_hand_offs(conn, &hand_offs)?;
    store::finish_attempts(conn, &attempts.iter().collect::<Vec<_>>())?;
    let moves: Vec<(Move, Moved)> = ended
        .iter()
        .zip(&attempts)
        .map(|(ended, attempt)| {
            let to = progress::after_outcome(&ended.row, &attempt.carrier, &ended.outcome, now, random_u64());
            (to, Moved { by: "carrier", detail: detail_of(attempt) })
        })
        .collect();
    let steps: Vec<Step<'_>> =
        ended.iter().zip(&moves).map(|(ended, (to, moved))| Step { row: &ended.row, to, moved }).collect();
    let moved = settle::move_rows(conn, &steps, now)?;
    store::hold_pairs(conn, &refused_pairs(ended, now))?;
    // A receipt may have moved the message while the answer was on its way; then that is the truth.
    for ((ended, (_, by)), _) in ended.iter().zip(&moves).zip(&moved).filter(|(_, moved)| !**moved) {
        settle_given_up(conn, ended, by, now)?;
    }
    if store::may_be_parked(conn, &hand_offs)? {
        for attempt in &attempts {
            settle::apply_parked(conn, attempt, now)?;
        }
    }
    Ok(())
}

/// The pairs that the carrier has had enough of: nobody goes before the message that was refused has had its wait.
fn refused_pairs(ended: &[&Ended], now: Millis) -> BTreeMap<PairKey, Millis> {
    let refused = ended.iter().filter_map(|ended| {
        let Outcome::Refused(refusal) = &ended.outcome else { return None };
        let key = ended.pair.clone().filter(|_| refusal.kind == RefusalKind::Pair)?;
        let rest = progress::pair_rest(ended.row.extra_or_none().rounds);
        Some((key, pairs::after_refusal(rest, now)))
    });
    refused.collect()
}

fn finished(ended: &Ended, now: Millis) -> Attempt {
    let mut attempt = Attempt { finished_at: Some(now), ..ended.attempt.clone() };
    match &ended.outcome {
        Outcome::Accepted { provider_id, .. } => {
            attempt.state = AttemptState::Accepted;
            attempt.provider_id = provider_id.clone();
        }
        Outcome::Refused(refusal) => {
            attempt.state = AttemptState::Refused;
            attempt.error_code = Some(String::from(refusal.code));
            attempt.detail = Some(refusal.detail.clone());
        }
        Outcome::Unknown { code, detail } => {
            attempt.state = AttemptState::Unknown;
            attempt.error_code = Some(String::from(*code));
            attempt.detail = Some(detail.clone());
        }
    }
    attempt
}

/// The answer came after the lease had ended and the message was given up as unknown: now it is known.
fn settle_given_up(conn: &mut Conn, ended: &Ended, moved: &Moved, now: Millis) -> Result<()> {
    let Some(row) = store::find_message(conn, ended.row.id)? else { return Ok(()) };
    let given_up = row.status == Status::Unknown && row.attempts == ended.row.attempts;
    if !given_up || matches!(ended.outcome, Outcome::Unknown { .. }) {
        return Ok(());
    }
    // What is said was erased when it was given up; this process still has it, should another route have to say it.
    let known = Row { content: ended.row.content.clone(), ..row.clone() };
    let to = progress::after_outcome(&known, &ended.attempt.carrier, &ended.outcome, now, random_u64());
    settle::move_row(conn, &row, &to, moved, now)?;
    Ok(())
}

fn detail_of(attempt: &Attempt) -> serde_json::Value {
    serde_json::json!({
        "attempt": attempt.number,
        "channel": attempt.channel,
        "carrier": attempt.carrier,
        "provider_id": attempt.provider_id,
        "error_code": attempt.error_code,
        "detail": attempt.detail,
    })
}
