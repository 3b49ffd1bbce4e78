//! The table of requests.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use uuid::Uuid;

use super::line::first_row_at;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::request_log as dsl;
use crate::error::Result;
use crate::ids::{DecisionId, KeyId, OperatorId, OrgId};
use crate::terms::Mode;

/// One row of `request_log`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = crate::db::schema::request_log, treat_none_as_default_value = false)]
pub struct Row {
    /// The request's id, a UUIDv7; of a count, one of its minute.
    pub id: String,
    /// When it came; of a count, its minute.
    pub at: Millis,
    /// Whether it is the line of one request; else it counts those without one.
    pub listed: bool,
    /// How many requests it stands for.
    pub requests: i64,
    /// Whose.
    pub org_id: Option<OrgId>,
    /// By this key.
    pub key_id: Option<KeyId>,
    /// By this operator.
    pub operator_id: Option<OperatorId>,
    /// Live or test.
    pub mode: Option<Mode>,
    /// Its method.
    pub method: String,
    /// The pattern of its route.
    pub route: String,
    /// Its status.
    pub status: i32,
    /// The error's code.
    pub code: Option<String>,
    /// The limit that refused it.
    pub policy: Option<String>,
    /// Whether its route has a successor.
    pub deprecated: bool,
    /// How long it took.
    pub duration_ms: i64,
    /// Its client's own id.
    pub client_id: Option<String>,
    /// Its client's network.
    pub client_net: Option<String>,
    /// The thing it made or named.
    pub target: Option<String>,
    /// The decision that refused it.
    pub decision_id: Option<DecisionId>,
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this organization.
    pub org_id: Option<OrgId>,
    /// By this key.
    pub key_id: Option<KeyId>,
    /// By this operator.
    pub operator_id: Option<OperatorId>,
    /// Answered with this status.
    pub status: Option<i32>,
    /// Answered with this code.
    pub code: Option<String>,
    /// To this route.
    pub route: Option<String>,
    /// At or after.
    pub since: Option<Millis>,
    /// Before.
    pub until: Option<Millis>,
}

/// Adds rows: one statement on PostgreSQL.
pub(super) fn insert(conn: &mut Conn, rows: &[Row]) -> Result<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(dsl::table).values(row).on_conflict_do_nothing().execute(c)?;
            }
        }
        Conn::Pg(c) => {
            diesel::insert_into(dsl::table).values(rows).on_conflict_do_nothing().execute(c)?;
        }
    }
    Ok(())
}

/// The line of a request.
pub fn find(conn: &mut Conn, id: &Uuid) -> Result<Option<Row>> {
    let found = dsl::table.find(id.to_string()).filter(dsl::listed.eq(true));
    Ok(found.select(Row::as_select()).first(conn).optional()?)
}

/// Lines, newest first, from before `before` on.
pub fn list(conn: &mut Conn, filter: Filter, before: Option<Uuid>, limit: i64) -> Result<Vec<Row>> {
    let mut query = dsl::table
        .filter(dsl::listed.eq(true))
        .order(dsl::id.desc())
        .limit(limit)
        .select(Row::as_select())
        .into_boxed();
    if let Some(org) = filter.org_id {
        query = query.filter(dsl::org_id.eq(org));
    }
    if let Some(key) = filter.key_id {
        query = query.filter(dsl::key_id.eq(key));
    }
    if let Some(operator) = filter.operator_id {
        query = query.filter(dsl::operator_id.eq(operator));
    }
    if let Some(status) = filter.status {
        query = query.filter(dsl::status.eq(status));
    }
    if let Some(code) = filter.code {
        query = query.filter(dsl::code.eq(code));
    }
    if let Some(route) = filter.route {
        query = query.filter(dsl::route.eq(route));
    }
    if let Some(since) = filter.since {
        query = query.filter(dsl::id.ge(first_row_at(since)));
    }
    if let Some(until) = filter.until {
        query = query.filter(dsl::id.lt(first_row_at(until)));
    }
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before.to_string()));
    }
    Ok(query.load(conn)?)
}

/// The lines of requests that named `target`, oldest first.
pub(super) fn about(conn: &mut Conn, target: &str, limit: i64) -> Result<Vec<Row>> {
    Ok(dsl::table
        .filter(dsl::target.eq(target))
        .filter(dsl::listed.eq(true))
        .order(dsl::id.asc())
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?)
}

/// Drops up to `limit` rows from before `before`; how many.
pub fn purge(conn: &mut Conn, before: Millis, limit: i64) -> Result<usize> {
    let old: Vec<String> = dsl::table
        .filter(dsl::id.lt(first_row_at(before)))
        .order(dsl::id.asc())
        .limit(limit)
        .select(dsl::id)
        .load(conn)?;
    diesel::delete(dsl::table.filter(dsl::id.eq_any(&old))).execute(conn)?;
    Ok(old.len())
}

/// Requests that have these in common, and how many they are.
#[derive(Debug, QueryableByName)]
pub(super) struct Group {
    /// A code, a policy or a route, as the query says.
    #[diesel(sql_type = Text)]
    pub word: String,
    /// Their method; of limits, none.
    #[diesel(sql_type = Nullable<Text>)]
    pub method: Option<String>,
    /// Their route; of limits, none.
    #[diesel(sql_type = Nullable<Text>)]
    pub route: Option<String>,
    /// Whose.
    #[diesel(sql_type = Nullable<Text>)]
    pub org_id: Option<OrgId>,
    /// By this key.
    #[diesel(sql_type = Nullable<Text>)]
    pub key_id: Option<KeyId>,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub requests: i64,
    /// The latest of them; of those that are only counted, its minute.
    #[diesel(sql_type = BigInt)]
    pub last_at: Millis,
}

/// How many requests there were.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub(super) struct Totals {
    /// In all.
    #[diesel(sql_type = BigInt)]
    pub requests: i64,
    /// Of these, refused or failed.
    #[diesel(sql_type = BigInt)]
    pub errors: i64,
    /// Of all, without a line.
    #[diesel(sql_type = BigInt)]
    pub unlisted: i64,
}

/// A stretch of time, and an organization or all.
pub(super) struct Scope {
    /// From, before.
    pub between: (Millis, Millis),
    /// Of this organization.
    pub org_id: Option<OrgId>,
    /// Most groups.
    pub limit: i64,
}

const TOTALS: &str = "SELECT CAST(COALESCE(SUM(requests), 0) AS BIGINT) AS requests, \
    CAST(COALESCE(SUM(CASE WHEN code IS NULL THEN 0 ELSE requests END), 0) AS BIGINT) AS errors, \
    CAST(COALESCE(SUM(CASE WHEN listed THEN 0 ELSE requests END), 0) AS BIGINT) AS unlisted \
    FROM request_log WHERE id >= ? AND id < ? AND (? = '' OR org_id = ?)";

/// How many requests there were.
pub(super) fn totals(conn: &mut Conn, scope: &Scope) -> Result<Totals> {
    let (from, to, org) = bounds(scope);
    let query = fixed(TOTALS).bind::<Text, _>(from).bind::<Text, _>(to).bind::<Text, _>(org.clone());
    Ok(crate::both!(conn, c => query.bind::<Text, _>(org).get_result(c))?)
}

const ERRORS: &str = "SELECT code AS word, method, route, org_id, key_id, CAST(SUM(requests) AS BIGINT) AS requests, \
    MAX(at) AS last_at FROM request_log \
    WHERE id >= ? AND id < ? AND (? = '' OR org_id = ?) AND code IS NOT NULL \
    GROUP BY code, method, route, org_id, key_id \
    ORDER BY 6 DESC, code, method, route, org_id, key_id LIMIT ?";

/// Errors by code, route and key, the most frequent first.
pub(super) fn errors(conn: &mut Conn, scope: &Scope) -> Result<Vec<Group>> {
    groups(conn, ERRORS, scope)
}

const LIMITS: &str = "SELECT policy AS word, CAST(NULL AS TEXT) AS method, CAST(NULL AS TEXT) AS route, org_id, key_id, \
    CAST(SUM(requests) AS BIGINT) AS requests, MAX(at) AS last_at FROM request_log \
    WHERE id >= ? AND id < ? AND (? = '' OR org_id = ?) AND policy IS NOT NULL \
    GROUP BY policy, org_id, key_id ORDER BY 6 DESC, policy, org_id, key_id LIMIT ?";

/// Refusals by limit and key, the most frequent first.
pub(super) fn limits(conn: &mut Conn, scope: &Scope) -> Result<Vec<Group>> {
    groups(conn, LIMITS, scope)
}

const DEPRECATED: &str = "SELECT route AS word, method, route, org_id, key_id, CAST(SUM(requests) AS BIGINT) AS requests, \
    MAX(at) AS last_at FROM request_log \
    WHERE id >= ? AND id < ? AND (? = '' OR org_id = ?) AND deprecated \
    GROUP BY route, method, org_id, key_id ORDER BY 6 DESC, route, method, org_id, key_id LIMIT ?";

/// Uses of routes that have a successor, by key, the most frequent first.
pub(super) fn deprecated(conn: &mut Conn, scope: &Scope) -> Result<Vec<Group>> {
    groups(conn, DEPRECATED, scope)
}

fn groups(conn: &mut Conn, text: &'static str, scope: &Scope) -> Result<Vec<Group>> {
    let (from, to, org) = bounds(scope);
    let query = fixed(text).bind::<Text, _>(from).bind::<Text, _>(to).bind::<Text, _>(org.clone());
    let query = query.bind::<Text, _>(org).bind::<BigInt, _>(scope.limit);
    Ok(crate::both!(conn, c => query.get_results(c))?)
}

fn bounds(scope: &Scope) -> (String, String, String) {
    let (from, to) = scope.between;
    (first_row_at(from), first_row_at(to), scope.org_id.map(|id| id.to_string()).unwrap_or_default())
}
