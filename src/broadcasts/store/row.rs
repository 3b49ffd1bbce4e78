//! A broadcast as it is stored, found and changed. Finders that a customer's request reaches take the owner.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::broadcasts::state::Status;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::broadcasts as dsl;
use crate::error::{Code, Error, Result};
use crate::ids::{BatchId, BroadcastId, KeyId, OrgId};
use crate::terms::{Channel, Kind, Mode};

/// Whose broadcasts are looked for.
pub type Owner = (OrgId, Mode);

/// One row of `broadcasts`. Its counters are exact: they change in the transaction that changes the contacts.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = dsl, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Row {
    /// Its id; sorts by time.
    pub id: BroadcastId,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// Whose standing decides: made, started or resumed with it.
    pub key_id: KeyId,
    /// The batch of its messages.
    pub batch_id: BatchId,
    /// Its owner's word for it.
    pub name: String,
    /// How it travels.
    pub channel: Channel,
    /// What it is for.
    pub kind: Kind,
    /// Its template's name.
    pub template: Option<String>,
    /// Who it comes from, where it says so.
    pub sender: Option<String>,
    /// What every contact is told, sealed; empty once it was purged.
    pub said: Vec<u8>,
    /// Where it is.
    pub status: Status,
    /// Why it paused or stopped by itself: an error code.
    pub reason: Option<String>,
    /// Counts claims and changes.
    pub turn: i64,
    /// When the worker looks again.
    pub next_at: Option<Millis>,
    /// Contacts of the next step at most.
    pub width: i16,
    /// The row that the next contact gets.
    pub next_row: i32,
    /// Contacts in all.
    pub contacts: i32,
    /// Rows dropped because their contact was there.
    pub duplicates: i32,
    /// Contacts that had opted out when they were added.
    pub opted_out: i32,
    /// Contacts whose message was accepted.
    pub accepted: i32,
    /// Contacts refused for good.
    pub refused: i32,
    /// JSON: refused contacts by error code.
    pub refusals: String,
    /// The request that set it going.
    pub request_id: String,
    /// Begins then.
    pub scheduled_for: Option<Millis>,
    /// Began.
    pub started_at: Option<Millis>,
    /// Came to its end.
    pub ended_at: Option<Millis>,
    /// Made.
    pub created_at: Millis,
    /// Last change.
    pub updated_at: Millis,
}

impl Row {
    /// Whose it is.
    pub fn owner(&self) -> Owner {
        (self.org_id, self.mode)
    }

    /// Contacts that nothing was decided about yet.
    pub fn waiting(&self) -> i32 {
        self.contacts.saturating_sub(self.accepted).saturating_sub(self.refused)
    }

    /// Refused contacts by error code.
    pub fn refusals(&self) -> Result<BTreeMap<String, i32>> {
        serde_json::from_str(&self.refusals).map_err(Error::internal)
    }
}

/// Adds a broadcast.
pub fn insert(conn: &mut Conn, row: &Row) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(dsl::table).values(row).execute(c))?;
    Ok(())
}

/// A broadcast of `owner`. Error: `not_found`.
pub fn load(conn: &mut Conn, owner: Owner, id: BroadcastId) -> Result<Row> {
    let row: Option<Row> = dsl::table.find(id).select(Row::as_select()).first(conn).optional()?;
    row.filter(|row| row.owner() == owner).ok_or_else(|| Error::new(Code::NotFound))
}

/// The same, held until the transaction ends.
pub fn load_locked(conn: &mut Conn, owner: Owner, id: BroadcastId) -> Result<Row> {
    find_locked(conn, id)?.filter(|row| row.owner() == owner).ok_or_else(|| Error::new(Code::NotFound))
}

/// A broadcast by id alone, held until the transaction ends: for the worker.
pub fn find_locked(conn: &mut Conn, id: BroadcastId) -> Result<Option<Row>> {
    let found = dsl::table.find(id);
    Ok(match conn {
        Conn::Pg(c) => found.select(Row::as_select()).for_update().first(c).optional()?,
        Conn::Sqlite(c) => found.select(Row::as_select()).first(c).optional()?,
    })
}

/// Broadcasts of `owner`, newest first, from before `before` on.
pub fn list(
    conn: &mut Conn,
    owner: Owner,
    status: Option<Status>,
    before: Option<BroadcastId>,
    limit: i64,
) -> Result<Vec<Row>> {
    let mut query = dsl::table
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .order(dsl::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(status) = status {
        query = query.filter(dsl::status.eq(status));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Broadcasts of an organization, in both modes, that could still send; held until the transaction ends, in one order.
pub fn open_of(conn: &mut Conn, org: OrgId) -> Result<Vec<Row>> {
    const OPEN: [Status; 3] = [Status::Scheduled, Status::Running, Status::Paused];
    let found = dsl::table.filter(dsl::org_id.eq(org)).filter(dsl::status.eq_any(OPEN)).order(dsl::id.asc());
    Ok(match conn {
        Conn::Pg(c) => found.select(Row::as_select()).for_update().load(c)?,
        Conn::Sqlite(c) => found.select(Row::as_select()).load(c)?,
    })
}

/// Writes a row back as the one of the next turn, if it is still of `row`'s turn: whether it was.
pub fn save(conn: &mut Conn, row: &Row) -> Result<bool> {
    let next = Row { turn: row.turn.saturating_add(1), ..row.clone() };
    let target = dsl::table.filter(dsl::id.eq(row.id)).filter(dsl::turn.eq(row.turn));
    Ok(crate::both!(conn, c => diesel::update(target).set(&next).execute(c))? == 1)
}
