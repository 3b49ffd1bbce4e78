//! Looking for messages over all organizations: by an id that somebody has in hand, or by what they are like within a
//! stretch of time. Ids go by an index; everything else is bounded by its stretch, along the time-sorted ids.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::state::Status;
use super::store::{self, Row};
use crate::clock::{Millis, parse_duration};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{BatchId, DecisionId, MessageId, OrgId, VerificationId};
use crate::money::MoneyView;
use crate::phone::{Country, mask};
use crate::recipient::Recipient;
use crate::terms::{Channel, Kind, Mode};

/// How far back is looked where nothing says so.
const USUAL_SPAN: Duration = Duration::from_secs(86_400);
/// The longest stretch of one look.
const LONGEST_SPAN: Duration = Duration::from_secs(31 * 86_400);
/// Longest text of a search box, characters.
const LONGEST_TEXT: usize = 400;

/// What operators look for: as typed into a search box, or member by member.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchFilter {
    /// `key:value` tokens (`status`, `country`, `carrier`, `tenant`, `channel`, `kind`, `mode`, `error`, `since`, `until`)
    /// and at most one word: an id of ours, a request's id, the carrier's id, an idempotency key, a whole number in E.164
    /// or a mail address.
    #[param(max_length = 400, example = "status:unknown country:MM since:1h")]
    pub q: Option<String>,
    /// Of this organization: its id or its name.
    #[param(example = "ACME")]
    pub org_id: Option<String>,
    /// In this status.
    pub status: Option<Status>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// For this.
    pub kind: Option<Kind>,
    /// To this country.
    #[param(example = "MM")]
    pub country: Option<String>,
    /// Last handed to this carrier.
    pub carrier: Option<String>,
    /// Live or test; what an id stands for is shown whatever stands here.
    pub mode: Option<Mode>,
    /// Failed for this reason.
    #[param(example = "number.unreachable")]
    pub error: Option<String>,
    /// Accepted at or after this moment (RFC 3339), or so long ago (`1h`). A day ago where absent; at most 31 days before
    /// `until`.
    #[param(example = "1h")]
    pub since: Option<String>,
    /// Accepted before this moment (RFC 3339), or so long ago.
    pub until: Option<String>,
}

/// The word of a search.
#[derive(Clone, PartialEq, Eq)]
pub enum Look {
    /// None: whatever fits the rest.
    Anything,
    /// One message.
    Message(MessageId),
    /// The messages with the codes of a verification.
    Verification(VerificationId),
    /// The messages of a bulk.
    Batch(BatchId),
    /// The message that a decision let through.
    Decision(DecisionId),
    /// To this address, in full.
    Address(String),
    /// An id of somebody else's: of a request, of a carrier, or an idempotency key.
    Word(String),
}

/// A search, parsed.
#[derive(Clone)]
pub struct Search {
    /// The word.
    pub look: Look,
    /// Accepted at or after.
    pub from: Millis,
    /// Accepted before.
    pub to: Millis,
    /// Whether somebody chose that stretch.
    pub is_bounded: bool,
    /// An organization's id or name.
    pub org: Option<String>,
    /// In this status.
    pub status: Option<Status>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// For this.
    pub kind: Option<Kind>,
    /// To this country.
    pub country: Option<Country>,
    /// Last handed to this carrier.
    pub carrier: Option<String>,
    /// Live or test.
    pub mode: Option<Mode>,
    /// Failed for this reason.
    pub error: Option<String>,
}

/// A message as a search shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundMessage {
    /// Its id.
    pub id: MessageId,
    /// Accepted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Whose.
    pub org_id: OrgId,
    /// The organization's name.
    #[schema(example = "ACME")]
    pub org_name: String,
    /// Live or test.
    pub mode: Mode,
    /// To whom, masked.
    #[schema(example = "+141•••••123")]
    pub to: String,
    /// The number's country.
    #[schema(value_type = Option<String>, example = "US")]
    pub country: Option<Country>,
    /// How it travels.
    pub channel: Channel,
    /// What it is for.
    pub kind: Kind,
    /// Where it is.
    pub status: Status,
    /// The carrier of the latest hand-off.
    pub carrier: Option<String>,
    /// Why it failed, where it did.
    pub error_code: Option<String>,
    /// From when it might go until a carrier had taken it, ms; null where none has.
    #[schema(example = 184)]
    pub latency_ms: Option<i64>,
    /// What it costs.
    pub price: MoneyView,
    /// The verification whose code it carries.
    pub verification_id: Option<VerificationId>,
    /// Whether that verification was approved; null where it carries no code of one.
    pub verified: Option<bool>,
    /// The request that brought it.
    pub request_id: String,
}

impl SearchFilter {
    /// The search that this asks for at `now`. Error: `validation_failed`, with every wrong field.
    pub fn read(mut self, now: Millis) -> Result<Search> {
        let look = self.take_tokens()?;
        let moment = |field: &str, text: Option<String>| text.map(|text| moment(field, &text, now)).transpose();
        let (since, until) = (moment("since", self.since.take())?, moment("until", self.until.take())?);
        let to = until.unwrap_or_else(|| now.plus(Duration::from_secs(1)));
        let from = since.unwrap_or_else(|| to.minus(USUAL_SPAN));
        let is_bounded = since.is_some() || until.is_some();
        if from >= to {
            return Err(Error::field("since", "must be before until"));
        }
        if to.since(from) > LONGEST_SPAN + Duration::from_secs(1) {
            return Err(Error::field("since", "must be at most 31 days before until"));
        }
        let country = self.country.take().map(|text| text.to_uppercase().parse::<Country>());
        let country = country.transpose().map_err(|_| Error::field("country", "must be a country, e.g. MM"))?;
        // Who has an id in hand is not to guess in which world it is.
        let mode = self.mode.filter(|_| matches!(look, Look::Anything | Look::Address(_)));
        Ok(Search {
            look,
            from,
            to,
            is_bounded,
            org: self.org_id,
            status: self.status,
            channel: self.channel,
            kind: self.kind,
            country,
            carrier: self.carrier,
            mode,
            error: self.error,
        })
    }

    /// Moves the tokens of `q` to the members that they name; the word that is left. A member that was given beside the
    /// box comes before its token.
    fn take_tokens(&mut self) -> Result<Look> {
        let text = self.q.take().unwrap_or_default();
        if text.chars().count() > LONGEST_TEXT {
            return Err(Error::field("q", format!("must have at most {LONGEST_TEXT} characters")));
        }
        let mut word = None;
        for part in text.split_whitespace() {
            match part.split_once(':').filter(|(key, value)| is_key(key) && !value.is_empty()) {
                Some((key, value)) => self.take(key, value)?,
                None if word.is_none() => word = Some(part),
                None => return Err(Error::field("q", "takes one id or number at a time")),
            }
        }
        word.map_or(Ok(Look::Anything), look)
    }

    fn take(&mut self, key: &str, value: &str) -> Result<()> {
        fn closed<T: std::str::FromStr>(slot: &mut Option<T>, key: &str, value: &str) -> Result<()> {
            let wrong = |_| Error::field("q", format!("has a {key} that is none"));
            slot.get_or_insert(value.to_lowercase().parse().map_err(wrong)?);
            Ok(())
        }
        fn open(slot: &mut Option<String>, value: &str) -> Result<()> {
            slot.get_or_insert_with(|| String::from(value));
            Ok(())
        }
        match key {
            "status" => closed(&mut self.status, key, value),
            "channel" => closed(&mut self.channel, key, value),
            "kind" => closed(&mut self.kind, key, value),
            "mode" => closed(&mut self.mode, key, value),
            "country" => open(&mut self.country, value),
            "carrier" => open(&mut self.carrier, value),
            "tenant" | "org" => open(&mut self.org_id, value),
            "error" => open(&mut self.error, value),
            "since" => open(&mut self.since, value),
            _ => open(&mut self.until, value),
        }
    }
}

const KEYS: [&str; 11] =
    ["status", "channel", "kind", "mode", "country", "carrier", "tenant", "org", "error", "since", "until"];

fn is_key(text: &str) -> bool {
    KEYS.contains(&text)
}

fn look(word: &str) -> Result<Look> {
    if let Ok(id) = word.parse() {
        return Ok(Look::Message(id));
    }
    if let Ok(id) = word.parse() {
        return Ok(Look::Verification(id));
    }
    if let Ok(id) = word.parse() {
        return Ok(Look::Batch(id));
    }
    if let Ok(id) = word.parse() {
        return Ok(Look::Decision(id));
    }
    if word.starts_with('+') || word.contains('@') {
        // Not the parser's own words: they might say the number again.
        let wrong = |_| Error::field("q", "has a number that is none; give it whole, in E.164");
        return Recipient::in_query(word).map(|to| Look::Address(String::from(to.address()))).map_err(wrong);
    }
    Ok(Look::Word(String::from(word)))
}

/// An RFC 3339 timestamp, or a stretch of time before now.
fn moment(field: &str, text: &str, now: Millis) -> Result<Millis> {
    let wrong = || Error::field(field, "must be an RFC 3339 timestamp or a time such as 1h");
    Millis::parse_rfc3339(text).or_else(|| parse_duration(text).map(|span| now.minus(span))).ok_or_else(wrong)
}

/// Messages that `search` finds, newest first, from before `before` on; whether codes were verified is not looked up.
pub fn search(
    conn: &mut Conn,
    search: &Search,
    carriers: &[String],
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<FoundMessage>> {
    let Some(wanted) = store::resolve(conn, search, carriers)? else { return Ok(Vec::new()) };
    let rows = store::search(conn, &wanted, before, limit)?;
    shown(conn, &rows)
}

/// How messages are shown to operators: latencies and names are looked up for all of them at once.
pub fn shown(conn: &mut Conn, rows: &[Row]) -> Result<Vec<FoundMessage>> {
    let taken = store::first_taken(conn, &rows.iter().map(|row| row.id).collect::<Vec<_>>())?;
    let names = store::org_names(conn, &rows.iter().map(|row| row.org_id).collect::<Vec<_>>())?;
    let show = |row: &Row| FoundMessage {
        id: row.id,
        created_at: row.created_at,
        org_id: row.org_id,
        org_name: names.get(&row.org_id).cloned().unwrap_or_default(),
        mode: row.mode,
        to: mask(&row.recipient),
        country: row.country,
        channel: row.channel,
        kind: row.kind,
        status: row.status,
        carrier: row.carrier.clone(),
        error_code: row.error_code.clone(),
        latency_ms: taken.get(&row.id).map(|at| (at.0 - row.begins_at().0).max(0)),
        price: MoneyView::new(row.price_micros, row.currency),
        verification_id: row.verification_id,
        verified: None,
        request_id: row.request_id.clone(),
    };
    Ok(rows.iter().map(show).collect())
}

impl Row {
    /// When it might go first.
    fn begins_at(&self) -> Millis {
        self.scheduled_for.map_or(self.created_at, |at| at.max(self.created_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_774_708_200_000);

    fn read(q: &str) -> Result<Search> {
        SearchFilter { q: Some(String::from(q)), ..SearchFilter::default() }.read(NOW)
    }

    #[test]
    fn tokens_become_filters_and_the_rest_is_one_word() {
        let found =
            read("status:unknown country:mm carrier:a tenant:acme since:1h msg_01h455vb4pex5vsknk084sn02q").ok();
        let found = found.unwrap();
        assert!(matches!(found.look, Look::Message(_)));
        assert_eq!(
            (found.status, found.carrier.as_deref(), found.org.as_deref()),
            (Some(Status::Unknown), Some("a"), Some("acme"))
        );
        assert_eq!(
            (found.country.map(|c| c.as_str().to_owned()).as_deref(), found.from),
            (Some("MM"), NOW.minus(Duration::from_secs(3_600)))
        );
        assert!(matches!(read("+447400123456").ok().unwrap().look, Look::Address(to) if to == "+447400123456"));
        assert!(matches!(read("Ann@Example.com").ok().unwrap().look, Look::Address(to) if to == "ann@example.com"));
        assert!(matches!(read("SM:1").ok().unwrap().look, Look::Word(word) if word == "SM:1"));
    }

    #[test]
    fn a_look_is_a_day_long_by_default_and_31_days_at_most() {
        let found = read("").ok().unwrap();
        assert!(!found.is_bounded && found.to.since(found.from) == USUAL_SPAN);
        for bad in ["since:32d", "since:1h until:2h", "since:yesterday", "status:lost", "country:ZZZ", "a b", "+12"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read("since:31d").is_ok());
        let error = read("+4474001234567890123").err().unwrap();
        assert!(!format!("{error:?}").contains("4474001234"), "a number in a fault");
    }
}
