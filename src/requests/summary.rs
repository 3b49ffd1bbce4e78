//! What went wrong and for whom: errors by code, route and key, limits refused, and routes that have a successor.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::line::{OLDER, minute_at};
use super::store::{self, Group, Scope};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{KeyId, OrgId};

/// Where no window is asked for.
const DEFAULT_WINDOW: Duration = Duration::from_secs(86_400);
/// Most groups of each sort.
const GROUPS_MAX: i64 = 100;

const MINUTE: Duration = Duration::from_secs(60);
const A_MOMENT: Duration = Duration::from_millis(1);

/// The time that a summary is of, and of whom.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    since: Millis,
    until: Millis,
    org_id: Option<OrgId>,
}

impl Window {
    /// From `since`, a day before `until` where absent, to before `until`, `now` where absent, in whole minutes, as
    /// requests without a line are counted. Error: `validation_failed`.
    pub fn of(since: Option<Millis>, until: Option<Millis>, org_id: Option<OrgId>, now: Millis) -> Result<Window> {
        let since = since.unwrap_or(until.unwrap_or(now).minus(DEFAULT_WINDOW));
        let window = Window {
            since: minute_at(since),
            // What has come in the present millisecond belongs to it.
            until: minute_at(until.unwrap_or(now.plus(Duration::from_millis(1))).plus(MINUTE.saturating_sub(A_MOMENT))),
            org_id,
        };
        match window.since < window.until {
            true => Ok(window),
            false => Err(Error::field("since", "must be earlier than until")),
        }
    }
}

/// The requests of a stretch of time, by what became of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestSummary {
    /// From here: the minute of the `since` that was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub since: Millis,
    /// Before this, a whole minute too.
    #[schema(value_type = String, format = DateTime)]
    pub until: Millis,
    /// Requests in all. Those that got no line of their own are counted once their minute is over.
    #[schema(example = 120_431)]
    pub requests: i64,
    /// Of these, refused or failed.
    #[schema(example = 312)]
    pub errors: i64,
    /// Of all, those that are counted here and have no line in the log: more came in a second than it takes, or they were
    /// messages that were simply accepted.
    #[schema(example = 118_002)]
    pub unlisted: i64,
    /// Errors by code, route and key, the most frequent first, a hundred at most.
    pub by_error: Vec<ErrorGroup>,
    /// Refusals by limit and key, the most frequent first, a hundred at most.
    pub by_limit: Vec<LimitGroup>,
    /// Who still calls routes that have a successor, a hundred at most.
    pub deprecated: Vec<DeprecatedUse>,
}

/// Requests that failed alike.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorGroup {
    /// The error's code.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// Their method.
    #[schema(example = "POST")]
    pub method: String,
    /// The pattern of their route.
    #[schema(example = "/v1/messages")]
    pub route: String,
    /// Whose.
    pub org_id: Option<OrgId>,
    /// By this key; null where none came, or none that is known.
    pub key_id: Option<KeyId>,
    /// How many.
    #[schema(example = 41)]
    pub requests: i64,
    /// The latest.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Millis,
}

/// Requests that met one limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitGroup {
    /// The limit.
    #[schema(example = "key.minute")]
    pub policy: String,
    /// Whose.
    pub org_id: Option<OrgId>,
    /// By this key.
    pub key_id: Option<KeyId>,
    /// How many.
    #[schema(example = 41)]
    pub requests: i64,
    /// The latest.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Millis,
}

/// Requests of one key to a route that has a successor.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeprecatedUse {
    /// The pattern of the route.
    #[schema(example = "/stubs/handler_api.php")]
    pub route: String,
    /// Their method.
    #[schema(example = "GET")]
    pub method: String,
    /// What does the same; null where the answer's own headers tell.
    #[schema(example = "/v1/activations")]
    pub successor: Option<String>,
    /// Whose.
    pub org_id: Option<OrgId>,
    /// By this key.
    pub key_id: Option<KeyId>,
    /// How many.
    #[schema(example = 7)]
    pub requests: i64,
    /// The latest.
    #[schema(value_type = String, format = DateTime)]
    pub last_at: Millis,
}

/// Sums up the requests of `window`.
pub fn summarize(conn: &mut Conn, window: Window) -> Result<RequestSummary> {
    let scope = Scope { between: (window.since, window.until), org_id: window.org_id, limit: GROUPS_MAX };
    let totals = store::totals(conn, &scope)?;
    Ok(RequestSummary {
        since: window.since,
        until: window.until,
        requests: totals.requests,
        errors: totals.errors,
        unlisted: totals.unlisted,
        by_error: store::errors(conn, &scope)?.into_iter().map(ErrorGroup::of).collect(),
        by_limit: store::limits(conn, &scope)?.into_iter().map(LimitGroup::of).collect(),
        deprecated: store::deprecated(conn, &scope)?.into_iter().map(DeprecatedUse::of).collect(),
    })
}

impl ErrorGroup {
    fn of(group: Group) -> ErrorGroup {
        let Group { word, method, route, org_id, key_id, requests, last_at } = group;
        let (method, route) = (method.unwrap_or_default(), route.unwrap_or_default());
        ErrorGroup { code: word, method, route, org_id, key_id, requests, last_at }
    }
}

impl LimitGroup {
    fn of(group: Group) -> LimitGroup {
        let Group { word, org_id, key_id, requests, last_at, .. } = group;
        LimitGroup { policy: word, org_id, key_id, requests, last_at }
    }
}

impl DeprecatedUse {
    fn of(group: Group) -> DeprecatedUse {
        let Group { word, method, org_id, key_id, requests, last_at, .. } = group;
        let successor = OLDER.iter().find(|(route, _)| *route == word).map(|(_, successor)| String::from(*successor));
        DeprecatedUse { route: word, method: method.unwrap_or_default(), successor, org_id, key_id, requests, last_at }
    }
}
