//! API keys.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::{self, KeySearch, KeyView, NewKey};
use crate::admin::desk::{Desk, Look, Manage, Unfiltered, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, made};
use crate::clock::Span;
use crate::error::Result;
use crate::http::page::{Page, PageParams};
use crate::http::{Body, Id, Listing, Query};
use crate::ids::{KeyId, OrgId};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(create_key).service(list_keys).service(search_keys).service(rotate_key).service(revoke_key);
}

/// A key that was just made. The secret is in this answer and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeKey {
    /// The key as it is shown from now on.
    #[serde(flatten)]
    key: KeyView,
    /// The whole key: what requests carry. Shown once.
    #[schema(example = "pst_live_0aB3dE6gH9jK_…")]
    secret: String,
}

/// How a key is to be rotated.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap": "24h"}))]
pub struct Rotation {
    /// How long the old key works beside the new one, at most 30d; `24h` where absent.
    overlap: Option<Span>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Which keys to look for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct KeyFilter {
    /// The public part of a key, e.g. `pst_live_0aB3dE6gH9jK`.
    prefix: Option<String>,
}

/// Make a key for an organization. The answer holds the secret, once.
#[utoipa::path(
    tag = "Admin: keys",
    path = "/v1/admin/orgs/{id}/keys",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one API key"),
    ),
    request_body = NewKey,
    responses((status = 201, description = "Made", body = MadeKey), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/orgs/{id}/keys")]
pub(super) async fn create_key(desk: Desk<Manage>, id: Id<OrgId>, body: Body<NewKey>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let new = body.value;
    order
        .run_sealed(move |conn, by| {
            let (key, secret) = accounts::create_key(conn, by, id.0, new)?;
            made(format!("/v1/admin/keys/{}", key.id), &MadeKey { key, secret: secret.expose().clone() })
        })
        .await
}

/// List the keys of an organization, newest first.
#[utoipa::path(
    tag = "Admin: keys",
    path = "/v1/admin/orgs/{id}/keys",
    params(("id" = OrgId, Path, description = "The organization"), PageParams),
    responses((status = 200, description = "A page", body = Page<KeyView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/keys")]
pub(super) async fn list_keys(desk: Desk<Look>, id: Id<OrgId>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    let read = move |conn: &mut _, before, limit| {
        accounts::load_org(conn, id.0)?;
        accounts::list_keys(conn, &KeySearch { org: Some(id.0), prefix: None }, before, limit)
    };
    desk.list(listing.page, read, |key: &KeyView| key.id.to_string()).await
}

/// Find keys over all organizations, newest first, e.g. by the public part seen in a log.
#[utoipa::path(
    tag = "Admin: keys",
    path = "/v1/admin/keys",
    params(KeyFilter, PageParams),
    responses((status = 200, description = "A page", body = Page<KeyView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/keys")]
pub(super) async fn search_keys(desk: Desk<Look>, listing: Listing<KeyFilter>) -> Result<HttpResponse> {
    let search = KeySearch { org: None, prefix: listing.filter.prefix };
    let read = move |conn: &mut _, before, limit| accounts::list_keys(conn, &search, before, limit);
    desk.list(listing.page, read, |key: &KeyView| key.id.to_string()).await
}

/// Make a key that replaces this one; both work until the overlap ends. The answer holds the new secret, once.
#[utoipa::path(
    tag = "Admin: keys",
    path = "/v1/admin/keys/{id}/rotate",
    params(
        ("id" = KeyId, Path, description = "The key to replace"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one rotation"),
    ),
    request_body = Rotation,
    responses((status = 201, description = "The new key", body = MadeKey), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/keys/{id}/rotate")]
pub(super) async fn rotate_key(desk: Desk<Manage>, id: Id<KeyId>, body: Body<Rotation>) -> Result<HttpResponse> {
    let order = desk.order(&body, body.value.reason.clone())?;
    let overlap = body.value.overlap.unwrap_or(DEFAULT_OVERLAP);
    order
        .run_sealed(move |conn, by| {
            let (key, secret) = accounts::rotate_key(conn, by, id.0, overlap)?;
            made(format!("/v1/admin/keys/{}", key.id), &MadeKey { key, secret: secret.expose().clone() })
        })
        .await
}

/// Revoke a key: refused everywhere within a second. Revoking it again changes nothing.
#[utoipa::path(
    tag = "Admin: keys",
    path = "/v1/admin/keys/{id}",
    params(
        ("id" = KeyId, Path, description = "The key"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    responses((status = 200, description = "The key, revoked", body = KeyView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[delete("/keys/{id}")]
pub(super) async fn revoke_key(desk: Desk<Manage>, id: Id<KeyId>, why: Query<Why>) -> Result<HttpResponse> {
    let order = desk.bare_order(why.0.reason)?;
    order.run(move |conn, by| done(&accounts::revoke_key(conn, by, id.0)?)).await
}

/// How long the old key works where the request does not say: long enough to deploy the new one.
const DEFAULT_OVERLAP: Span = Span(std::time::Duration::from_secs(86_400));
