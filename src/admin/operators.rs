//! Operators and their tokens. Everybody makes and revokes tokens of their own; those of others are for owners.

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::{self, Duty, NewOperator, OperatorPatch, OperatorView, Role, TokenTerms, TokenView};
use crate::admin::desk::{Desk, Govern, Look, Unfiltered, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, made, said_why};
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing, Query, path_part};
use crate::ids::{OperatorId, TokenId};
use crate::signin::{self, SignInState};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(create_operator)
        .service(list_operators)
        .service(show_operator)
        .service(update_operator)
        .service(create_operator_token)
        .service(list_operator_tokens)
        .service(revoke_operator_token)
        .service(remove_second_factor);
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expires_at": "2027-01-01T00:00:00Z"}))]
pub struct NewToken {
    /// When it stops working; never where absent. Must be in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Millis>,
    /// What it may do at most, where that is less than its operator's role; the lesser of both counts.
    role: Option<Role>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// The tokens of an operator.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// Newest first, those that no longer work included.
    data: Vec<TokenView>,
}

/// A token that was just made. The secret is in this answer and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeToken {
    /// The token as it is shown from now on.
    #[serde(flatten)]
    token: TokenView,
    /// The whole token: what requests carry. Shown once.
    #[schema(example = "pst_opr_0aB3dE6gH9jK_…")]
    secret: String,
}

/// An operator and how they sign in to the console.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorDetail {
    /// The operator.
    #[serde(flatten)]
    operator: OperatorView,
    /// How they sign in.
    sign_in: SignInState,
}

/// Add an operator.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one operator")),
    request_body = NewOperator,
    responses((status = 201, description = "Added", body = OperatorView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/operators")]
pub(super) async fn create_operator(desk: Desk<Govern>, body: Body<NewOperator>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let new = body.value;
    order
        .run(move |conn, by| {
            let operator = accounts::create_operator(conn, by, new)?;
            made(format!("/v1/admin/operators/{}", operator.id), &operator)
        })
        .await
}

/// List the operators, newest first.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<OperatorView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/operators")]
pub(super) async fn list_operators(desk: Desk<Look>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    desk.list(listing.page, accounts::list_operators, |operator: &OperatorView| operator.id.to_string()).await
}

/// Show an operator.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators/{id}",
    params(("id" = OperatorId, Path, description = "The operator")),
    responses((status = 200, description = "The operator", body = OperatorDetail), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/operators/{id}")]
pub(super) async fn show_operator(desk: Desk<Look>, id: Id<OperatorId>) -> Result<HttpResponse> {
    desk.show(move |conn| {
        let operator = accounts::find_operator(conn, id.0)?;
        Ok(OperatorDetail { operator, sign_in: signin::sign_in_state(conn, id.0)? })
    })
    .await
}

/// Change an operator: name, role, and whether they may do anything at all. `disabled: true` ends their sessions and
/// refuses their tokens. The last owner stays one.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators/{id}",
    params(
        ("id" = OperatorId, Path, description = "The operator"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = OperatorPatch,
    responses((status = 200, description = "The operator as they are now", body = OperatorView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[patch("/operators/{id}")]
pub(super) async fn update_operator(
    desk: Desk<Govern>,
    id: Id<OperatorId>,
    body: Body<OperatorPatch>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let patch = body.value;
    order
        .run(move |conn, by| {
            let operator = accounts::update_operator(conn, by, id.0, patch)?;
            if operator.disabled_at.is_some() {
                signin::end_sessions_of(conn, by, id.0, None)?;
            }
            done(&operator)
        })
        .await
}

/// Errors: `permission_denied` unless it is about the operator who asks, or they govern.
fn own_or_govern<W>(desk: &Desk<W>, id: OperatorId) -> Result<()> {
    if desk.operator().id == id { Ok(()) } else { desk.operator().require(Duty::Govern) }
}

/// Make a token for an operator: for oneself whatever one's role, for others as an owner. The answer holds the secret,
/// once. One made for oneself may neither do more nor last longer than the one it is made with.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators/{id}/tokens",
    params(
        ("id" = OperatorId, Path, description = "The operator"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one token"),
    ),
    request_body = NewToken,
    responses((status = 201, description = "Made", body = MadeToken), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/operators/{id}/tokens")]
pub(super) async fn create_operator_token(
    desk: Desk<Look>,
    id: Id<OperatorId>,
    body: Body<NewToken>,
) -> Result<HttpResponse> {
    own_or_govern(&desk, id.0)?;
    let order = desk.order(&body, body.value.reason.clone())?;
    let NewToken { expires_at, role, .. } = body.value;
    let terms = TokenTerms { expires_at, role, maker: Some(desk.operator().clone()) };
    order
        .run_sealed(move |conn, by| {
            let (token, secret) = accounts::create_operator_token(conn, by, id.0, terms)?;
            let location = format!("/v1/admin/operators/{}", id.0);
            made(location, &MadeToken { token, secret: secret.expose().clone() })
        })
        .await
}

/// List the tokens of an operator, newest first.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators/{id}/tokens",
    params(("id" = OperatorId, Path, description = "The operator")),
    responses((status = 200, description = "Their tokens", body = Tokens), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/operators/{id}/tokens")]
pub(super) async fn list_operator_tokens(desk: Desk<Look>, id: Id<OperatorId>) -> Result<HttpResponse> {
    desk.show(move |conn| Ok(Tokens { data: accounts::list_operator_tokens(conn, id.0)? })).await
}

/// Revoke a token, one's own or, as an owner, anybody's: refused everywhere within a second. Revoking it again changes
/// nothing.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators/{operator_id}/tokens/{id}",
    params(
        ("operator_id" = OperatorId, Path, description = "The operator"),
        ("id" = TokenId, Path, description = "The token"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 200, description = "The token, revoked", body = TokenView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/operators/{operator_id}/tokens/{id}")]
pub(super) async fn revoke_operator_token(
    desk: Desk<Look>,
    id: Id<TokenId>,
    req: HttpRequest,
    why: Query<Why>,
) -> Result<HttpResponse> {
    let operator: OperatorId = path_part(&req, "operator_id")?;
    own_or_govern(&desk, operator)?;
    let order = desk.bare_order(why.0.reason)?;
    order.run(move |conn, by| done(&accounts::revoke_operator_token(conn, by, operator, id.0)?)).await
}

/// Why a second factor is taken away.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Lost {
    /// Why, for the audit log: how it was made sure that it is they who ask.
    #[param(min_length = 3, max_length = 500)]
    reason: String,
}

/// Take away the second factor of an operator who lost it, recovery codes included: their password alone lets them in until
/// they set up another. Their sessions end and their devices are forgotten. Nobody does it for themselves here. Where there
/// is none, nothing changes.
#[utoipa::path(
    tag = "Admin: operators",
    path = "/v1/admin/operators/{id}/second-factor",
    params(
        ("id" = OperatorId, Path, description = "The operator"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Lost,
    ),
    responses((status = 200, description = "The operator as they are now", body = OperatorDetail), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/operators/{id}/second-factor")]
pub(super) async fn remove_second_factor(
    desk: Desk<Govern>,
    id: Id<OperatorId>,
    lost: Query<Lost>,
) -> Result<HttpResponse> {
    if desk.operator().id == id.0 {
        let why = "One's own second factor is turned off on the page of one's account, with the password.";
        return Err(Error::new(Code::PermissionDenied).detail(why));
    }
    let order = desk.bare_order(Some(said_why(&lost.0.reason)?))?;
    order
        .run(move |conn, by| {
            signin::remove_second_factor(conn, by, id.0)?;
            let operator = accounts::find_operator(conn, id.0)?;
            done(&OperatorDetail { operator, sign_in: signin::sign_in_state(conn, id.0)? })
        })
        .await
}
