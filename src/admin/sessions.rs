//! Sessions of the console, and invitations to it.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, delete, get, post};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::accounts::Duty;
use crate::admin::desk::{Desk, Govern, Look, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{gone, made};
use crate::error::Result;
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing, Query};
use crate::ids::{OperatorId, SessionId};
use crate::signin::{self, ConsoleSession, Link};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_sessions).service(end_session).service(invite_operator);
}

/// Which sessions to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionFilter {
    /// Those of this operator; for owners, everybody's where absent; for others their own.
    operator_id: Option<OperatorId>,
}

/// List sessions of the console that are open, newest first: one's own, and everybody's for owners.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/sessions",
    params(SessionFilter, PageParams),
    responses((status = 200, description = "A page", body = Page<ConsoleSession>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/sessions")]
pub(super) async fn list_sessions(desk: Desk<Look>, listing: Listing<SessionFilter>) -> Result<HttpResponse> {
    let operator = desk.operator();
    let of = match listing.filter.operator_id {
        Some(other) if other != operator.id => {
            operator.require(Duty::Govern)?;
            Some(other)
        }
        None if operator.role.may(Duty::Govern) => None,
        _ => Some(operator.id),
    };
    let (console, now) = (desk.config().console.clone(), desk.now());
    let read = move |conn: &mut crate::db::Conn, before: Option<SessionId>, limit: i64| {
        signin::list_sessions(conn, of, (&console, now), (before, limit))
    };
    desk.list(listing.page, read, |session: &ConsoleSession| session.id.to_string()).await
}

/// End a session: its next request is sent to the door. One's own, and anybody's for owners.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/sessions/{id}",
    params(
        ("id" = SessionId, Path, description = "The session"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 204, description = "Ended"), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/sessions/{id}")]
pub(super) async fn end_session(desk: Desk<Look>, id: Id<SessionId>, why: Query<Why>) -> Result<HttpResponse> {
    let operator = desk.operator().clone();
    let order = desk.bare_order(why.0.reason)?;
    order
        .run(move |conn, by| {
            let whose = signin::find_session(conn, id.0);
            // Whether there is such a session is nobody's business but its operator's and the owners'.
            if whose.as_ref().ok() != Some(&operator.id) {
                operator.require(Duty::Govern)?;
            }
            whose?;
            signin::end_session(conn, by, id.0)?;
            Ok(gone())
        })
        .await
}

/// What an invitation says.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "lost their password"}))]
pub struct Invitation {
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Make a link by which an operator chooses a password, their first or another. It works once, for 24 hours; using it ends
/// their sessions. The answer holds it, once.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators/{id}/invitations",
    params(
        ("id" = OperatorId, Path, description = "The operator"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one link"),
    ),
    request_body = Invitation,
    responses((status = 201, description = "Made", body = Link), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/operators/{id}/invitations")]
pub(super) async fn invite_operator(
    desk: Desk<Govern>,
    id: Id<OperatorId>,
    body: Body<Invitation>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let (ring, base) = (desk.keyring().clone(), desk.base());
    order
        .run_sealed(move |conn, by| {
            let link = signin::invite(conn, &ring, by, &base, id.0)?;
            made(format!("/v1/admin/operators/{}", id.0), &link)
        })
        .await
}
