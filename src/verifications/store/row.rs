//! A verification as it is stored, and its sends.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clock::{Millis, whole_ms};
use crate::db::schema::{verification_sends, verifications};
use crate::error::{Error, Result};
use crate::ids::{KeyId, MessageId, OrgId, VerificationId};
use crate::messages::ClientMacs;
use crate::phone::Country;
use crate::terms::{Channel, Mode};
use crate::verifications::new::{NewVerification, Step};
use crate::verifications::state::{Life, ResendPolicy, Status};

/// One row of `verifications`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = verifications, treat_none_as_default_value = false)]
pub struct Row {
    /// Its id; sorts by time of start.
    pub id: VerificationId,
    /// Whose.
    pub org_id: OrgId,
    /// Started with this key.
    pub key_id: KeyId,
    /// Live or test.
    pub mode: Mode,
    /// E.164 or mail address, in full.
    pub recipient: String,
    /// The same as guards know it.
    pub recipient_mac: Vec<u8>,
    /// The number's country.
    pub country: Option<Country>,
    /// The channel used last.
    pub channel: Channel,
    /// The reader's language.
    pub locale: String,
    /// Digits of the code.
    pub code_length: i16,
    /// What a resend says.
    pub resend_policy: ResendPolicy,
    /// Where it is; see `Life::at`.
    pub status: Status,
    /// Codes that were tried.
    pub checks: i32,
    /// How many may be.
    pub max_checks: i32,
    /// Codes sent.
    pub sends: i32,
    /// The workflow's step that was done last, from 0.
    pub step: i32,
    /// JSON of `Spec`.
    pub spec: String,
    /// The request that started it.
    pub request_id: String,
    /// The latest send.
    pub last_send_at: Millis,
    /// Its end.
    pub expires_at: Millis,
    /// When it was approved or ended otherwise.
    pub decided_at: Option<Millis>,
    /// Started.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// One row of `verification_sends`: a code on its way.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = verification_sends)]
pub struct SendRow {
    /// Of this verification.
    pub verification_id: VerificationId,
    /// Which of its sends, from 1.
    pub attempt: i32,
    /// The message.
    pub message_id: MessageId,
    /// How it was sent.
    pub channel: Channel,
    /// Whether this is the send whose code was entered.
    pub converted: bool,
    /// When.
    pub created_at: Millis,
}

/// What no query asks for.
#[derive(Clone, Serialize, Deserialize)]
pub struct Spec {
    /// The text, by name.
    pub template: String,
    /// The reader's language as it was asked for, where that is more than the row's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_locale: Option<String>,
    /// WebOTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_origin: Option<String>,
    /// SMS Retriever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_hash: Option<String>,
    /// The caller's notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The end user as guards know them.
    #[serde(default)]
    pub client: ClientMacs,
    /// The steps, the first included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workflow: Vec<StoredStep>,
    /// Which workflow this is, where a second start brought another; steps due of an older one are void.
    #[serde(default)]
    pub round: u32,
    /// When the next step is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step_at: Option<Millis>,
    /// The code of the refusal that ended the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_error: Option<String>,
}

/// A step of a workflow.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredStep {
    /// How.
    pub channel: Channel,
    /// Before the next step, ms.
    pub wait_ms: u64,
    /// Whom, where it is another address than the verification's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Row {
    /// What decides whether it is open.
    pub fn life(&self) -> Life {
        Life { status: self.status, checks: self.checks, max_checks: self.max_checks, expires_at: self.expires_at }
    }

    /// The members of `spec`.
    pub fn spec(&self) -> Result<Spec> {
        serde_json::from_str(&self.spec).map_err(Error::internal)
    }
}

impl Spec {
    /// The members of a new verification.
    pub fn of(new: &NewVerification, client: ClientMacs) -> Spec {
        Spec {
            template: new.template.clone(),
            asked_locale: Some(new.asked_locale.clone()).filter(|asked| asked != new.locale.as_str()),
            web_origin: new.web_origin.as_ref().map(|host| String::from(host.as_str())),
            app_hash: new.app_hash.as_ref().map(|hash| String::from(hash.as_str())),
            metadata: new.metadata.clone(),
            client,
            workflow: new.workflow.iter().map(StoredStep::of).collect(),
            round: 0,
            next_step_at: None,
            workflow_error: None,
        }
    }

    /// What a second start brings to the verification it joins: of how its message looks and for whom what it names
    /// itself, and a workflow where it has one. The rest is as the first start fixed it.
    pub fn join(&mut self, new: &NewVerification, client: ClientMacs) {
        let joining = Spec::of(new, client);
        if new.named.template {
            self.template = joining.template;
        }
        if new.named.locale {
            self.asked_locale = joining.asked_locale;
        }
        if new.named.client {
            self.client = joining.client;
        }
        self.web_origin = joining.web_origin.or(self.web_origin.take());
        self.app_hash = joining.app_hash.or(self.app_hash.take());
        if !joining.workflow.is_empty() {
            self.workflow = joining.workflow;
            self.round += 1;
            self.next_step_at = None;
            self.workflow_error = None;
        }
    }

    /// As the column keeps it.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}

impl StoredStep {
    fn of(step: &Step) -> StoredStep {
        StoredStep {
            channel: step.channel,
            wait_ms: whole_ms(step.wait),
            to: step.to.as_ref().map(|to| String::from(to.address())),
        }
    }

    /// How long before the next step.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms)
    }
}
