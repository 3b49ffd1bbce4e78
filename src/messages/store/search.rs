//! The statements of a search. Ids are found along an index; the rest is a stretch of the primary key, which sorts by
//! time, or of the organization's index where one is named.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::dispatch::{Attempt, AttemptState};
use super::row::Row;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{attempts, idempotency, messages, orgs, verification_sends};
use crate::error::Result;
use crate::ids::{BatchId, DecisionId, MessageId, OrgId, VerificationId};
use crate::messages::accept::message_at;
use crate::messages::search::{Look, Search};
use crate::messages::state::Status;
use crate::secret::sha256;
use crate::terms::Mode;

/// Most messages that an id may stand for.
const MOST_OF_AN_ID: i64 = 500;
/// A decision and its message get their ids in one breath; so far apart they may be at most.
const ONE_BREATH: Duration = Duration::from_secs(2);

/// A search whose word and organization have been looked up.
#[derive(Clone)]
pub struct Wanted {
    /// The search.
    pub search: Search,
    /// The organizations of that id or name; all of them where none is named.
    pub orgs: Option<Vec<OrgId>>,
    /// The messages that its word stands for; none where it has no such word.
    pub ids: Option<Vec<MessageId>>,
    /// Their address, where its word is one.
    pub address: Option<String>,
}

/// A query over messages, whatever it selects, narrowed to what is wanted.
macro_rules! narrowed {
    ($query:expr, $wanted:expr) => {{
        let (wanted, search) = (&$wanted, &$wanted.search);
        let mut query = $query;
        if let Some(ids) = &wanted.ids {
            query = query.filter(messages::id.eq_any(ids.clone()));
        }
        if wanted.ids.is_none() || search.is_bounded {
            query = query
                .filter(messages::id.ge(MessageId::first_at(search.from)))
                .filter(messages::id.lt(MessageId::first_at(search.to)));
        }
        if let Some(orgs) = &wanted.orgs {
            query = query
                .filter(messages::org_id.eq_any(orgs.clone()))
                .filter(messages::mode.eq_any(search.mode.map_or_else(|| Mode::ALL.to_vec(), |mode| vec![mode])));
        } else if let Some(mode) = search.mode {
            query = query.filter(messages::mode.eq(mode));
        }
        if let Some(address) = &wanted.address {
            query = query.filter(messages::recipient.eq(address.clone()));
        }
        if let Some(status) = search.status {
            query = query.filter(messages::status.eq(status));
        }
        if let Some(channel) = search.channel {
            query = query.filter(messages::channel.eq(channel));
        }
        if let Some(kind) = search.kind {
            query = query.filter(messages::kind.eq(kind));
        }
        if let Some(country) = search.country {
            query = query.filter(messages::country.eq(country));
        }
        if let Some(carrier) = &search.carrier {
            query = query.filter(messages::carrier.eq(carrier.clone()));
        }
        if let Some(error) = &search.error {
            query = query.filter(messages::error_code.eq(error.clone()));
        }
        query
    }};
}

/// Looks up the word and the organization of a search; `None` where nothing can fit.
pub fn resolve(conn: &mut Conn, search: &Search, carriers: &[String]) -> Result<Option<Wanted>> {
    let orgs = match &search.org {
        None => None,
        Some(text) => Some(orgs_called(conn, text)?),
    };
    let ids = match &search.look {
        Look::Anything | Look::Address(_) => None,
        Look::Message(id) => Some(vec![*id]),
        Look::Verification(id) => Some(of_verification(conn, *id)?),
        Look::Batch(id) => Some(of_batch(conn, *id)?),
        Look::Decision(id) => Some(of_decision(conn, *id)?),
        Look::Word(word) => Some(of_word(conn, search, word, carriers)?),
    };
    if orgs.as_ref().is_some_and(Vec::is_empty) || ids.as_ref().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let address = match &search.look {
        Look::Address(address) => Some(address.clone()),
        _ => None,
    };
    Ok(Some(Wanted { search: search.clone(), orgs, ids, address }))
}

/// Messages that are wanted, newest first, from before `before` on.
pub fn search(conn: &mut Conn, wanted: &Wanted, before: Option<MessageId>, limit: i64) -> Result<Vec<Row>> {
    let all = messages::table.order(messages::id.desc()).limit(limit).select(Row::as_select()).into_boxed();
    let mut query = narrowed!(all, *wanted);
    if let Some(before) = before {
        query = query.filter(messages::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// How many of the messages that are wanted stand in each status, of those accepted between two moments.
pub fn count_between(conn: &mut Conn, wanted: &Wanted, (from, to): (Millis, Millis)) -> Result<Vec<(Status, i64)>> {
    let grouped = messages::table.group_by(messages::status).select((messages::status, count_star())).into_boxed();
    let query = narrowed!(grouped, *wanted)
        .filter(messages::id.ge(MessageId::first_at(from)))
        .filter(messages::id.lt(MessageId::first_at(to)));
    Ok(query.load(conn)?)
}

/// When a carrier had first taken each of these messages.
pub fn first_taken(conn: &mut Conn, ids: &[MessageId]) -> Result<BTreeMap<MessageId, Millis>> {
    let found: Vec<(MessageId, Option<Millis>)> = attempts::table
        .filter(attempts::message_id.eq_any(ids.to_vec()))
        .filter(attempts::state.eq(AttemptState::Accepted))
        .order(attempts::number.desc())
        .select((attempts::message_id, attempts::finished_at))
        .load(conn)?;
    Ok(found.into_iter().filter_map(|(id, at)| Some((id, at?))).collect())
}

/// The names of organizations.
pub fn org_names(conn: &mut Conn, ids: &[OrgId]) -> Result<BTreeMap<OrgId, String>> {
    let ids: BTreeSet<OrgId> = ids.iter().copied().collect();
    let found: Vec<(OrgId, String)> =
        orgs::table.filter(orgs::id.eq_any(ids)).select((orgs::id, orgs::name)).load(conn)?;
    Ok(found.into_iter().collect())
}

fn orgs_called(conn: &mut Conn, text: &str) -> Result<Vec<OrgId>> {
    if let Ok(id) = text.parse::<OrgId>() {
        return Ok(vec![id]);
    }
    // A few thousand names at most, and the two databases fold letters differently.
    let all: Vec<(OrgId, String)> = orgs::table.select((orgs::id, orgs::name)).load(conn)?;
    let wanted = text.to_lowercase();
    Ok(all.into_iter().filter(|(_, name)| name.to_lowercase() == wanted).map(|(id, _)| id).collect())
}

fn of_verification(conn: &mut Conn, id: VerificationId) -> Result<Vec<MessageId>> {
    let sends = verification_sends::table.filter(verification_sends::verification_id.eq(id));
    Ok(sends.select(verification_sends::message_id).limit(MOST_OF_AN_ID).load(conn)?)
}

fn of_batch(conn: &mut Conn, id: BatchId) -> Result<Vec<MessageId>> {
    let found = messages::table.filter(messages::batch_id.eq(id)).order(messages::id.desc());
    Ok(found.select(messages::id).limit(MOST_OF_AN_ID).load(conn)?)
}

fn of_decision(conn: &mut Conn, id: DecisionId) -> Result<Vec<MessageId>> {
    let (from, to) = (id.moment().minus(ONE_BREATH), id.moment().plus(ONE_BREATH));
    Ok(messages::table
        .filter(messages::id.ge(MessageId::first_at(from)))
        .filter(messages::id.lt(MessageId::first_at(to)))
        .filter(messages::decision_id.eq(id))
        .select(messages::id)
        .load(conn)?)
}

/// By a carrier's id and by an idempotency key along their indexes, by a request's id within the stretch of the search.
fn of_word(conn: &mut Conn, search: &Search, word: &str, carriers: &[String]) -> Result<Vec<MessageId>> {
    let mut ids: BTreeSet<MessageId> = attempts::table
        .filter(attempts::carrier.eq_any(carriers.to_vec()))
        .filter(attempts::provider_id.eq(String::from(word)))
        .select(attempts::message_id)
        .limit(MOST_OF_AN_ID)
        .load::<MessageId>(conn)?
        .into_iter()
        .collect();
    let owners: Vec<String> = orgs::table.select(orgs::id).load(conn)?;
    for owners in owners.chunks(1_000) {
        let places: Vec<Option<String>> = idempotency::table
            .filter(idempotency::owner.eq_any(owners))
            .filter(idempotency::mode.eq_any(Mode::ALL.to_vec()))
            .filter(idempotency::key_hash.eq(sha256(word.as_bytes()).to_vec()))
            .select(idempotency::location)
            .load(conn)?;
        ids.extend(places.iter().flatten().filter_map(|place| message_at(place)));
    }
    if uuid::Uuid::try_parse(word).is_ok() {
        let of_request: Vec<MessageId> = messages::table
            .filter(messages::id.ge(MessageId::first_at(search.from)))
            .filter(messages::id.lt(MessageId::first_at(search.to)))
            .filter(messages::request_id.eq(word.to_lowercase()))
            .select(messages::id)
            .limit(MOST_OF_AN_ID)
            .load(conn)?;
        ids.extend(of_request);
    }
    Ok(ids.into_iter().collect())
}

/// Whether the request that brought a message had an idempotency key that is still kept: found along the keys' ends.
pub fn came_with_key(conn: &mut Conn, row: &Row, kept: Duration) -> Result<bool> {
    let place = crate::messages::accept::place_of(row.id);
    let end = row.created_at.plus(kept);
    let found: Option<Option<String>> = idempotency::table
        .filter(idempotency::expires_at.between(end.minus(ONE_BREATH), end.plus(ONE_BREATH)))
        .filter(idempotency::location.eq(place))
        .select(idempotency::location)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Receipts of hand-offs, as they came.
pub fn receipts_of(conn: &mut Conn, hand_offs: &[Attempt]) -> Result<Vec<super::receipts::ReceiptRow>> {
    use crate::db::schema::receipts;
    let mut found = Vec::new();
    for attempt in hand_offs {
        let Some(provider_id) = &attempt.provider_id else { continue };
        let mut rows: Vec<super::receipts::ReceiptRow> = receipts::table
            .filter(receipts::carrier.eq(attempt.carrier.clone()))
            .filter(receipts::provider_id.eq(provider_id.clone()))
            .select(super::receipts::ReceiptRow::as_select())
            .load(conn)?;
        found.append(&mut rows);
    }
    Ok(found)
}

/// Other messages to the same address, accepted within `span` before or after `row`, newest first: a stretch of the
/// primary key, since addresses have no index.
pub fn related(conn: &mut Conn, row: &Row, span: Duration, limit: i64) -> Result<Vec<Row>> {
    Ok(messages::table
        .filter(messages::id.ge(MessageId::first_at(row.created_at.minus(span))))
        .filter(messages::id.lt(MessageId::first_at(row.created_at.plus(span))))
        .filter(messages::recipient.eq(row.recipient.clone()))
        .filter(messages::id.ne(row.id))
        .order(messages::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?)
}
