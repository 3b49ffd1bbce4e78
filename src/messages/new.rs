//! A request to send, parsed: every fault of it is told at once, and what comes out cannot be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::{Millis, parse_duration};
use crate::error::{Code, Error, Result};
use crate::phone::{Country, Phone};
use crate::terms::{Channel, Kind};

use super::body::{FallbackBody, SendBody, TemplateBody};
use super::client::{Client, client};
use crate::recipient::Recipient;

/// Longest SMS text: ten segments of plain text; carriers refuse more.
pub const MAX_SMS_CHARS: usize = 1_530;
/// Longest mail text.
pub const MAX_EMAIL_CHARS: usize = 50_000;
/// How far ahead a message may be scheduled.
pub const MAX_SCHEDULE: Duration = Duration::from_secs(7 * 86_400);
const MAX_TTL: Duration = Duration::from_secs(7 * 86_400);
const MIN_TTL: Duration = Duration::from_secs(10);
const MAX_FALLBACKS: usize = 2;
const MIN_WAIT: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(600);
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
const MAX_METADATA: usize = 20;

/// What is to be said.
#[derive(Clone, PartialEq, Eq)]
pub enum Words {
    /// The caller's own text.
    Text {
        /// The text.
        text: String,
        /// For mail.
        subject: Option<String>,
    },
    /// One of the templates, filled in.
    Template(TemplateBody),
}

/// The channel to turn to when the one before it failed.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// The channel.
    pub channel: Channel,
    /// Whom there.
    pub to: Recipient,
    /// How long WhatsApp before it may be silent.
    pub wait: Duration,
}

/// A message that may be sent. No Debug: it holds a full number and perhaps a code.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Whom.
    pub to: Recipient,
    /// How.
    pub channel: Channel,
    /// What for.
    pub kind: Kind,
    /// What.
    pub words: Words,
    /// The originator, where the caller names one.
    pub from: Option<String>,
    /// Worth sending for so long after it is due.
    pub ttl: Duration,
    /// Not before.
    pub scheduled_for: Option<Millis>,
    /// What to try next.
    pub fallback: Vec<Step>,
    /// On whose behalf.
    pub client: Client,
    /// The caller's own notes.
    pub metadata: BTreeMap<String, String>,
}

impl NewMessage {
    /// Parses a request; `known` is its recipient, where that was read already.
    /// Error: `validation_failed` with every fault by field.
    pub fn parse(body: SendBody, known: Option<Recipient>, now: Millis) -> Result<NewMessage> {
        let mut faults = Faults::default();
        let channel = body.channel.unwrap_or(Channel::Sms);
        let kind = body.kind.unwrap_or(Kind::Otp);
        let country = faults.keep("country", body.country.as_deref().map(country_of).transpose()).flatten();
        let to = match (known, body.to.as_deref()) {
            (Some(known), _) => Some(known),
            (None, Some(text)) => {
                let read = Recipient::parse_or_user(text, channel, country).and_then(|to| reached(to, kind));
                faults.keep("to", read)
            }
            (None, None) => faults.fail("to", "is required: the number in E.164, or the mail address"),
        };
        let words = faults.keep_field(words(channel, body.body, body.template, body.subject));
        let from = faults.keep("from", body.from.map(|from| originator(channel, from)).transpose()).flatten();
        let ttl = faults.keep("ttl", body.ttl.as_deref().map_or(Ok(default_ttl(kind)), ttl_of));
        let scheduled_for =
            faults.keep("scheduled_for", body.scheduled_for.as_deref().map(|text| schedule_of(text, now)).transpose());
        let fallback = steps(&mut faults, channel, to.as_ref(), country, body.fallback.unwrap_or_default());
        let client = client(&mut faults, body.client.unwrap_or_default());
        let metadata = faults.keep("metadata", metadata(body.metadata.unwrap_or_default()));
        match (to, words, ttl, scheduled_for, metadata, faults.error) {
            (Some(to), Some(words), Some(ttl), Some(scheduled_for), Some(metadata), None) => {
                Ok(NewMessage { to, channel, kind, words, from, ttl, scheduled_for, fallback, client, metadata })
            }
            (.., Some(error)) => Err(error),
            _ => Err(Error::new(Code::ValidationFailed)),
        }
    }
}

/// Meta sends no authentication templates to business-scoped ids (its error 131062).
fn reached(to: Recipient, kind: Kind) -> Result<Recipient, String> {
    match (&to, kind) {
        (Recipient::User(..), Kind::Otp) => Err(String::from(
            "is a user id: codes go to numbers only. Give the number, or say \"kind\": \"transactional\" where this is no code",
        )),
        _ => Ok(to),
    }
}

/// Collects the faults of a request, so that all are told at once.
#[derive(Default)]
pub struct Faults {
    error: Option<Error>,
}

impl Faults {
    /// The value, or a fault of `field`.
    pub fn keep<T, E: ToString>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(why) => self.fail(field, why.to_string()),
        }
    }

    /// The value, or a fault of the field it names.
    pub fn keep_field<T>(&mut self, parsed: Result<T, (&'static str, String)>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err((field, why)) => self.fail(field, why),
        }
    }

    /// Notes a fault.
    pub fn fail<T>(&mut self, field: &str, why: impl Into<String>) -> Option<T> {
        let error = self.error.take().unwrap_or_else(|| Error::new(Code::ValidationFailed));
        self.error = Some(error.and_field(field, why));
        None
    }

    /// The faults, where there are any.
    pub fn into_error(self) -> Option<Error> {
        self.error
    }
}

/// Reads a country code; the error completes "`country` …".
pub fn country_of(text: &str) -> Result<Country, String> {
    text.parse::<Country>().map_err(|fault| fault.to_string())
}

fn words(
    channel: Channel,
    body: Option<String>,
    template: Option<TemplateBody>,
    subject: Option<String>,
) -> Result<Words, (&'static str, String)> {
    match (body, template) {
        (Some(_), Some(_)) => Err(("template", String::from("cannot stand beside body; give one of the two"))),
        (None, None) => Err(("body", String::from("is required, unless a template is given"))),
        (None, Some(template)) => Ok(Words::Template(template)),
        (Some(text), None) => {
            checked_text(channel, &text).map_err(|why| ("body", why))?;
            let subject =
                subject.map(|line| checked_subject(channel, line)).transpose().map_err(|why| ("subject", why))?;
            Ok(Words::Text { text, subject })
        }
    }
}

fn checked_text(channel: Channel, text: &str) -> Result<(), String> {
    let max = if channel == Channel::Email { MAX_EMAIL_CHARS } else { MAX_SMS_CHARS };
    if text.trim().is_empty() {
        return Err(String::from("must not be empty"));
    }
    if text.chars().count() > max {
        return Err(format!("must have at most {max} characters on this channel"));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(String::from("must not contain control characters other than line breaks and tabs"));
    }
    Ok(())
}

fn checked_subject(channel: Channel, line: String) -> Result<String, String> {
    if channel != Channel::Email {
        return Err(String::from("belongs to mail only"));
    }
    if line.trim().is_empty() || line.chars().count() > 200 || line.chars().any(char::is_control) {
        return Err(String::from("must be one line of 1 to 200 characters"));
    }
    Ok(line)
}

/// Reads an originator; the error completes "`from` …".
/// 3GPP TS 23.040, 9.1.2.5: an alphanumeric originator has at most 11 characters; numbers are E.164 or short codes.
pub fn originator(channel: Channel, from: String) -> Result<String, String> {
    if channel == Channel::Email {
        return Recipient::parse(&from, channel, None).map(|sender| String::from(sender.address()));
    }
    let short_code = (3..=8).contains(&from.len()) && from.bytes().all(|b| b.is_ascii_digit());
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_' | b'.' | b'&');
    let alphanumeric = (1..=11).contains(&from.len())
        && from.bytes().all(plain)
        && from.bytes().any(|b| b.is_ascii_alphabetic())
        && from.trim() == from;
    match from.starts_with('+') {
        true => Phone::parse(&from, None).map(|phone| String::from(phone.e164())).map_err(|fault| fault.to_string()),
        false if short_code || alphanumeric => Ok(from),
        false => {
            Err(String::from("must be a number in E.164, a short code, or up to 11 letters and digits, e.g. ACME"))
        }
    }
}

fn default_ttl(kind: Kind) -> Duration {
    match kind {
        Kind::Otp => Duration::from_secs(600),
        Kind::Transactional | Kind::Marketing => Duration::from_secs(86_400),
    }
}

fn ttl_of(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|ttl| (MIN_TTL..=MAX_TTL).contains(ttl))
        .ok_or_else(|| String::from("must be a duration of 10s to 7d, e.g. 10m"))
}

fn schedule_of(text: &str, now: Millis) -> Result<Millis, String> {
    let at = Millis::parse_rfc3339(text).ok_or("must be an RFC 3339 timestamp, e.g. 2026-12-01T08:00:00Z")?;
    if at <= now || at > now.plus(MAX_SCHEDULE) {
        return Err(String::from("must be in the future and within 7 days"));
    }
    Ok(at)
}

fn steps(
    faults: &mut Faults,
    first: Channel,
    to: Option<&Recipient>,
    country: Option<Country>,
    wanted: Vec<FallbackBody>,
) -> Vec<Step> {
    if wanted.len() > MAX_FALLBACKS {
        faults.fail::<()>("fallback", format!("takes at most {MAX_FALLBACKS} channels"));
        return Vec::new();
    }
    let mut steps = Vec::with_capacity(wanted.len());
    for (index, entry) in wanted.into_iter().enumerate() {
        let field = format!("fallback[{index}]");
        let (channel, own, wait) = entry.parts();
        if channel == first || steps.iter().any(|step: &Step| step.channel == channel) {
            faults.fail::<()>(&field, "names a channel that comes before it; give each once");
            continue;
        }
        let step = match (own, to) {
            (Some(own), _) => faults.keep(&field, Recipient::parse(&own, channel, country)),
            (None, Some(Recipient::Phone(phone))) if channel != Channel::Email => Some(Recipient::Phone(phone.clone())),
            (None, Some(Recipient::User(..))) => {
                let why = "needs an address of its own, since a user id is known to WhatsApp only: {\"channel\":\"sms\",\"to\":\"+14155550123\"}";
                faults.fail(&field, why)
            }
            (None, Some(_)) => {
                faults.fail(&field, "needs an address of its own: {\"channel\":\"email\",\"to\":\"name@example.com\"}")
            }
            (None, None) => None,
        };
        let wait = wait.map_or(DEFAULT_WAIT, |span| span.0);
        if !(MIN_WAIT..=MAX_WAIT).contains(&wait) {
            faults.fail::<()>(&format!("{field}.wait"), "must be a duration of 10s to 10m, e.g. 30s");
        }
        steps.extend(step.map(|to| Step { channel, to, wait }));
    }
    steps
}

/// Reads the `metadata` member; also the verifications' way.
pub fn metadata(map: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    let fits = map.len() <= MAX_METADATA
        && map.iter().all(|(key, value)| (1..=64).contains(&key.chars().count()) && value.chars().count() <= 500);
    if fits {
        Ok(map)
    } else {
        Err(format!("takes at most {MAX_METADATA} entries, names up to 64 and values up to 500 characters"))
    }
}

pub(super) fn short(text: String, max: usize) -> Result<String, String> {
    let fits = (1..=max).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(format!("must be one line of 1 to {max} characters")) }
}
