//! Windows of contacts: the counter is locked, the contacts are rows behind it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::{
    whatsapp_contacts as contacts, whatsapp_portfolios as portfolios, whatsapp_windows as windows,
};
use crate::error::{Error, Result};
use crate::terms::Mode;
use crate::whatsapp::chats::WindowKey;
use crate::whatsapp::ladder::ContactLimit;
use crate::whatsapp::window::{ContactWindow, Stored};

#[derive(Queryable, Insertable)]
#[diesel(table_name = windows)]
struct WindowRow {
    portfolio: String,
    mode: Mode,
    used: i64,
    forgotten_to: Millis,
    as_of: Millis,
}

/// The window of `key`, turned to `now`, with what it knows of `asked` and as many of its oldest as they may need.
/// With `hold` its counter is locked until the transaction ends. The limit is read behind the lock: a change acts on
/// whoever comes next.
pub fn load_window(
    conn: &mut Conn,
    key: &WindowKey,
    asked: &BTreeSet<Vec<u8>>,
    hold: bool,
    now: Millis,
) -> Result<ContactWindow> {
    let stored = counter(conn, key, hold, now)?.unwrap_or(Stored::fresh(now));
    let stored = stored.turned(now, |from, to| counted(conn, key, from, Some(to)))?;
    let limit = limit_of(conn, &key.0)?;
    let known = known_of(conn, key, asked)?;
    let most = i64::try_from(stored.oldest_needed(limit, asked.len())).unwrap_or(i64::MAX);
    let query = contacts::table
        .filter(contacts::portfolio.eq(&key.0))
        .filter(contacts::mode.eq(key.1))
        .filter(contacts::last_at.gt(stored.forgotten_to))
        .order(contacts::last_at.asc())
        .limit(most)
        .select((contacts::last_at, contacts::contact));
    let oldest: Vec<(Millis, Vec<u8>)> = crate::both!(conn, c => query.load(c))?;
    Ok(ContactWindow::new(limit, stored, known, oldest))
}

fn counter(conn: &mut Conn, key: &WindowKey, hold: bool, now: Millis) -> Result<Option<Stored>> {
    let query = windows::table.find((&key.0, key.1));
    let row: Option<WindowRow> = match &mut *conn {
        Conn::Pg(c) if hold => match query.for_update().first(c).optional()? {
            Some(row) => Some(row),
            None => {
                // A row that is not there cannot be locked.
                let empty = row(key, Stored::fresh(now));
                diesel::insert_into(windows::table).values(&empty).on_conflict_do_nothing().execute(c)?;
                query.for_update().first(c).optional()?
            }
        },
        conn => crate::both!(conn, c => query.first(c)).optional()?,
    };
    Ok(row.map(|row| Stored {
        used: u64::try_from(row.used).unwrap_or(0),
        forgotten_to: row.forgotten_to,
        as_of: row.as_of,
    }))
}

fn row(key: &WindowKey, stored: Stored) -> WindowRow {
    WindowRow {
        portfolio: key.0.clone(),
        mode: key.1,
        used: i64::try_from(stored.used).unwrap_or(i64::MAX),
        forgotten_to: stored.forgotten_to,
        as_of: stored.as_of,
    }
}

/// Contacts last written to after `from`, and not after `to` where that is given.
fn counted(conn: &mut Conn, key: &WindowKey, from: Millis, to: Option<Millis>) -> Result<u64> {
    let query = contacts::table
        .filter(contacts::portfolio.eq(&key.0))
        .filter(contacts::mode.eq(key.1))
        .filter(contacts::last_at.gt(from))
        .filter(contacts::last_at.le(to.unwrap_or(Millis(i64::MAX))))
        .count();
    let count: i64 = crate::both!(conn, c => query.get_result(c))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn limit_of(conn: &mut Conn, portfolio: &str) -> Result<ContactLimit> {
    let query = portfolios::table.find(portfolio).select(portfolios::contact_limit);
    let found: Option<Option<i64>> = crate::both!(conn, c => query.first(c)).optional()?;
    let found = found.ok_or_else(|| Error::internal("a number without its portfolio"))?;
    Ok(ContactLimit::from_column(found))
}

fn known_of(conn: &mut Conn, key: &WindowKey, asked: &BTreeSet<Vec<u8>>) -> Result<BTreeMap<Vec<u8>, Millis>> {
    type Known = (Vec<u8>, Millis);
    let columns = (contacts::contact, contacts::last_at);
    let mut found: Vec<Known> = Vec::new();
    match conn {
        Conn::Pg(c) => {
            let wanted: Vec<&[u8]> = asked.iter().map(Vec::as_slice).collect();
            found = contacts::table
                .filter(contacts::portfolio.eq(&key.0))
                .filter(contacts::mode.eq(key.1))
                .filter(contacts::contact.eq_any(wanted))
                .select(columns)
                .load(c)?;
        }
        Conn::Sqlite(c) => {
            for contact in asked {
                let one = contacts::table.find((&key.0, key.1, contact.as_slice())).select(columns);
                found.extend(one.first::<Known>(c).optional()?);
            }
        }
    }
    Ok(found.into_iter().collect())
}

const SAVE_CONTACTS: &str = "INSERT INTO whatsapp_contacts (portfolio, mode, contact, last_at) \
    SELECT ?, ?, * FROM unnest(?::bytea[], ?::bigint[]) \
    ON CONFLICT (portfolio, mode, contact) DO UPDATE SET last_at = excluded.last_at";

#[derive(Insertable)]
#[diesel(table_name = contacts)]
struct ContactRow<'a> {
    portfolio: &'a str,
    mode: Mode,
    contact: &'a [u8],
    last_at: Millis,
}

/// Writes back what was counted, under the lock of `load_window`.
pub fn save_window(conn: &mut Conn, key: &WindowKey, stored: Stored, taken: &BTreeMap<Vec<u8>, Millis>) -> Result<()> {
    let counter = row(key, stored);
    match conn {
        Conn::Sqlite(c) => {
            diesel::replace_into(windows::table).values(&counter).execute(c)?;
            for (contact, last_at) in taken {
                let row = ContactRow { portfolio: &key.0, mode: key.1, contact, last_at: *last_at };
                diesel::replace_into(contacts::table).values(&row).execute(c)?;
            }
        }
        Conn::Pg(c) => {
            let set = (
                windows::used.eq(counter.used),
                windows::forgotten_to.eq(counter.forgotten_to),
                windows::as_of.eq(counter.as_of),
            );
            diesel::update(windows::table.find((&key.0, key.1))).set(set).execute(c)?;
            fixed(SAVE_CONTACTS)
                .bind::<Text, _>(key.0.as_str())
                .bind::<Text, _>(key.1)
                .bind::<Array<Binary>, _>(taken.keys().map(Vec::as_slice).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(taken.values().copied().collect::<Vec<_>>())
                .execute(c)?;
        }
    }
    Ok(())
}

/// How many contacts count at `now`; takes nothing and waits for nobody.
pub fn used_now(conn: &mut Conn, key: &WindowKey, now: Millis) -> Result<u64> {
    let Some(stored) = counter(conn, key, false, now)? else { return Ok(0) };
    Ok(stored.turned(now, |from, to| counted(conn, key, from, Some(to)))?.used)
}

/// Unique live contacts of a portfolio since `since`.
pub fn count_since(conn: &mut Conn, portfolio: &str, since: Millis) -> Result<u64> {
    counted(conn, &(String::from(portfolio), Mode::Live), since, None)
}

/// Every window that was ever counted in.
pub fn portfolios_in_use(conn: &mut Conn) -> Result<Vec<WindowKey>> {
    Ok(windows::table.select((windows::portfolio, windows::mode)).load(conn)?)
}

/// Drops up to `limit` contacts of a window that were last written to before `before`, and that are not counted.
pub fn purge_contacts(conn: &mut Conn, key: &WindowKey, before: Millis, limit: i64) -> Result<usize> {
    let forgotten = windows::table.find((&key.0, key.1)).select(windows::forgotten_to).first::<Millis>(conn);
    let before = forgotten.optional()?.map_or(before, |forgotten| forgotten.min(before));
    let old: Vec<Vec<u8>> = contacts::table
        .filter(contacts::portfolio.eq(&key.0))
        .filter(contacts::mode.eq(key.1))
        .filter(contacts::last_at.le(before))
        .order(contacts::last_at.asc())
        .limit(limit)
        .select(contacts::contact)
        .load(conn)?;
    for contact in &old {
        // Whoever was written to meanwhile stays.
        let one = contacts::table.find((&key.0, key.1, contact.as_slice()));
        diesel::delete(one.filter(contacts::last_at.le(before))).execute(conn)?;
    }
    Ok(old.len())
}
