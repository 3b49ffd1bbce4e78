//! The kill switch.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::admin::routes::note_pause;
use crate::alerts::{self, Alert, AlertKind};
use crate::app::App;
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::http::Body;
use crate::ids::{NodeId, OrgId, RouteId};
use crate::phone::Country;
use crate::routing::{self, Pause, PauseScope};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_pauses).service(begin_pause).service(end_pause);
}

/// What to stop, or to let go again.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"scope": "country", "value": "LV", "reason": "pumped since noon"}))]
pub(super) struct PauseOrder {
    /// What is stopped.
    scope: PauseScope,
    /// The id of the organization or the route, or the country (ISO 3166-1 alpha-2); nothing of `all`.
    value: Option<String>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Everything that is stopped.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PauseList {
    /// The pauses, oldest first.
    data: Vec<Pause>,
}

/// List what is stopped.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/pauses",
    responses((status = 200, description = "Every pause", body = PauseList), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/pauses")]
pub(super) async fn list_pauses(desk: Desk<Look>) -> Result<HttpResponse> {
    desk.show(all).await
}

/// Stop all live messages, or those of an organization, to a country or by a route: codes too.
///
/// Acts within a second on every process. New sends are refused with `provider.unavailable`, to be sent again later;
/// what waits is handed over when it is resumed, unless its time is over by then.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/pause",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one change")),
    request_body = PauseOrder,
    responses((status = 200, description = "All that is stopped now", body = PauseList), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/pause")]
pub(super) async fn begin_pause(desk: Desk<Manage>, app: Data<App>, body: Body<PauseOrder>) -> Result<HttpResponse> {
    let (value, node) = (body.value.checked()?, app.nodes.id());
    let scope = body.value.scope;
    let order = desk.order(&body, body.value.reason.clone())?;
    order
        .run(move |conn, by| {
            must_exist(conn, scope, &value)?;
            let (author, reason) = (by.actor.to_string(), by.reason.clone());
            let pause = Pause { scope, value, reason, author, created_at: by.now };
            let is_new = routing::begin_pause(conn, &pause)?;
            let list = all(conn)?;
            if is_new {
                tracing::warn!(%scope, value = pause.value, by = pause.author, "an operator has paused live messages");
                note(conn, (by, node), &pause, true)?;
                by.tell(conn, "pause.begin", target(&pause), Change::made(&pause))?;
            }
            done(&list)
        })
        .await
}

/// Let go what was stopped.
#[utoipa::path(
    tag = "Admin: routes",
    path = "/v1/admin/resume",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one change")),
    request_body = PauseOrder,
    responses((status = 200, description = "All that is stopped still", body = PauseList), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/resume")]
pub(super) async fn end_pause(desk: Desk<Manage>, app: Data<App>, body: Body<PauseOrder>) -> Result<HttpResponse> {
    let (value, node) = (body.value.checked()?, app.nodes.id());
    let scope = body.value.scope;
    let order = desk.order(&body, body.value.reason.clone())?;
    order
        .run(move |conn, by| {
            let known = routing::pauses(conn)?.0;
            let before = known.into_iter().find(|pause| pause.scope == scope && pause.value == value);
            if let Some(before) = before {
                routing::end_pause(conn, scope, &value)?;
                let list = all(conn)?;
                tracing::warn!(%scope, value, by = %by.actor, "an operator has resumed live messages");
                note(conn, (by, node), &before, false)?;
                by.tell(conn, "pause.end", target(&before), Change::removed(&before))?;
                return done(&list);
            }
            done(&all(conn)?)
        })
        .await
}

/// For the operators' mails, and for the history of a route.
fn note(conn: &mut Conn, (by, node): (&By, NodeId), pause: &Pause, begins: bool) -> Result<()> {
    if let (PauseScope::Route, Ok(id)) = (pause.scope, pause.value.parse())
        && let Some(route) = routing::find(conn, id)?
    {
        note_pause(conn, (by, node), &route, begins)?;
    }
    let (what, who, why) = (target(pause), by.actor, by.reason.as_deref().unwrap_or("no reason given"));
    let text = match begins {
        true => format!("Live messages were paused: {what}. By {who}: {why}."),
        false => format!("Live messages were resumed: {what}. By {who}: {why}."),
    };
    alerts::note(conn, &[Alert::common(AlertKind::Pause, text)], by.now)
}

fn all(conn: &mut Conn) -> Result<PauseList> {
    Ok(PauseList { data: routing::pauses(conn)?.0 })
}

fn target(pause: &Pause) -> String {
    if pause.value.is_empty() { pause.scope.to_string() } else { format!("{}/{}", pause.scope, pause.value) }
}

/// Whether there is such an organization or route.
fn must_exist(conn: &mut Conn, scope: PauseScope, value: &str) -> Result<()> {
    let known = match scope {
        PauseScope::All | PauseScope::Country => true,
        PauseScope::Org => match value.parse::<OrgId>().map(|id| accounts::load_org(conn, id)) {
            Ok(Err(fault)) if fault.code() != Code::NotFound => return Err(fault),
            found => found.is_ok_and(|org| org.is_ok()),
        },
        PauseScope::Route => match value.parse::<RouteId>() {
            Ok(id) => routing::find(conn, id)?.is_some(),
            Err(_) => false,
        },
    };
    if known { Ok(()) } else { Err(Error::field("value", format!("names no {scope} that is here"))) }
}

impl PauseOrder {
    /// The value in its normal form.
    fn checked(&self) -> Result<String> {
        let value = self.value.as_deref().map(str::trim).unwrap_or_default();
        let wrong = |why: &str| Err(Error::field("value", why));
        match self.scope {
            PauseScope::All if value.is_empty() => Ok(String::new()),
            PauseScope::All => wrong("must be left out: everything is stopped"),
            PauseScope::Country => match value.to_ascii_uppercase().parse::<Country>() {
                Ok(country) => Ok(country.to_string()),
                Err(_) => wrong("must be a two-letter ISO 3166 country code"),
            },
            PauseScope::Org if value.parse::<OrgId>().is_err() => wrong("must be the id of an organization"),
            PauseScope::Route if value.parse::<RouteId>().is_err() => wrong("must be the id of a route"),
            PauseScope::Org | PauseScope::Route => Ok(String::from(value)),
        }
    }
}
