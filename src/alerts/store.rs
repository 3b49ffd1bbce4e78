//! All SQL of alerts.

use diesel::prelude::*;

use super::AlertKind;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::alerts;
use crate::error::Result;

/// What waits to be mailed, or was.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = alerts)]
pub struct Row {
    /// What happened.
    pub kind: AlertKind,
    /// The organization, or nothing.
    pub org_id: String,
    /// How often since the last mail.
    pub count: i64,
    /// The latest, in a line.
    pub example: String,
    /// The first since the last mail.
    pub first_at: Millis,
    /// The last mail; 0 for none.
    pub mailed_at: Millis,
}

/// Counts what happened.
pub fn add(conn: &mut Conn, (kind, org): (AlertKind, &str), count: i64, example: &str, now: Millis) -> Result<()> {
    let row = alerts::table.find((kind, org));
    let set = (alerts::count.eq(alerts::count + count), alerts::example.eq(example));
    // The first since the last mail tells when it began.
    diesel::update(row.filter(alerts::count.eq(0))).set(alerts::first_at.eq(now)).execute(conn)?;
    if diesel::update(row).set(set).execute(conn)? > 0 {
        return Ok(());
    }
    let new = Row {
        kind,
        org_id: String::from(org),
        count,
        example: String::from(example),
        first_at: now,
        mailed_at: Millis(0),
    };
    let insert = diesel::insert_into(alerts::table).values(new).on_conflict_do_nothing();
    if crate::both!(conn, c => insert.execute(c))? == 0 {
        diesel::update(row).set(set).execute(conn)?;
    }
    Ok(())
}

/// What has happened and was not mailed since, where the last mail was before `before`.
pub fn due(conn: &mut Conn, before: Millis, limit: i64) -> Result<Vec<Row>> {
    Ok(alerts::table
        .filter(alerts::count.gt(0))
        .filter(alerts::mailed_at.le(before))
        .order((alerts::first_at.asc(), alerts::kind.asc(), alerts::org_id.asc()))
        .limit(limit)
        .load(conn)?)
}

/// Takes what `row` counts out to be mailed; whether nobody else has. What has been added since stays.
pub fn take(conn: &mut Conn, row: &Row, now: Millis) -> Result<bool> {
    let same = alerts::table
        .find((row.kind, &row.org_id))
        .filter(alerts::mailed_at.eq(row.mailed_at))
        .filter(alerts::count.ge(row.count));
    let set = (alerts::count.eq(alerts::count - row.count), alerts::mailed_at.eq(now), alerts::first_at.eq(now));
    Ok(diesel::update(same).set(set).execute(conn)? == 1)
}

/// Forgets everything: nobody is to be told.
pub fn forget(conn: &mut Conn) -> Result<()> {
    diesel::delete(alerts::table).execute(conn)?;
    Ok(())
}
