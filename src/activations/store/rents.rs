//! Table `activations`. Finders that a customer's request reaches take the owner.

use diesel::prelude::*;

use crate::activations::state::{Hold, Status};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{activation_messages as messages, activations as dsl};
use crate::error::{Code, Error, Result};
use crate::ids::{ActivationId, ActivationNumberId, KeyId, OrgId};
use crate::money::{Currency, Micros};
use crate::phone::Country;
use crate::terms::Mode;

/// Whose activations are looked for.
pub type Owner = (OrgId, Mode);

/// One row of `activations`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = dsl, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Row {
    /// Its id; sorts by time.
    pub id: ActivationId,
    /// Its id at the text endpoint.
    pub serial: i64,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// Ordered with this key.
    pub key_id: KeyId,
    /// For this service.
    pub service: String,
    /// The number.
    pub number_id: ActivationNumberId,
    /// The number in E.164.
    pub phone: String,
    /// Its country.
    pub country: Country,
    /// Its network.
    pub operator: String,
    /// Where it is.
    pub status: Status,
    /// What became of its price.
    pub hold: Hold,
    /// What it costs.
    pub price_micros: Micros,
    /// In this currency.
    pub currency: Currency,
    /// Messages received.
    pub messages: i32,
    /// May be cancelled from then on.
    pub cancel_at: Millis,
    /// Ends by itself.
    pub expires_at: Millis,
    /// Has ended.
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
}

/// How an activation is named: by the API, or at the text endpoint.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// By its id.
    Id(ActivationId),
    /// By its decimal.
    Serial(i64),
}

/// Adds an activation.
pub fn insert(conn: &mut Conn, row: &Row) -> Result<()> {
    diesel::insert_into(dsl::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes an activation back.
pub fn save(conn: &mut Conn, row: &Row) -> Result<()> {
    crate::both!(conn, c => diesel::update(dsl::table.find(row.id)).set(row).execute(c))?;
    Ok(())
}

/// An activation of `owner`. Error: `not_found`.
pub fn load(conn: &mut Conn, owner: Owner, name: Name) -> Result<Row> {
    let found: Option<Row> = match name {
        Name::Id(id) => dsl::table.find(id).select(Row::as_select()).first(conn).optional()?,
        Name::Serial(serial) => {
            dsl::table.filter(dsl::serial.eq(serial)).select(Row::as_select()).first(conn).optional()?
        }
    };
    found.filter(|row| row.owner() == owner).ok_or_else(|| Error::new(Code::NotFound))
}

/// The same, held until the transaction ends.
pub fn load_locked(conn: &mut Conn, owner: Owner, name: Name) -> Result<Row> {
    let id = load(conn, owner, name)?.id;
    find_locked(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}

/// An activation by id alone, held until the transaction ends: for the worker and what comes in.
pub fn find_locked(conn: &mut Conn, id: ActivationId) -> Result<Option<Row>> {
    let found = dsl::table.find(id);
    Ok(match conn {
        Conn::Pg(c) => found.select(Row::as_select()).for_update().first(c).optional()?,
        Conn::Sqlite(c) => found.select(Row::as_select()).first(c).optional()?,
    })
}

/// Which activations to list.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// In this state.
    pub status: Option<Status>,
    /// Only those that have not ended.
    pub open: bool,
    /// Ordered from this moment on, and before that one.
    pub between: Option<(Millis, Millis)>,
}

/// Activations of `owner`, newest first, from before `before` on.
pub fn list(
    conn: &mut Conn,
    owner: Owner,
    search: &Search,
    before: Option<ActivationId>,
    (offset, limit): (i64, i64),
) -> Result<Vec<Row>> {
    let mut query = dsl::table
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .order(dsl::id.desc())
        .offset(offset)
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(status) = search.status {
        query = query.filter(dsl::status.eq(status));
    }
    if search.open {
        query = query.filter(dsl::ended_at.is_null());
    }
    if let Some((from, to)) = search.between {
        query = query.filter(dsl::created_at.ge(from)).filter(dsl::created_at.lt(to));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Activations on a number that have not ended, oldest first.
pub fn open_on(conn: &mut Conn, number: ActivationNumberId) -> Result<Vec<Row>> {
    let found = dsl::table.filter(dsl::number_id.eq(number)).filter(dsl::ended_at.is_null());
    Ok(found.order(dsl::id.asc()).select(Row::as_select()).load(conn)?)
}

/// Activations whose time has run out.
pub fn due(conn: &mut Conn, now: Millis, limit: i64) -> Result<Vec<ActivationId>> {
    let found = dsl::table.filter(dsl::ended_at.is_null()).filter(dsl::expires_at.le(now));
    Ok(found.order(dsl::expires_at.asc()).limit(limit).select(dsl::id).load(conn)?)
}

/// Drops up to `limit` activations that were ordered before `before` and have ended, with their messages.
pub fn purge_activations(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<ActivationId> = dsl::table
        .filter(dsl::id.lt(ActivationId::first_at(before)))
        .filter(dsl::ended_at.is_not_null())
        .order(dsl::id.asc())
        .select(dsl::id)
        .limit(limit)
        .load(conn)?;
    for id in &old {
        diesel::delete(messages::table.filter(messages::activation_id.eq(*id))).execute(conn)?;
        diesel::delete(dsl::table.find(*id)).execute(conn)?;
    }
    Ok(old.len())
}
