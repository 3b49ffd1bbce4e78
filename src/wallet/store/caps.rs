//! Spend caps and what has been spent under them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{spend_caps, spend_windows};
use crate::error::Result;
use crate::ids::OrgId;
use crate::money::{Currency, Micros};
use crate::terms::Mode;
use crate::wallet::caps::{Cap, CapKey, CapScope, CapWindow, SpendLog};

#[derive(Queryable, Insertable)]
#[diesel(table_name = spend_caps)]
struct CapRow {
    org_id: OrgId,
    scope: CapScope,
    value: String,
    window_ms: i64,
    amount_micros: Micros,
    currency: Currency,
    created_at: Millis,
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = spend_windows)]
struct SpentRow {
    org_id: OrgId,
    mode: Mode,
    scope: CapScope,
    value: String,
    window_ms: i64,
    spent: Vec<u8>,
    told: i16,
    as_of: Millis,
}

/// What has been spent under a cap, and up to which share an alert has been given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The sums.
    pub log: SpendLog,
    /// Percent of the last alert; 0 for none.
    pub told: i16,
}

/// Every organization's caps.
pub fn load_caps(conn: &mut Conn) -> Result<BTreeMap<OrgId, Vec<Cap>>> {
    let rows: Vec<CapRow> = spend_caps::table.order((spend_caps::org_id, spend_caps::scope)).load(conn)?;
    let mut caps: BTreeMap<OrgId, Vec<Cap>> = BTreeMap::new();
    for row in rows {
        caps.entry(row.org_id).or_default().extend(cap(row));
    }
    Ok(caps)
}

/// The caps of one organization.
pub fn caps_of(conn: &mut Conn, org: OrgId) -> Result<Vec<Cap>> {
    let rows: Vec<CapRow> = spend_caps::table
        .filter(spend_caps::org_id.eq(org))
        .order((spend_caps::scope, spend_caps::value, spend_caps::window_ms))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(cap).collect())
}

/// Puts `caps` in place of all of an organization's. What has been spent stays counted.
pub fn replace_caps(conn: &mut Conn, org: OrgId, caps: &[Cap], now: Millis) -> Result<()> {
    diesel::delete(spend_caps::table.filter(spend_caps::org_id.eq(org))).execute(conn)?;
    for cap in caps {
        let row = CapRow {
            org_id: org,
            scope: cap.scope,
            value: cap.value.clone(),
            window_ms: cap.window.millis(),
            amount_micros: cap.amount,
            currency: cap.currency,
            created_at: now,
        };
        diesel::insert_into(spend_caps::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// What has been spent under `keys`, turned to `now`; with `hold` locked until the transaction ends, in the order of the
/// keys.
pub fn load_spent(
    conn: &mut Conn,
    keys: &BTreeSet<CapKey>,
    hold: bool,
    now: Millis,
) -> Result<BTreeMap<CapKey, Spent>> {
    let mut found = BTreeMap::new();
    for key in keys {
        let query = spend_windows::table.find((key.org_id, key.mode, key.scope, &key.value, key.window.millis()));
        let row: Option<SpentRow> = match &mut *conn {
            Conn::Pg(c) if hold => {
                // A row that is not there cannot be locked.
                let empty = row(key, &Spent { log: SpendLog::new(key.window, now), told: 0 });
                let known: Option<SpentRow> = query.for_update().first(c).optional()?;
                match known {
                    Some(known) => Some(known),
                    None => {
                        diesel::insert_into(spend_windows::table).values(&empty).on_conflict_do_nothing().execute(c)?;
                        query.for_update().first(c).optional()?
                    }
                }
            }
            conn => crate::both!(conn, c => query.first(c)).optional()?,
        };
        let (mut log, told) = match row {
            Some(row) => (SpendLog::decode(&row.spent, key.window, row.as_of), row.told),
            None => (SpendLog::new(key.window, now), 0),
        };
        log.turn_to(now);
        found.insert(key.clone(), Spent { log, told });
    }
    Ok(found)
}

/// Writes back what has been spent.
pub fn save_spent(conn: &mut Conn, changed: &[(&CapKey, &Spent)]) -> Result<()> {
    for (key, spent) in changed {
        let row = row(key, spent);
        match conn {
            Conn::Sqlite(c) => diesel::replace_into(spend_windows::table).values(&row).execute(c)?,
            // The row is there and locked.
            Conn::Pg(c) => {
                let one = spend_windows::table.find((key.org_id, key.mode, key.scope, &key.value, key.window.millis()));
                let set = (
                    spend_windows::spent.eq(&row.spent),
                    spend_windows::told.eq(row.told),
                    spend_windows::as_of.eq(row.as_of),
                );
                diesel::update(one).set(set).execute(c)?
            }
        };
    }
    Ok(())
}

/// Drops up to `limit` windows that nobody has spent in since `before`.
pub fn purge_spent(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<SpentRow> = spend_windows::table.filter(spend_windows::as_of.lt(before)).limit(limit).load(conn)?;
    for row in &old {
        let one = spend_windows::table.find((row.org_id, row.mode, row.scope, &row.value, row.window_ms));
        diesel::delete(one.filter(spend_windows::as_of.lt(before))).execute(conn)?;
    }
    Ok(old.len())
}

fn row(key: &CapKey, spent: &Spent) -> SpentRow {
    SpentRow {
        org_id: key.org_id,
        mode: key.mode,
        scope: key.scope,
        value: key.value.clone(),
        window_ms: key.window.millis(),
        spent: spent.log.encode(),
        told: spent.told,
        as_of: spent.log.as_of(),
    }
}

/// `None` for a window that no version of ours writes.
fn cap(row: CapRow) -> Option<Cap> {
    let window = *CapWindow::ALL.iter().find(|window| window.millis() == row.window_ms)?;
    Some(Cap { scope: row.scope, value: row.value, window, amount: row.amount_micros, currency: row.currency })
}
