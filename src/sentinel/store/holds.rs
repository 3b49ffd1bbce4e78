//! Holds, as they began and ended.

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::fraud_holds;
use crate::error::{Error, Result};
use crate::fraud::engine::{Origin, Plan};
use crate::fraud::{Owner, Reason};
use crate::ids::{HoldId, OrgId};
use crate::terms::Mode;

/// A hold as it is stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = fraud_holds, treat_none_as_default_value = false)]
pub struct HoldRow {
    /// Its id.
    pub id: HoldId,
    /// Whose attempts are held.
    pub org_id: OrgId,
    /// In which world.
    pub mode: Mode,
    /// What is held, as people read it.
    pub shown: String,
    /// JSON of [`Plan`].
    pub plan: String,
    /// JSON of [`Origin`].
    pub origin: String,
    /// JSON of the reasons.
    pub reasons: String,
    /// When it began.
    pub begun_at: Millis,
    /// When it is half open.
    pub until_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// Its latest change.
    pub changed_at: Millis,
}

impl HoldRow {
    /// This state of it, by which a process knows what it has seen.
    pub fn mark(&self) -> String {
        format!("{}{}", self.id, self.changed_at.0)
    }

    /// What the engine knows of it.
    pub fn plan(&self) -> Result<(Plan, Origin)> {
        let plan = serde_json::from_str(&self.plan).map_err(Error::internal)?;
        Ok((plan, serde_json::from_str(&self.origin).map_err(Error::internal)?))
    }

    /// Why it was held.
    pub fn reasons(&self) -> Result<Vec<Reason>> {
        serde_json::from_str(&self.reasons).map_err(Error::internal)
    }
}

/// Adds holds; the ones of the same groups that were open before have been followed by them.
pub fn insert_holds(conn: &mut Conn, rows: &[HoldRow]) -> Result<()> {
    for row in rows {
        let open = fraud_holds::table
            .filter(fraud_holds::org_id.eq(row.org_id))
            .filter(fraud_holds::mode.eq(row.mode))
            .filter(fraud_holds::shown.eq(&row.shown))
            .filter(fraud_holds::ended_at.is_null());
        diesel::update(open)
            .set((
                fraud_holds::ended_at.eq(Some(row.begun_at)),
                fraud_holds::ended_by.eq(Some("engine")),
                fraud_holds::changed_at.eq(row.changed_at),
            ))
            .execute(conn)?;
        diesel::insert_into(fraud_holds::table).values(row.clone()).execute(conn)?;
    }
    Ok(())
}

/// Ends a hold that is open; whether it was.
pub fn end_hold(conn: &mut Conn, id: HoldId, by: &str, now: Millis) -> Result<bool> {
    let open = fraud_holds::table.filter(fraud_holds::id.eq(id)).filter(fraud_holds::ended_at.is_null());
    let ended = diesel::update(open)
        .set((fraud_holds::ended_at.eq(Some(now)), fraud_holds::ended_by.eq(Some(by)), fraud_holds::changed_at.eq(now)))
        .execute(conn)?;
    Ok(ended > 0)
}

/// The hold `id`.
pub fn find_hold(conn: &mut Conn, id: HoldId) -> Result<Option<HoldRow>> {
    Ok(fraud_holds::table.find(id).select(HoldRow::as_select()).first(conn).optional()?)
}

/// Holds that changed after `after`, oldest change first.
pub fn changed_holds(conn: &mut Conn, after: Millis, limit: i64) -> Result<Vec<HoldRow>> {
    Ok(fraud_holds::table
        .filter(fraud_holds::changed_at.gt(after))
        .order((fraud_holds::changed_at.asc(), fraud_holds::id.asc()))
        .limit(limit)
        .select(HoldRow::as_select())
        .load(conn)?)
}

/// Holds that began after `after` and have not ended.
pub fn open_holds(conn: &mut Conn, after: Millis) -> Result<Vec<HoldRow>> {
    Ok(fraud_holds::table
        .filter(fraud_holds::changed_at.gt(after))
        .filter(fraud_holds::ended_at.is_null())
        .select(HoldRow::as_select())
        .load(conn)?)
}

/// Holds, newest first: of `owner` or of all, open ones only or all.
pub fn list_holds(
    conn: &mut Conn,
    owner: Option<Owner>,
    only_open: bool,
    before: Option<HoldId>,
    limit: i64,
) -> Result<Vec<HoldRow>> {
    let mut query =
        fraud_holds::table.order(fraud_holds::id.desc()).limit(limit).select(HoldRow::as_select()).into_boxed();
    if let Some((org, mode)) = owner {
        query = query.filter(fraud_holds::org_id.eq(org)).filter(fraud_holds::mode.eq(mode));
    }
    if only_open {
        query = query.filter(fraud_holds::ended_at.is_null());
    }
    if let Some(before) = before {
        query = query.filter(fraud_holds::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Drops up to `limit` holds that began before `before`.
pub fn purge_holds(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<HoldId> = fraud_holds::table
        .filter(fraud_holds::id.lt(HoldId::first_at(before)))
        .filter(fraud_holds::ended_at.is_not_null())
        .select(fraud_holds::id)
        .limit(limit)
        .load(conn)?;
    for id in &old {
        diesel::delete(fraud_holds::table.find(*id)).execute(conn)?;
    }
    Ok(old.len())
}
