//! `GET /v1/account`: what a key is and whose.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Response};

use crate::accounts::caller::Caller;
use crate::accounts::countries::Countries;
use crate::accounts::keys::KeyKind;
use crate::accounts::org::{KybStatus, OrgStatus, Protection, SubscriptionStatus};
use crate::accounts::plans::PlanName;
use crate::accounts::scope::Scopes;
use crate::clock::{Millis, Span};
use crate::error::{Code, Result};
use crate::http::problem::Problem;
use crate::http::refusals::refusals;
use crate::http::reply;
use crate::ids::{KeyId, OrgId};
use crate::phone::Country;
use crate::terms::Mode;

/// The account's part of the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(show_account), components(schemas(Problem)))]
pub struct AccountDocs;

/// The organization and the key behind a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    /// The organization.
    pub organization: AccountOrg,
    /// The key that asks.
    pub key: AccountKey,
}

/// The organization behind a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountOrg {
    /// Its id.
    pub id: OrgId,
    /// Its name.
    #[schema(example = "ACME")]
    pub name: String,
    /// Its plan.
    pub plan: PlanName,
    /// Whether it may use the platform at all.
    pub status: OrgStatus,
    /// Where its subscription stands.
    pub subscription_status: SubscriptionStatus,
    /// Whether its business is verified.
    pub kyb_status: KybStatus,
    /// Where it is at home (ISO 3166-1 alpha-2).
    #[schema(value_type = String, example = "GB")]
    pub country: Country,
    /// Where it may send to.
    pub countries: Countries,
    /// The language of its messages where a request names none.
    #[schema(example = "en")]
    pub locale: String,
    /// How hard the fraud guard is on its traffic.
    pub protection: Protection,
    /// Longest life of a code.
    pub max_code_ttl: Span,
}

/// The key behind a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountKey {
    /// Its id.
    pub id: KeyId,
    /// What its owner calls it.
    #[schema(example = "backend")]
    pub name: String,
    /// Which world it acts in.
    pub mode: Mode,
    /// What it is for.
    pub kind: KeyKind,
    /// The part of it that is not secret.
    #[schema(example = "pst_live_0aB3dE6gH9jK")]
    pub prefix: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
}

/// What the guard may refuse any request with.
pub struct DoorRefusals;

impl utoipa::IntoResponses for DoorRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[
            Code::Unauthenticated,
            Code::KeyRevoked,
            Code::KeyExpired,
            Code::OrganizationSuspended,
            Code::RateLimited,
            Code::QuotaDailyExceeded,
            Code::Internal,
            Code::Overloaded,
        ])
    }
}

/// The organization and the key behind this request.
#[utoipa::path(
    tag = "Account",
    path = "/v1/account",
    responses(
        (status = 200, description = "The organization and the key", body = AccountView),
        DoorRefusals,
    ),
    security(("api_key" = [])),
)]
#[get("/account")]
pub async fn show_account(caller: Caller) -> Result<HttpResponse> {
    let (org, key) = (&caller.org, &caller.key);
    reply::ok(&AccountView {
        organization: AccountOrg {
            id: org.id,
            name: org.name.clone(),
            plan: org.plan,
            status: org.status,
            subscription_status: org.subscription_status,
            kyb_status: org.kyb_status,
            country: org.country,
            countries: org.countries.clone(),
            locale: org.locale.clone(),
            protection: org.protection,
            max_code_ttl: org.max_code_ttl,
        },
        key: AccountKey {
            id: key.id,
            name: key.name.clone(),
            mode: key.mode,
            kind: key.kind,
            prefix: key.prefix.clone(),
            scopes: key.scopes.clone(),
            expires_at: key.expires_at,
        },
    })
}
