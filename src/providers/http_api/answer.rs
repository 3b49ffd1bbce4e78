//! What an answer to a hand-off means. Pure.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::callback::word_at;
use crate::providers::outgoing_http::{Answer, DEFAULT_WAIT, unreadable};
use crate::providers::{Cause, Outcome, Outgoing, Refusal, RefusalKind, TemplateState, wording};

/// What a carrier's word for a failure means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The recipient or the content is at fault; our word for it.
    Final(&'static str),
    /// This carrier cannot; our word for it.
    Route(&'static str),
    /// Asked to slow down, for as long as the answer says.
    Busy,
    /// Asked to slow down, for this many seconds.
    Wait(u64),
    /// Too much from this number to this recipient.
    Pair,
    /// The account or the number is stopped; our word for it.
    Stop(&'static str),
    /// The reviewed template is in this state there.
    Template(TemplateState),
    /// It may be on its way.
    Unclear,
}

impl Verdict {
    /// The same of a message that the carrier had taken and then gave up on: nothing is unclear about that.
    pub fn cause(self) -> Cause {
        let (kind, code) = match self {
            Verdict::Final(code) => (RefusalKind::Final, code),
            Verdict::Route(code) => (RefusalKind::Route, code),
            Verdict::Busy => (RefusalKind::Throttled(DEFAULT_WAIT), "provider.throttled"),
            Verdict::Wait(seconds) => (RefusalKind::Throttled(Duration::from_secs(seconds)), "provider.throttled"),
            Verdict::Pair => (RefusalKind::Pair, "whatsapp.pair_limit"),
            Verdict::Stop(code) => (RefusalKind::Stop, code),
            Verdict::Template(state) => (RefusalKind::Template(state), "template.not_approved"),
            Verdict::Unclear => (RefusalKind::Route, "provider.unavailable"),
        };
        Cause { kind, code }
    }
}

/// There is no such recipient.
pub const BAD_RECIPIENT: Verdict = Verdict::Final("recipient.invalid");
/// The recipient wants nothing from us.
pub const OPTED_OUT: Verdict = Verdict::Final("recipient.opted_out");
/// Not by this carrier.
pub const REJECTED: Verdict = Verdict::Route("provider.rejected");
/// The account or its credentials: an operator has to look.
pub const AUTH: Verdict = Verdict::Route("provider.auth");
/// Not now; certainly not taken.
pub const UNAVAILABLE: Verdict = Verdict::Route("provider.unavailable");

/// An answer, read once.
pub struct Answered<'a> {
    answer: &'a Answer,
    message: &'a Outgoing,
    json: Option<Value>,
}

impl<'a> Answered<'a> {
    /// Reads `answer` to `message`.
    pub fn new(answer: &'a Answer, message: &'a Outgoing) -> Answered<'a> {
        let json = answer.body.as_ref().ok().and_then(|body| serde_json::from_slice(body).ok());
        Answered { answer, message, json }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..=299).contains(&self.answer.status)
    }

    /// The body as text, empty where it could not be read.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.answer.body.as_deref().unwrap_or_default())
    }

    /// What stands at a JSON pointer.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        self.json.as_ref()?.pointer(pointer)
    }

    /// The word or number at a JSON pointer.
    pub fn word(&self, pointer: &str) -> Option<String> {
        word_at(self.json.as_ref()?, pointer)
    }

    /// The first of `pointers` at which there is a text.
    pub fn words(&self, pointers: &[&str]) -> String {
        let found = pointers.iter().find_map(|pointer| self.at(pointer)?.as_str());
        String::from(found.unwrap_or_default())
    }

    /// The hand-off whose reference the answer carries.
    pub fn reference(&self) -> &'a str {
        self.message.attempt_id.as_str()
    }

    /// Taken under this id; an answer without one is unclear.
    pub fn accepted(&self, id: Option<String>) -> Outcome {
        id.map_or_else(|| self.unclear(), |id| Outcome::Accepted { provider_id: Some(id), state: None })
    }

    /// The message may be on its way.
    pub fn unclear(&self) -> Outcome {
        let code = self.answer.body.as_ref().err().copied().unwrap_or("provider.bad_response");
        unreadable(code, self.answer.status)
    }

    /// The outcome of `verdict`; `words` are the carrier's own.
    pub fn refused(&self, verdict: Verdict, words: &str) -> Outcome {
        let Cause { kind, code } = match verdict {
            Verdict::Busy => Cause { kind: self.answer.wait(), ..verdict.cause() },
            Verdict::Unclear => return self.unclear(),
            verdict => verdict.cause(),
        };
        let detail = match words.trim() {
            "" => format!("HTTP {}", self.answer.status),
            words => wording::keepable(words, self.message),
        };
        Outcome::Refused(Refusal { kind, code, detail })
    }

    /// The outcome by the HTTP status alone, where no table knows better. `words` are those of the carrier's own
    /// error; where there are none, a 503 may be a gateway's that gave up waiting.
    pub fn by_status(&self, words: &str) -> Outcome {
        let theirs = !words.trim().is_empty();
        let verdict = match self.answer.status {
            401..=403 => AUTH,
            429 => Verdict::Busy,
            // A gateway's word that the request took too long: it may have passed on what it had.
            408 => Verdict::Unclear,
            // The same request is or was under way.
            409 => Verdict::Unclear,
            400..=499 => REJECTED,
            503 if theirs => UNAVAILABLE,
            _ => Verdict::Unclear,
        };
        self.refused(verdict, words)
    }
}
