//! Verifications as the API shows them. A code is nowhere among it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::state::{ResendPolicy, Status, next_resend_at};
use super::store::{self, Row, SendRow, Spec, StoredStep};
use crate::clock::{Millis, Span};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::idempotency::Stored;
use crate::ids::{MessageId, VerificationId};
use crate::phone::Country;
use crate::terms::{Channel, Mode};

/// A verification.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "vrf_01h455vb4pex5vsknk084sn02q", "status": "pending", "mode": "live", "to": "+14155550123", "country": "US",
    "channel": "sms", "locale": "en", "code_length": 6, "resend_policy": "same_code", "max_checks": 5, "checks_left": 5,
    "sends": [{"message_id": "msg_01h455vb4pex5vsknk084sn02q", "channel": "sms", "converted": false,
        "created_at": "2026-12-01T08:00:00.000Z"}],
    "workflow": [], "next_step_at": null, "workflow_error": null, "next_resend_at": "2026-12-01T08:00:30.000Z",
    "expires_at": "2026-12-01T08:10:00.000Z", "decided_at": null, "created_at": "2026-12-01T08:00:00.000Z",
    "updated_at": "2026-12-01T08:00:00.000Z", "metadata": {}
}))]
pub struct VerificationView {
    /// Its id.
    pub id: VerificationId,
    /// Where it is.
    pub status: Status,
    /// Live or test.
    pub mode: Mode,
    /// The number in E.164, or the mail address.
    #[schema(example = "+14155550123")]
    pub to: String,
    /// The number's country.
    #[schema(value_type = Option<String>, example = "US")]
    pub country: Option<Country>,
    /// The channel used last.
    pub channel: Channel,
    /// The reader's language, as far as there are texts in it.
    #[schema(example = "en")]
    pub locale: String,
    /// Digits of the code.
    #[schema(example = 6)]
    pub code_length: i16,
    /// What a resend says.
    pub resend_policy: ResendPolicy,
    /// How many codes may be tried in all.
    #[schema(example = 5)]
    pub max_checks: i32,
    /// How many of them are left.
    #[schema(example = 5)]
    pub checks_left: i32,
    /// The codes that were sent, oldest first.
    pub sends: Vec<SendView>,
    /// The steps, the first included; empty without a workflow.
    pub workflow: Vec<StepView>,
    /// When the workflow goes on by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_step_at: Option<Millis>,
    /// The code of the refusal that ended the workflow.
    pub workflow_error: Option<String>,
    /// When a button to send again should come alive; null once it has ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_resend_at: Option<Millis>,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
    /// When it was approved or ended otherwise, as far as that was written down.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<Millis>,
    /// Started.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
    /// Your own notes.
    pub metadata: BTreeMap<String, String>,
}

/// A code on its way.
#[derive(Serialize, ToSchema)]
pub struct SendView {
    /// The message that carries it.
    pub message_id: MessageId,
    /// How.
    pub channel: Channel,
    /// Whether this is the send whose code was entered; where all say the same code, the latest before that.
    pub converted: bool,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

/// A step of a workflow.
#[derive(Serialize, ToSchema)]
pub struct StepView {
    /// How.
    pub channel: Channel,
    /// How long before the next step.
    pub wait: Span,
    /// Whom, where it is another address than the verification's.
    pub to: Option<String>,
    /// Whether its turn has come, be it that it was sent or that its channel could not be used.
    pub done: bool,
}

/// What became of a check.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "approved", "valid": true, "checks_left": 4}))]
pub struct CheckView {
    /// Where the verification is now.
    pub status: Status,
    /// Whether the code was right.
    pub valid: bool,
    /// How many more may be tried.
    #[schema(example = 4)]
    pub checks_left: i32,
}

/// How verifications of a stretch of time came out.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "from": "2026-11-01T00:00:00.000Z", "to": "2026-12-01T00:00:00.000Z", "verifications": 1000, "sent": 1180,
    "approved": 910, "pending": 4, "conversion_rate": 0.9137
}))]
pub struct SummaryView {
    /// Verifications started from here.
    #[schema(value_type = String, format = DateTime)]
    pub from: Millis,
    /// Verifications started before this.
    #[schema(value_type = String, format = DateTime)]
    pub to: Millis,
    /// Verifications started; with `channel`, those with a code sent by it.
    pub verifications: i64,
    /// Codes sent for them; with `channel`, by it. Accepted for sending: whether they arrived is told by the messages.
    pub sent: i64,
    /// Verifications approved; with `channel`, by a code that it carried.
    pub approved: i64,
    /// Verifications that may still be approved.
    pub pending: i64,
    /// `approved` of those that have ended (`verifications` less `pending`), 0 to 1 with four places; null where none has.
    #[schema(example = 0.9137)]
    pub conversion_rate: Option<f64>,
}

impl VerificationView {
    /// Shows a row with its sends.
    pub fn of(row: Row, sends: Vec<SendRow>, now: Millis) -> Result<VerificationView> {
        let Spec { metadata, workflow, next_step_at, workflow_error, .. } = row.spec()?;
        let (life, status) = (row.life(), row.life().at(now));
        let is_open = status == Status::Pending;
        let done = usize::try_from(row.step).unwrap_or(0);
        let workflow = workflow.into_iter().enumerate().map(|(index, step)| StepView::of(step, index <= done));
        Ok(VerificationView {
            id: row.id,
            status,
            mode: row.mode,
            to: row.recipient,
            country: row.country,
            channel: row.channel,
            locale: row.locale,
            code_length: row.code_length,
            resend_policy: row.resend_policy,
            max_checks: row.max_checks,
            checks_left: life.checks_left(),
            sends: sends.into_iter().map(SendView::of).collect(),
            workflow: workflow.collect(),
            next_step_at: next_step_at.filter(|_| is_open),
            workflow_error,
            next_resend_at: is_open.then(|| next_resend_at(row.sends, row.last_send_at)),
            expires_at: row.expires_at,
            decided_at: row.decided_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            metadata,
        })
    }
}

impl SendView {
    /// Shows a row.
    pub(super) fn of(row: SendRow) -> SendView {
        SendView {
            message_id: row.message_id,
            channel: row.channel,
            converted: row.converted,
            created_at: row.created_at,
        }
    }
}

impl StepView {
    fn of(step: StoredStep, done: bool) -> StepView {
        StepView { channel: step.channel, wait: Span(step.wait()), to: step.to, done }
    }
}

/// The verification as an answer of `status` that is kept beside an idempotency key.
pub fn stored_view(conn: &mut Conn, row: &Row, now: Millis, status: u16) -> Result<Stored> {
    let sends = store::sends_of(conn, &[row.id])?;
    let view = VerificationView::of(row.clone(), sends, now)?;
    let location = (status == 201).then(|| format!("/v1/verifications/{}", row.id));
    Ok(Stored { status, body: serde_json::to_vec(&view).map_err(Error::internal)?, location })
}
