//! Table `limit_overrides`.

use diesel::prelude::*;

use crate::accounts::overrides::{Bearer, LimitOverride};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::limit_overrides as dsl;
use crate::error::{Error, Result};
use crate::ids::KeyId;
use crate::limits::Policy;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = dsl, treat_none_as_default_value = false)]
struct Row {
    scope: String,
    scope_id: String,
    policy: Policy,
    allowance: String,
    expires_at: Option<Millis>,
    reason: String,
    author: String,
    created_at: Millis,
}

/// The overrides of an organization or a key, by policy.
pub(in crate::accounts) fn list(conn: &mut Conn, bearer: Bearer) -> Result<Vec<LimitOverride>> {
    let rows: Vec<Row> = dsl::table
        .filter(dsl::scope.eq(bearer.scope()).and(dsl::scope_id.eq(bearer.id())))
        .order(dsl::policy.asc())
        .select(Row::as_select())
        .load(conn)?;
    rows.into_iter().map(LimitOverride::try_from).collect()
}

/// Adds an override; the one before must have been removed.
pub(in crate::accounts) fn insert(conn: &mut Conn, bearer: Bearer, set: LimitOverride) -> Result<()> {
    diesel::insert_into(dsl::table).values(row(bearer, set)).execute(conn)?;
    Ok(())
}

/// Removes an override and answers it.
pub(in crate::accounts) fn remove(conn: &mut Conn, bearer: Bearer, policy: Policy) -> Result<Option<LimitOverride>> {
    let one = dsl::scope.eq(bearer.scope()).and(dsl::scope_id.eq(bearer.id())).and(dsl::policy.eq(policy));
    let found: Option<Row> = dsl::table.filter(one).select(Row::as_select()).first(conn).optional()?;
    if found.is_some() {
        let one = dsl::scope.eq(bearer.scope()).and(dsl::scope_id.eq(bearer.id())).and(dsl::policy.eq(policy));
        diesel::delete(dsl::table.filter(one)).execute(conn)?;
    }
    found.map(LimitOverride::try_from).transpose()
}

/// Gives a key's overrides to the key that replaces it.
pub(in crate::accounts) fn copy_key(conn: &mut Conn, from: KeyId, to: KeyId) -> Result<()> {
    list(conn, Bearer::Key(from))?.into_iter().try_for_each(|set| insert(conn, Bearer::Key(to), set))
}

fn row(bearer: Bearer, set: LimitOverride) -> Row {
    Row {
        scope: String::from(bearer.scope()),
        scope_id: String::from(bearer.id()),
        policy: set.policy,
        allowance: set.limit.to_string(),
        expires_at: set.expires_at,
        reason: set.reason,
        author: set.author,
        created_at: set.created_at,
    }
}

impl TryFrom<Row> for LimitOverride {
    type Error = Error;

    fn try_from(row: Row) -> Result<LimitOverride> {
        Ok(LimitOverride {
            policy: row.policy,
            limit: row.allowance.parse().map_err(Error::internal)?,
            expires_at: row.expires_at,
            reason: row.reason,
            author: row.author,
            created_at: row.created_at,
        })
    }
}
