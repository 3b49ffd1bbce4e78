//! Workflows: one channel after the other until the code is entered or has surely arrived. The next step is a job of the
//! queue: due when the wait is over, or at once when the channel before it has failed.

use serde::{Deserialize, Serialize};

use super::desk::{Desk, acceptance};
use super::send::{Sent, Way, send_code};
use super::state::Status;
use super::store::{self, Row, SendRow, Spec};
use crate::accounts::working_caller;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::VerificationId;
use crate::jobs::{self, Job};
use crate::limits::View;
use crate::messages::{self, Bench, CodeLost, Queue};
use crate::terms::Channel;

/// A step that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StepDue {
    verification: VerificationId,
    /// Of this workflow: a second start may have brought another.
    round: u32,
    /// This step, from 0.
    step: i32,
}

impl Job for StepDue {
    const KIND: &'static str = "verification.step";
}

/// What became of going on.
#[expect(clippy::large_enum_variant, reason = "made and taken apart once in a request")]
pub enum Advance {
    /// A code is on its way; the limits after it.
    Sent(View),
    /// The step was refused.
    Refused {
        /// Why.
        error: Error,
        /// Whether a decision was written that the error names.
        is_kept: bool,
    },
    /// No step is left that could be done.
    AtEnd,
}

/// Puts the step after the present one into the queue, if there is one that falls within the code's life. `row` is
/// saved by the caller.
pub fn schedule(conn: &mut Conn, row: &mut Row, now: Millis) -> Result<()> {
    let mut spec = row.spec()?;
    spec.next_step_at = following(&spec, row.step).map(|wait| now.plus(wait)).filter(|at| *at < row.expires_at);
    if let Some(at) = spec.next_step_at {
        let due = StepDue { verification: row.id, round: spec.round, step: row.step.saturating_add(1) };
        jobs::enqueue_at(conn, StepDue::KIND, &due, (now, at))?;
    }
    row.spec = spec.to_json()?;
    Ok(())
}

/// Does the next step of `row` that can be done: a channel that is not enabled, that has no room for a new
/// contact, or that no route takes, is passed over. `row` is saved by the caller.
pub fn advance(conn: &mut Conn, desk: &Desk, row: &mut Row, now: Millis) -> Result<Advance> {
    let spec = row.spec()?;
    while let Some(step) = spec.workflow.get(index(row.step.saturating_add(1))) {
        row.step = row.step.saturating_add(1);
        let way = Way::stored(step.channel, step.to.as_deref().unwrap_or(&row.recipient))?;
        match send_code(conn, desk, row, &way, now)? {
            Sent::Taken(view) => {
                schedule(conn, row, now)?;
                return Ok(Advance::Sent(view));
            }
            Sent::Refused { error, .. } if is_passed_over(error.code()) => {}
            Sent::Refused { error, is_kept } => return Ok(Advance::Refused { error, is_kept }),
        }
    }
    Ok(Advance::AtEnd)
}

/// Does up to `limit` steps whose wait is over, and as many of those whose forerunner has failed; how many were due. The
/// worker calls this in its loop, tests by hand.
pub async fn run_workflow_steps(app: &App, limit: i64) -> Result<usize> {
    let waited = jobs::run_due::<StepDue, _, _>(&app.db, &app.clock, limit, |payload| run_step(app, payload)).await?;
    let lost =
        jobs::run_due::<CodeLost, _, _>(&app.db, &app.clock, limit, |payload| replace_lost(app, payload)).await?;
    Ok(waited + lost)
}

async fn run_step(app: &App, payload: String) -> Result<()> {
    let due: StepDue = serde_json::from_str(&payload).map_err(Error::internal)?;
    go_on_where(app, due.verification, move |conn, row, now| {
        if !is_due(row, &row.spec()?, &due, now) {
            return Ok(Turn::Nothing);
        }
        Ok(if has_arrived(conn, row)? { Turn::End } else { Turn::GoOn })
    })
    .await
}

/// The code that was sent last has failed: the next channel at once, whatever is left of the wait.
async fn replace_lost(app: &App, payload: String) -> Result<()> {
    let lost: CodeLost = serde_json::from_str(&payload).map_err(Error::internal)?;
    go_on_where(app, lost.verification, move |conn, row, now| {
        let spec = row.spec()?;
        let is_latest = latest_send(conn, row)?.is_some_and(|send| send.message_id == lost.message);
        let is_open = row.life().at(now) == Status::Pending && spec.workflow_error.is_none();
        let has_next = following(&spec, row.step).is_some();
        Ok(if is_latest && is_open && has_next { Turn::GoOn } else { Turn::Nothing })
    })
    .await
}

/// What a workflow does when something is up.
enum Turn {
    /// The next step.
    GoOn,
    /// No further step by itself.
    End,
    /// It was nothing.
    Nothing,
}

/// Whether the code that was sent last is surely on the handset: WhatsApp says so, and then it is the person who has not
/// entered it. What networks say of SMS and mail proves too little to stop.
fn has_arrived(conn: &mut Conn, row: &Row) -> Result<bool> {
    let Some(send) = latest_send(conn, row)?.filter(|send| send.channel == Channel::Whatsapp) else { return Ok(false) };
    let message = messages::find_message(conn, send.message_id)?;
    Ok(message.is_some_and(|message| message.status == messages::Status::Delivered))
}

fn latest_send(conn: &mut Conn, row: &Row) -> Result<Option<SendRow>> {
    Ok(store::sends_of(conn, &[row.id])?.pop())
}

async fn go_on_where<F>(app: &App, id: VerificationId, turn: F) -> Result<()>
where
    F: FnOnce(&mut Conn, &Row, Millis) -> Result<Turn> + Send + 'static,
{
    let (bench, acceptance) = (Bench::of(app).await?, acceptance(app));
    let is_sending = app
        .db
        .write(move |conn| {
            let now = crate::db::now(conn, &acceptance.clock)?;
            let Some(row) = store::find_locked(conn, id)? else { return Ok(false) };
            match turn(conn, &row, now)? {
                Turn::GoOn => {}
                Turn::End => return end(conn, row, None, now),
                Turn::Nothing => return Ok(false),
            }
            let caller = match working_caller(conn, row.key_id, now) {
                Ok(caller) => caller,
                Err(fault) if is_refusal(fault.code()) => return end(conn, row, Some(&fault), now),
                Err(fault) => return Err(fault),
            };
            let request_id = row.request_id.clone();
            let desk = Desk { bench, acceptance, caller, request_id, client_request_id: None };
            go_on(conn, &desk, row, now)
        })
        .await?;
    if is_sending {
        app.room::<Queue>().ring();
    }
    Ok(())
}

/// One step of the worker. A refusal is written down and ends the workflow: what a guard refuses now it would refuse
/// again, and a retry would only be more of what it guards against.
fn go_on(conn: &mut Conn, desk: &Desk, mut row: Row, now: Millis) -> Result<bool> {
    let before = row.clone();
    match advance(conn, desk, &mut row, now)? {
        Advance::Sent(_) => {
            store::save(conn, &row)?;
            Ok(true)
        }
        Advance::Refused { error, .. } => end(conn, before, Some(&error), now),
        Advance::AtEnd => end(conn, before, None, now),
    }
}

/// Ends the workflow, not the verification: codes that went out stay good. Nothing is on its way.
fn end(conn: &mut Conn, mut row: Row, why: Option<&Error>, now: Millis) -> Result<bool> {
    let mut spec = row.spec()?;
    spec.next_step_at = None;
    spec.workflow_error = why.map(|fault| fault.code().to_string());
    row.spec = spec.to_json()?;
    row.updated_at = now;
    store::save(conn, &row)?;
    Ok(false)
}

/// Whether a step that comes up is still to be done: the code was not entered, no other workflow took this one's
/// place, and nobody did the step by hand.
fn is_due(row: &Row, spec: &Spec, due: &StepDue, now: Millis) -> bool {
    row.life().at(now) == Status::Pending && spec.round == due.round && row.step < due.step
}

/// The wait before the step after `step`, where there is one.
fn following(spec: &Spec, step: i32) -> Option<std::time::Duration> {
    let present = spec.workflow.get(index(step))?;
    spec.workflow.get(index(step.saturating_add(1))).map(|_| present.wait())
}

/// A tier that is used up guards against nothing that this user does: another channel may have room.
fn is_passed_over(code: Code) -> bool {
    matches!(
        code,
        Code::ChannelNotEnabled | Code::WhatsappTierLimit | Code::ProviderUnavailable | Code::TemplateNotApproved
    )
}

fn is_refusal(code: Code) -> bool {
    matches!(code.entry().status, 401 | 403)
}

fn index(step: i32) -> usize {
    usize::try_from(step).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verifications::store::StoredStep;

    fn spec(waits_ms: &[u64]) -> Spec {
        let steps = waits_ms.iter().map(|wait_ms| serde_json::json!({"channel": "sms", "wait_ms": wait_ms}));
        let steps: Vec<StoredStep> = steps.map(|step| serde_json::from_value(step).unwrap()).collect();
        let mut spec: Spec = serde_json::from_value(serde_json::json!({"template": "login"})).unwrap();
        spec.workflow = steps;
        spec
    }

    #[test]
    fn the_wait_is_that_of_the_step_before() {
        let spec = spec(&[30_000, 60_000, 90_000]);
        let wait_s = |step| following(&spec, step).map(|wait| wait.as_secs());
        assert_eq!([wait_s(0), wait_s(1), wait_s(2), wait_s(-1)], [Some(30), Some(60), None, None]);
    }

    #[test]
    fn only_channels_that_cannot_be_used_at_all_are_passed_over() {
        let passed: Vec<_> = Code::ALL.iter().filter(|code| is_passed_over(**code)).collect();
        assert_eq!(
            passed,
            [
                &Code::TemplateNotApproved,
                &Code::ChannelNotEnabled,
                &Code::WhatsappTierLimit,
                &Code::ProviderUnavailable
            ]
        );
    }
}
