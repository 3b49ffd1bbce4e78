//! All SQL of the inbound room.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::chats::Written;
use super::keyword::Keyword;
use super::opt_outs::Consents;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{inbound_messages, opt_outs};
use crate::error::{Code, Error, Result};
use crate::ids::{InboundId, OptOutId, OrgId};
use crate::phone::ERASED;
use crate::secret::{Keyring, Purpose};
use crate::terms::{Channel, Mode};

/// Stands for every organization in `opt_outs.org_id`.
const EVERYBODY: &str = "*";

/// A message that somebody sent to us.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = inbound_messages, treat_none_as_default_value = false)]
pub(super) struct InboundRow {
    pub(super) id: InboundId,
    pub(super) carrier: String,
    pub(super) provider_id: String,
    pub(super) org_id: Option<OrgId>,
    pub(super) mode: Mode,
    pub(super) channel: Channel,
    pub(super) sender: String,
    pub(super) recipient: String,
    pub(super) body: Vec<u8>,
    pub(super) keyword: Option<Keyword>,
    pub(super) received_at: Millis,
    pub(super) sent_at: Option<Millis>,
    /// Since then `body` is an empty text.
    pub(super) purged_at: Option<Millis>,
}

crate::text_enum! {
    /// Where an opt-out came from.
    pub enum Source {
        /// The person said STOP.
        Inbound = "inbound",
        /// The organization told us.
        Api = "api",
    }
}

/// Somebody who wants no messages.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = opt_outs, treat_none_as_default_value = false)]
pub(super) struct OptOutRow {
    pub(super) id: OptOutId,
    org_id: String,
    pub(super) mode: Mode,
    pub(super) channel: Channel,
    pub(super) recipient: String,
    pub(super) source: Source,
    pub(super) inbound_id: Option<InboundId>,
    pub(super) created_at: Millis,
}

impl OptOutRow {
    /// An opt-out of the messages of `org_id`, or of everybody's.
    pub(super) fn new(
        org_id: Option<OrgId>,
        (mode, channel, recipient): (Mode, Channel, &str),
        inbound_id: Option<InboundId>,
        now: Millis,
    ) -> OptOutRow {
        OptOutRow {
            id: OptOutId::new(now),
            org_id: owner_text(org_id),
            mode,
            channel,
            recipient: String::from(recipient),
            source: if inbound_id.is_some() { Source::Inbound } else { Source::Api },
            inbound_id,
            created_at: now,
        }
    }
}

fn owner_text(org_id: Option<OrgId>) -> String {
    org_id.map_or_else(|| String::from(EVERYBODY), |org| org.to_string())
}

/// Stores a message; `false` where it is a repeat.
pub(super) fn insert_inbound(conn: &mut Conn, row: &InboundRow) -> Result<bool> {
    let stored = crate::both!(conn, c => diesel::insert_into(inbound_messages::table)
        .values(row)
        .on_conflict((inbound_messages::carrier, inbound_messages::provider_id))
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// Messages to `owner`, newest first, from before `before` on; only those of `sender` where it is given.
pub(super) fn list_inbound(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    sender: Option<&str>,
    before: Option<InboundId>,
    limit: i64,
) -> Result<Vec<InboundRow>> {
    let mut query = inbound_messages::table
        .filter(inbound_messages::org_id.eq(owner.0))
        .filter(inbound_messages::mode.eq(owner.1))
        .order(inbound_messages::id.desc())
        .limit(limit)
        .select(InboundRow::as_select())
        .into_boxed();
    if let Some(sender) = sender {
        query = query.filter(inbound_messages::sender.eq(String::from(sender)));
    }
    if let Some(before) = before {
        query = query.filter(inbound_messages::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Messages that belong to nobody, newest first, from before `before` on.
pub(super) fn list_without_owner(conn: &mut Conn, before: Option<InboundId>, limit: i64) -> Result<Vec<InboundRow>> {
    let mut query = inbound_messages::table
        .filter(inbound_messages::org_id.is_null())
        .order(inbound_messages::id.desc())
        .limit(limit)
        .select(InboundRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(inbound_messages::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// One message to `owner`. Error: `not_found`.
pub(super) fn load_inbound(conn: &mut Conn, owner: (OrgId, Mode), id: InboundId) -> Result<InboundRow> {
    let found: Option<InboundRow> = inbound_messages::table
        .find(id)
        .filter(inbound_messages::org_id.eq(owner.0))
        .filter(inbound_messages::mode.eq(owner.1))
        .select(InboundRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Error::new(Code::NotFound))
}

/// Drops up to `limit` messages that came before `before`.
pub fn purge_inbound(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    // Ids sort by time: the smallest possible id of that moment bounds the scan of the primary key.
    let old: Vec<InboundId> = inbound_messages::table
        .filter(inbound_messages::id.lt(InboundId::first_at(before)))
        .order(inbound_messages::id.asc())
        .select(inbound_messages::id)
        .limit(limit)
        .load(conn)?;
    for id in &old {
        diesel::delete(inbound_messages::table.find(*id)).execute(conn)?;
    }
    Ok(old.len())
}

/// Purges up to `limit` texts of messages that came before `before`: found along an index that holds nothing else. The
/// rows stay.
pub fn purge_inbound_texts(
    conn: &mut Conn,
    keyring: &Keyring,
    before: Millis,
    now: Millis,
    limit: i64,
) -> Result<usize> {
    let old: Vec<InboundId> = inbound_messages::table
        .filter(inbound_messages::purged_at.is_null())
        .filter(inbound_messages::id.lt(InboundId::first_at(before)))
        .order(inbound_messages::id.asc())
        .select(inbound_messages::id)
        .limit(limit)
        .load(conn)?;
    for id in &old {
        let nothing = keyring.seal(Purpose::Body, id.as_str().as_bytes(), b"");
        diesel::update(inbound_messages::table.find(*id))
            .set((inbound_messages::body.eq(nothing), inbound_messages::purged_at.eq(now)))
            .execute(conn)?;
    }
    Ok(old.len())
}

/// The latest WhatsApp message of each of `people` (as they wrote: a number, or the channel's id of them) to each
/// originator. Found along an index.
pub fn latest_chats(conn: &mut Conn, people: &BTreeSet<(OrgId, Mode, String)>) -> Result<Vec<Written>> {
    use diesel::dsl::max;
    type Latest = (OrgId, Mode, String, String, Option<Millis>, Option<Millis>);
    let owners: BTreeSet<(OrgId, Mode)> = people.iter().map(|(org, mode, _)| (*org, *mode)).collect();
    let mut found: Vec<Latest> = Vec::new();
    for (org, mode) in owners {
        let senders: Vec<&str> =
            people.iter().filter(|one| (one.0, one.1) == (org, mode)).map(|one| one.2.as_str()).collect();
        for chunk in senders.chunks(CHUNK) {
            let query = inbound_messages::table
                .filter(inbound_messages::org_id.eq(org))
                .filter(inbound_messages::mode.eq(mode))
                .filter(inbound_messages::channel.eq(Channel::Whatsapp))
                .filter(inbound_messages::sender.eq_any(chunk.iter().copied()))
                .group_by((inbound_messages::sender, inbound_messages::recipient))
                .select((
                    inbound_messages::sender,
                    inbound_messages::recipient,
                    max(inbound_messages::sent_at),
                    max(inbound_messages::received_at),
                ));
            let rows: Vec<(String, String, Option<Millis>, Option<Millis>)> = query.load(conn)?;
            found.extend(rows.into_iter().map(|(sender, to, sent, came)| (org, mode, sender, to, sent, came)));
        }
    }
    let written = |(org_id, mode, sender, recipient, sent, came): Latest| {
        Some(Written { org_id, mode, sender, recipient, at: sent.or(came)? })
    };
    Ok(found.into_iter().filter_map(written).collect())
}

/// Values of one `IN`: below what SQLite takes.
const CHUNK: usize = 1_000;

/// Notes an opt-out; `false` where it was there already.
pub(super) fn insert_opt_out(conn: &mut Conn, row: &OptOutRow) -> Result<bool> {
    let stored = crate::both!(conn, c => diesel::insert_into(opt_outs::table)
        .values(row)
        .on_conflict((opt_outs::recipient, opt_outs::channel, opt_outs::mode, opt_outs::org_id))
        .do_nothing()
        .execute(c))?;
    Ok(stored == 1)
}

/// Takes an opt-out back; whether there was one.
pub(super) fn delete_opt_out(
    conn: &mut Conn,
    org_id: Option<OrgId>,
    (mode, channel, recipient): (Mode, Channel, &str),
) -> Result<bool> {
    let gone = diesel::delete(opt_outs::table)
        .filter(opt_outs::recipient.eq(recipient))
        .filter(opt_outs::channel.eq(channel))
        .filter(opt_outs::mode.eq(mode))
        .filter(opt_outs::org_id.eq(owner_text(org_id)))
        .execute(conn)?;
    Ok(gone == 1)
}

/// The opt-out of exactly these, if there is one.
pub(super) fn find_opt_out(
    conn: &mut Conn,
    org: OrgId,
    (mode, channel, recipient): (Mode, Channel, &str),
) -> Result<Option<OptOutRow>> {
    Ok(opt_outs::table
        .filter(opt_outs::recipient.eq(recipient))
        .filter(opt_outs::channel.eq(channel))
        .filter(opt_outs::mode.eq(mode))
        .filter(opt_outs::org_id.eq(owner_text(Some(org))))
        .select(OptOutRow::as_select())
        .first(conn)
        .optional()?)
}

/// An opt-out of an organization by its id. Error: `not_found`.
pub(super) fn load_opt_out(conn: &mut Conn, owner: (OrgId, Mode), id: OptOutId) -> Result<OptOutRow> {
    let found: Option<OptOutRow> = opt_outs::table.find(id).select(OptOutRow::as_select()).first(conn).optional()?;
    found.filter(|row| row.org_id == owner.0.as_str() && row.mode == owner.1).ok_or_else(|| Error::new(Code::NotFound))
}

/// Opt-outs of an organization, newest first, from before `before` on; only those of `recipient` where it is given.
pub(super) fn list_opt_outs(
    conn: &mut Conn,
    owner: (OrgId, Mode),
    recipient: Option<&str>,
    before: Option<OptOutId>,
    limit: i64,
) -> Result<Vec<OptOutRow>> {
    let mut query = opt_outs::table
        .filter(opt_outs::org_id.eq(owner_text(Some(owner.0))))
        .filter(opt_outs::mode.eq(owner.1))
        .order(opt_outs::id.desc())
        .limit(limit)
        .select(OptOutRow::as_select())
        .into_boxed();
    if let Some(recipient) = recipient {
        query = query.filter(opt_outs::recipient.eq(String::from(recipient)));
    }
    if let Some(before) = before {
        query = query.filter(opt_outs::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Opt-outs of people whose address was erased, by their pseudonyms: few, and one stretch of an index.
pub fn erased_consents(conn: &mut Conn) -> Result<Consents> {
    type Found = (String, Mode, Channel, String);
    let found: Vec<Found> = opt_outs::table
        .filter(opt_outs::recipient.ge(ERASED))
        // Hexadecimal digits follow, and no collation sorts those behind a `g`; of marks nobody knows.
        .filter(opt_outs::recipient.lt(format!("{ERASED}g")))
        .select((opt_outs::org_id, opt_outs::mode, opt_outs::channel, opt_outs::recipient))
        .load(conn)?;
    Ok(noted(found))
}

/// What is known of `recipients`: one statement on PostgreSQL, a prepared one for each on SQLite.
pub(super) fn consents(conn: &mut Conn, recipients: &BTreeSet<&str>) -> Result<Consents> {
    type Found = (String, Mode, Channel, String);
    let columns = (opt_outs::org_id, opt_outs::mode, opt_outs::channel, opt_outs::recipient);
    let mut found: Vec<Found> = Vec::new();
    match conn {
        Conn::Pg(c) => {
            let wanted: Vec<&str> = recipients.iter().copied().collect();
            found = opt_outs::table.filter(opt_outs::recipient.eq_any(wanted)).select(columns).load(c)?;
        }
        Conn::Sqlite(c) => {
            for recipient in recipients {
                let mut rows: Vec<Found> =
                    opt_outs::table.filter(opt_outs::recipient.eq(*recipient)).select(columns).load(c)?;
                found.append(&mut rows);
            }
        }
    }
    Ok(noted(found))
}

fn noted(found: Vec<(String, Mode, Channel, String)>) -> Consents {
    let mut consents = Consents::default();
    for (org, mode, channel, recipient) in found {
        match org.parse::<OrgId>() {
            Ok(org) => consents.note(Some(org), mode, channel, recipient),
            Err(_) => consents.note(None, mode, channel, recipient),
        }
    }
    consents
}
