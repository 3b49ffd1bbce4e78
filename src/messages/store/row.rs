//! A message as it is stored. The row is also the job, the hold and the allowed decision.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::db::schema::messages;
use crate::error::{Error, Result};
use crate::fraud::{Kept, Reason};
use crate::ids::{BatchId, DecisionId, KeyId, MessageId, OrgId, VerificationId};
use crate::limits::Verdict;
use crate::messages::state::{Hold, Status};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::{Channel, Kind, Mode};
use crate::text::Encoding;

/// One row of `messages`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub struct Row {
    /// Its id; sorts by time of acceptance.
    pub id: MessageId,
    /// Whose.
    pub org_id: OrgId,
    /// Sent with this key.
    pub key_id: KeyId,
    /// Live or test.
    pub mode: Mode,
    /// The bulk it came in.
    pub batch_id: Option<BatchId>,
    /// The verification it carries the code of.
    pub verification_id: Option<VerificationId>,
    /// The channel it was accepted for; a fallback shows in the attempts.
    pub channel: Channel,
    /// What it is for.
    pub kind: Kind,
    /// E.164 or mail address, in full.
    pub recipient: String,
    /// The number's country.
    pub country: Option<Country>,
    /// The originator asked for.
    pub sender: Option<String>,
    /// What is said, sealed; erased once it is of no more use.
    pub content: Option<Vec<u8>>,
    /// SMS encoding.
    pub encoding: Option<Encoding>,
    /// SMS parts; 1 on other channels.
    pub segments: i32,
    /// Where it is.
    pub status: Status,
    /// Why it failed.
    pub error_code: Option<String>,
    /// What it costs.
    pub price_micros: Micros,
    /// In this currency.
    pub currency: Currency,
    /// What became of that price.
    pub hold: Hold,
    /// The decision's id.
    pub decision_id: DecisionId,
    /// The decision's terms, JSON of `Terms`.
    pub decision: String,
    /// Dispatch lane: 0 codes, 1 other single sends, 2 bulk.
    pub lane: i16,
    /// When to act next: hand it over, or give up on a lease; null when nothing is left to do.
    pub next_at: Option<Millis>,
    /// Hand-offs begun.
    pub attempts: i32,
    /// The carrier of the latest hand-off.
    pub carrier: Option<String>,
    /// JSON of [`Extra`].
    pub extra: String,
    /// The request that brought it.
    pub request_id: String,
    /// Not before.
    pub scheduled_for: Option<Millis>,
    /// Never sent after.
    pub expires_at: Millis,
    /// Accepted.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

/// What a decision saw and said, compact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Rules that fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Limits it was measured against, with what was used after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitTerm>,
    /// What the fraud engine saw and said.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Kept>,
}

impl Terms {
    /// As the column keeps it.
    pub fn to_json(&self) -> String {
        // One a message: a buffer that need not grow.
        let mut text = Vec::with_capacity(1_024);
        let written = serde_json::to_writer(&mut text, self).ok();
        written.and_then(|()| String::from_utf8(text).ok()).unwrap_or_else(|| String::from("{}"))
    }
}

/// [`Terms`] without what is not asked for.
#[derive(Deserialize)]
struct Reasons {
    #[serde(default)]
    reasons: Vec<Reason>,
}

/// One limit as a decision met it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitTerm {
    /// The policy.
    #[serde(rename = "p")]
    pub policy: String,
    /// What it allows.
    #[serde(rename = "q")]
    pub limit: u64,
    /// What is used.
    #[serde(rename = "u")]
    pub used: u64,
}

impl From<&Verdict> for LimitTerm {
    fn from(verdict: &Verdict) -> LimitTerm {
        LimitTerm { policy: verdict.policy.to_string(), limit: verdict.limit, used: verdict.used }
    }
}

/// What few queries ask for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Extra {
    /// The caller's notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Channels still to try, with their addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<(Channel, String)>,
    /// How long WhatsApp before each of them may be silent, ms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback_waits_ms: Vec<u64>,
    /// How many of them are used up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fallback_used: usize,
    /// Carriers that certainly refused on the present channel, in this round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<String>,
    /// Rounds over all routes that failed for a passing cause.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rounds: usize,
    /// What the latest refusal asks to wait before a further round, ms.
    #[serde(default, skip_serializing_if = "is_zero_ms")]
    pub retry_wait_ms: u64,
    /// The template's name, for lists that cannot show the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The name and language of the template at the carrier that reviewed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<(String, String)>,
    /// The caller's own id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// What the app said became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<String>,
    /// The month (`2026-11`) whose free allowance it took from: it gives that back if no carrier takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_month: Option<String>,
}

impl Extra {
    /// As the column keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| String::from("{}"))
    }

    /// Whether another channel is left to try.
    pub fn has_fallback(&self) -> bool {
        self.fallback_used < self.fallback.len()
    }
}

impl Extra {
    /// How long a message that WhatsApp took may be without a word of its arrival before the next channel is tried;
    /// `None` where none is left or `present` is another channel.
    pub fn patience(&self, present: Channel) -> Option<Duration> {
        let wait = self.fallback_waits_ms.get(self.fallback_used).copied().map(Duration::from_millis)?;
        (self.has_fallback() && present == Channel::Whatsapp).then_some(wait)
    }
}

fn is_zero_ms(wait: &u64) -> bool {
    *wait == 0
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Row {
    /// The members of `extra`.
    pub fn extra(&self) -> Result<Extra> {
        serde_json::from_str(&self.extra).map_err(Error::internal)
    }

    /// The members of `decision`.
    pub fn terms(&self) -> Result<Terms> {
        serde_json::from_str(&self.decision).map_err(Error::internal)
    }

    /// The rules that fired, read by themselves: every answer shows them, few want the rest of `decision`.
    pub fn reasons(&self) -> Result<Vec<Reason>> {
        let found: Reasons = serde_json::from_str(&self.decision).map_err(Error::internal)?;
        Ok(found.reasons)
    }

    /// The members of `extra`, or none of them where they cannot be read.
    pub fn extra_or_none(&self) -> Extra {
        self.extra().unwrap_or_default()
    }

    /// The channel and address that the next hand-off uses.
    pub fn way(&self, extra: &Extra) -> (Channel, String) {
        match extra.fallback_used.checked_sub(1).and_then(|index| extra.fallback.get(index)) {
            Some((channel, address)) => (*channel, address.clone()),
            None => (self.channel, self.recipient.clone()),
        }
    }
}
