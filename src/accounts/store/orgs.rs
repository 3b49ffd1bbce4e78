//! Table `orgs`.

use diesel::prelude::*;

use super::{from_column, to_column};
use crate::accounts::org::{KybStatus, Org, OrgStatus, Protection, SubscriptionStatus};
use crate::accounts::plans::PlanName;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::orgs;
use crate::error::{Error, Result};
use crate::ids::OrgId;
use crate::phone::Country;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = orgs, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct Row {
    id: OrgId,
    name: String,
    plan: PlanName,
    status: OrgStatus,
    subscription_status: SubscriptionStatus,
    kyb_status: KybStatus,
    country: Country,
    countries: String,
    locale: String,
    protection: Protection,
    learning_until: Option<Millis>,
    guarding: String,
    max_code_ttl_ms: i64,
    created_at: Millis,
    updated_at: Millis,
    next_plan: Option<PlanName>,
    next_plan_at: Option<Millis>,
}

/// Adds an organization.
pub(in crate::accounts) fn insert(conn: &mut Conn, org: Org) -> Result<()> {
    diesel::insert_into(orgs::table).values(Row::try_from(org)?).execute(conn)?;
    Ok(())
}

/// Writes an organization as it now is.
pub(in crate::accounts) fn update(conn: &mut Conn, org: Org) -> Result<()> {
    let id = org.id;
    diesel::update(orgs::table.filter(orgs::id.eq(id))).set(Row::try_from(org)?).execute(conn)?;
    Ok(())
}

/// The organization `id`.
pub(in crate::accounts) fn find(conn: &mut Conn, id: OrgId) -> Result<Option<Org>> {
    let row: Option<Row> = orgs::table.filter(orgs::id.eq(id)).select(Row::as_select()).first(conn).optional()?;
    row.map(Org::try_from).transpose()
}

/// The same, held until the transaction ends, so that two changes do not undo each other.
pub(in crate::accounts) fn find_locked(conn: &mut Conn, id: OrgId) -> Result<Option<Org>> {
    if let Conn::Pg(c) = conn {
        orgs::table.filter(orgs::id.eq(id)).select(orgs::id).for_update().execute(c)?;
    }
    find(conn, id)
}

/// The organization, where there is exactly one.
pub(in crate::accounts) fn only(conn: &mut Conn) -> Result<Option<OrgId>> {
    let first_two: Vec<OrgId> = orgs::table.select(orgs::id).limit(2).load(conn)?;
    Ok(match first_two.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}

/// Organizations, newest first.
pub(in crate::accounts) fn list(conn: &mut Conn, before: Option<OrgId>, limit: i64) -> Result<Vec<Org>> {
    let mut query = orgs::table.select(Row::as_select()).order(orgs::id.desc()).limit(limit).into_boxed();
    if let Some(id) = before {
        query = query.filter(orgs::id.lt(id));
    }
    let rows: Vec<Row> = query.load(conn)?;
    rows.into_iter().map(Org::try_from).collect()
}

/// Organizations whose change of plan is due.
pub(in crate::accounts) fn plans_due(conn: &mut Conn, now: Millis) -> Result<Vec<OrgId>> {
    Ok(orgs::table.filter(orgs::next_plan_at.le(now)).select(orgs::id).order(orgs::id.asc()).limit(500).load(conn)?)
}

impl TryFrom<Org> for Row {
    type Error = Error;

    fn try_from(org: Org) -> Result<Row> {
        Ok(Row {
            countries: to_column(&org.countries)?,
            max_code_ttl_ms: org.max_code_ttl.into(),
            id: org.id,
            name: org.name,
            plan: org.plan,
            status: org.status,
            subscription_status: org.subscription_status,
            kyb_status: org.kyb_status,
            country: org.country,
            locale: org.locale,
            protection: org.protection,
            learning_until: org.learning_until,
            guarding: to_column(&org.guarding)?,
            created_at: org.created_at,
            updated_at: org.updated_at,
            next_plan: org.next_plan,
            next_plan_at: org.next_plan_at,
        })
    }
}

impl TryFrom<Row> for Org {
    type Error = Error;

    fn try_from(row: Row) -> Result<Org> {
        Ok(Org {
            countries: from_column(&row.countries)?,
            max_code_ttl: row.max_code_ttl_ms.into(),
            id: row.id,
            name: row.name,
            plan: row.plan,
            status: row.status,
            subscription_status: row.subscription_status,
            kyb_status: row.kyb_status,
            country: row.country,
            locale: row.locale,
            protection: row.protection,
            learning_until: row.learning_until,
            guarding: from_column(&row.guarding)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
            next_plan: row.next_plan,
            next_plan_at: row.next_plan_at,
        })
    }
}
