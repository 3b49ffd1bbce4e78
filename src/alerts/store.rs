//! All SQL of alerts.

use diesel::prelude::*;

use super::AlertKind;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{alert_mails, alerts, open_alerts};
use crate::error::Result;
use crate::ids::{AlertId, AttemptId};

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

/// A mail on its way to one operator.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = alert_mails)]
pub struct MailRow {
    /// Its id: the same at every try, and so its Message-ID.
    pub id: AttemptId,
    /// To whom.
    pub address: String,
    /// What happened.
    pub kind: AlertKind,
    /// The organization, or nothing.
    pub org_id: String,
    /// How often.
    pub count: i64,
    /// The latest, in a line.
    pub example: String,
    /// The first of them.
    pub first_at: Millis,
    /// Tries begun.
    pub tries: i32,
    /// When it is tried (again).
    pub next_at: Millis,
}

/// Puts a mail for `row` on its way to each of `addresses`.
pub fn add_mails(conn: &mut Conn, row: &Row, addresses: &[String], now: Millis) -> Result<()> {
    for address in addresses {
        let mail = MailRow {
            id: AttemptId::new(now),
            address: address.clone(),
            kind: row.kind,
            org_id: row.org_id.clone(),
            count: row.count,
            example: row.example.clone(),
            first_at: row.first_at,
            tries: 0,
            next_at: now,
        };
        diesel::insert_into(alert_mails::table).values(mail).execute(conn)?;
    }
    Ok(())
}

/// The mails whose time has come.
pub fn mails_due(conn: &mut Conn, now: Millis, limit: i64) -> Result<Vec<MailRow>> {
    Ok(alert_mails::table
        .filter(alert_mails::next_at.le(now))
        .order((alert_mails::next_at.asc(), alert_mails::id.asc()))
        .limit(limit)
        .load(conn)?)
}

/// Takes a mail for one try, which is to be over by `until`; whether nobody else has.
pub fn take_mail(conn: &mut Conn, mail: &MailRow, until: Millis) -> Result<bool> {
    let same = alert_mails::table.find(mail.id).filter(alert_mails::tries.eq(mail.tries));
    let set = (alert_mails::tries.eq(mail.tries + 1), alert_mails::next_at.eq(until));
    Ok(diesel::update(same).set(set).execute(conn)? == 1)
}

/// Puts a mail off to `next_at`, or drops it where there is no next time.
pub fn put_off_mail(conn: &mut Conn, id: AttemptId, next_at: Option<Millis>) -> Result<()> {
    match next_at {
        Some(at) => diesel::update(alert_mails::table.find(id)).set(alert_mails::next_at.eq(at)).execute(conn)?,
        None => diesel::delete(alert_mails::table.find(id)).execute(conn)?,
    };
    Ok(())
}

/// Forgets everything: nobody is to be told.
pub fn forget(conn: &mut Conn) -> Result<()> {
    diesel::delete(alerts::table).execute(conn)?;
    diesel::delete(alert_mails::table).execute(conn)?;
    Ok(())
}

/// An alert that is open, or was.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = open_alerts, primary_key(kind, org_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct OpenRow {
    /// What happened.
    pub kind: AlertKind,
    /// The organization, or nothing.
    pub org_id: String,
    /// Of this opening.
    pub id: AlertId,
    /// The latest, in a line.
    pub example: String,
    /// How often since it was opened.
    pub total: i64,
    /// The first time.
    pub opened_at: Millis,
    /// The last time.
    pub seen_at: Millis,
    /// When the stretch that is counted now began.
    pub stretch_at: Millis,
    /// How often in it.
    pub stretch_count: i64,
    /// How often in the one before.
    pub before_count: i64,
    /// When an operator has seen it.
    pub acknowledged_at: Option<Millis>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// How often it had happened then.
    pub acknowledged_total: Option<i64>,
    /// What they said.
    pub acknowledged_reason: Option<String>,
}

/// The row of a kind and an organization, locked until the transaction ends.
pub fn open_row(conn: &mut Conn, (kind, org): (AlertKind, &str)) -> Result<Option<OpenRow>> {
    let query = open_alerts::table.find((kind, org));
    Ok(match conn {
        Conn::Sqlite(c) => query.first(c).optional()?,
        Conn::Pg(c) => query.for_update().first(c).optional()?,
    })
}

/// Opens an alert; whether nobody else has.
pub fn insert_open(conn: &mut Conn, row: OpenRow) -> Result<bool> {
    let insert = diesel::insert_into(open_alerts::table).values(row).on_conflict_do_nothing();
    Ok(crate::both!(conn, c => insert.execute(c))? > 0)
}

/// Writes an alert back.
pub fn save_open(conn: &mut Conn, row: &OpenRow) -> Result<()> {
    diesel::update(open_alerts::table.find((row.kind, &row.org_id))).set(row).execute(conn)?;
    Ok(())
}

/// The alert `id`.
pub fn find_open(conn: &mut Conn, id: AlertId) -> Result<Option<OpenRow>> {
    let query = open_alerts::table.filter(open_alerts::id.eq(id)).select(OpenRow::as_select());
    Ok(query.first(conn).optional()?)
}

/// Alerts, the latest opened first, from before `before` on.
pub fn open_rows(
    conn: &mut Conn,
    kind: Option<AlertKind>,
    before: Option<AlertId>,
    limit: i64,
) -> Result<Vec<OpenRow>> {
    let mut query =
        open_alerts::table.order(open_alerts::id.desc()).limit(limit).select(OpenRow::as_select()).into_boxed();
    if let Some(kind) = kind {
        query = query.filter(open_alerts::kind.eq(kind));
    }
    if let Some(before) = before {
        query = query.filter(open_alerts::id.lt(before));
    }
    Ok(query.load(conn)?)
}
