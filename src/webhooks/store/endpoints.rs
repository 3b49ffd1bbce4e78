//! Endpoints, and who wants what.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

use crate::clock::Millis;
use crate::db::Conn;
use crate::db::fixed::fixed;
use crate::db::schema::webhook_endpoints as dsl;
use crate::error::{Code, Error, Result};
use crate::ids::{EndpointId, ListenerId, NotAnId, OrgId};
use crate::terms::Mode;
use crate::webhooks::emit::Owner;

crate::text_enum! {
    /// Whether an endpoint is called.
    pub enum EndpointStatus { Enabled = "enabled", Disabled = "disabled" }
}

crate::text_enum! {
    /// Why an endpoint is not called.
    pub enum DisabledReason {
        /// Its owner said so.
        ByOwner = "by_owner",
        /// An operator said so.
        ByOperator = "by_operator",
        /// It answered 410.
        Gone = "gone",
        /// Nothing but failure for five days.
        Failing = "failing",
    }
}

/// One row of `webhook_endpoints`.
#[derive(Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = crate::db::schema::webhook_endpoints, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct EndpointRow {
    /// Its id; sorts by time.
    pub id: EndpointId,
    /// Whose.
    pub org_id: OrgId,
    /// Live or test.
    pub mode: Mode,
    /// Where it is, as the guard normalised it.
    pub url: String,
    /// Its owner's words.
    pub description: String,
    /// JSON list of event types.
    pub events: String,
    /// Whether it is called.
    pub status: EndpointStatus,
    /// Why not.
    pub disabled_reason: Option<DisabledReason>,
    /// The signing secret, sealed.
    pub secret: Vec<u8>,
    /// The one before, sealed.
    pub old_secret: Option<Vec<u8>>,
    /// Until when the one before signs along.
    pub old_until: Option<Millis>,
    /// The first failure since the last success.
    pub failing_since: Option<Millis>,
    /// Made.
    pub created_at: Millis,
    /// Last change by its owner or for good.
    pub updated_at: Millis,
    /// The one before `old_secret`, sealed.
    pub older_secret: Option<Vec<u8>>,
    /// Until when that one signs along.
    pub older_until: Option<Millis>,
}

/// Who is to hear of an event: the prefix of the id tells which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, diesel::deserialize::FromSqlRow)]
pub enum Hearer {
    /// An endpoint, which is called.
    Endpoint(EndpointId),
    /// A listener, which asks.
    Listener(ListenerId),
}

impl Hearer {
    /// The endpoint, where it is one.
    pub fn endpoint(self) -> Option<EndpointId> {
        match self {
            Hearer::Endpoint(id) => Some(id),
            Hearer::Listener(_) => None,
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Hearer::Endpoint(id) => id.as_str(),
            Hearer::Listener(id) => id.as_str(),
        }
    }
}

impl std::str::FromStr for Hearer {
    type Err = NotAnId;

    fn from_str(text: &str) -> std::result::Result<Hearer, NotAnId> {
        text.parse().map(Hearer::Listener).or_else(|_| text.parse().map(Hearer::Endpoint))
    }
}

crate::text_column!(Hearer);

/// An enabled endpoint or a listener whose lease holds, and what it wants.
#[derive(Debug, Clone, QueryableByName)]
pub struct Subscriber {
    /// Which one.
    #[diesel(sql_type = Text)]
    pub id: Hearer,
    /// Whose.
    #[diesel(sql_type = Text)]
    pub org_id: OrgId,
    /// Live or test.
    #[diesel(sql_type = Text)]
    pub mode: Mode,
    /// JSON list of event types.
    #[diesel(sql_type = Text)]
    pub events: String,
}

const SUBSCRIBERS_OF_ALL: &str = "SELECT id, org_id, mode, events FROM webhook_endpoints \
    WHERE org_id = ANY(?::text[]) AND status = 'enabled' \
    UNION ALL SELECT id, org_id, mode, events FROM webhook_listeners \
    WHERE org_id = ANY(?::text[]) AND expires_at > ? ORDER BY id";
const SUBSCRIBERS_OF_ONE: &str = "SELECT id, org_id, mode, events FROM webhook_endpoints \
    WHERE org_id = ? AND status = 'enabled' \
    UNION ALL SELECT id, org_id, mode, events FROM webhook_listeners WHERE org_id = ? AND expires_at > ? ORDER BY id";

/// The enabled endpoints and the listeners of `orgs`: one statement on PostgreSQL, a look into both indexes for each on
/// SQLite.
pub fn subscribers(conn: &mut Conn, orgs: &[OrgId], now: Millis) -> Result<Vec<Subscriber>> {
    match conn {
        Conn::Pg(c) => Ok(fixed(SUBSCRIBERS_OF_ALL)
            .bind::<Array<Text>, _>(orgs.to_vec())
            .bind::<Array<Text>, _>(orgs.to_vec())
            .bind::<BigInt, _>(now)
            .get_results(c)?),
        Conn::Sqlite(c) => {
            let mut found = Vec::new();
            for org in orgs {
                let query = fixed(SUBSCRIBERS_OF_ONE).bind::<Text, _>(*org).bind::<Text, _>(*org);
                found.extend(query.bind::<BigInt, _>(now).get_results::<Subscriber>(c)?);
            }
            Ok(found)
        }
    }
}

/// Adds an endpoint.
pub fn insert_endpoint(conn: &mut Conn, row: &EndpointRow) -> Result<()> {
    crate::both!(conn, c => diesel::insert_into(dsl::table).values(row).execute(c))?;
    Ok(())
}

/// How many endpoints `owner` has.
pub fn count_endpoints(conn: &mut Conn, owner: Owner) -> Result<i64> {
    Ok(dsl::table.filter(dsl::org_id.eq(owner.0)).filter(dsl::mode.eq(owner.1)).count().get_result(conn)?)
}

/// An endpoint of `owner`. Error: `not_found`.
pub fn load_endpoint(conn: &mut Conn, owner: Owner, id: EndpointId) -> Result<EndpointRow> {
    find_endpoint(conn, id)?.filter(|row| (row.org_id, row.mode) == owner).ok_or_else(|| Error::new(Code::NotFound))
}

/// The same, held until the transaction ends.
pub fn load_endpoint_locked(conn: &mut Conn, owner: Owner, id: EndpointId) -> Result<EndpointRow> {
    if let Conn::Pg(c) = conn {
        dsl::table.find(id).select(dsl::id).for_update().execute(c)?;
    }
    load_endpoint(conn, owner, id)
}

/// An endpoint by id alone: for the worker.
pub fn find_endpoint(conn: &mut Conn, id: EndpointId) -> Result<Option<EndpointRow>> {
    Ok(dsl::table.find(id).select(EndpointRow::as_select()).first(conn).optional()?)
}

/// Endpoints of `owner`, newest first, from before `before` on.
pub fn list_endpoints(
    conn: &mut Conn,
    owner: Owner,
    before: Option<EndpointId>,
    limit: i64,
) -> Result<Vec<EndpointRow>> {
    let mut query = dsl::table
        .filter(dsl::org_id.eq(owner.0))
        .filter(dsl::mode.eq(owner.1))
        .order(dsl::id.desc())
        .limit(limit)
        .select(EndpointRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(dsl::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Keeps what changed.
pub fn save_endpoint(conn: &mut Conn, row: &EndpointRow) -> Result<()> {
    crate::both!(conn, c => diesel::update(dsl::table.find(row.id)).set(row).execute(c))?;
    Ok(())
}

/// Removes an endpoint; what is under way to it is dropped by the next claim.
pub fn delete_endpoint(conn: &mut Conn, id: EndpointId) -> Result<()> {
    diesel::delete(dsl::table.find(id)).execute(conn)?;
    Ok(())
}

/// Notes a success: whatever failed before is over.
pub fn mark_well(conn: &mut Conn, id: EndpointId) -> Result<()> {
    diesel::update(dsl::table.find(id).filter(dsl::failing_since.is_not_null()))
        .set(dsl::failing_since.eq(None::<Millis>))
        .execute(conn)?;
    Ok(())
}

/// Notes a failure: since when nothing else came.
pub fn mark_failing(conn: &mut Conn, id: EndpointId, now: Millis) -> Result<()> {
    diesel::update(dsl::table.find(id).filter(dsl::failing_since.is_null()))
        .set(dsl::failing_since.eq(Some(now)))
        .execute(conn)?;
    Ok(())
}

/// Disables an enabled endpoint; whether it was enabled.
pub fn disable(conn: &mut Conn, id: EndpointId, why: DisabledReason, now: Millis) -> Result<bool> {
    let done = diesel::update(dsl::table.find(id).filter(dsl::status.eq(EndpointStatus::Enabled)))
        .set((dsl::status.eq(EndpointStatus::Disabled), dsl::disabled_reason.eq(Some(why)), dsl::updated_at.eq(now)))
        .execute(conn)?;
    Ok(done == 1)
}
