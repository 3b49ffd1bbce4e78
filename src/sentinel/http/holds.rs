//! `/v1/fraud/holds`: groups of an organization's attempts that the engine holds.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::docs::ReadRefusals;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::clock::Millis;
use crate::error::Result;
use crate::fraud::{Reason, for_customer};
use crate::http::page::{self, PageParams};
use crate::http::{Listing, Page, reply};
use crate::ids::HoldId;
use crate::sentinel::holds::HoldView;
use crate::sentinel::store;

/// What a list of holds may be narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldFilter {
    /// Those that have ended too.
    #[serde(default)]
    all: bool,
}

/// A hold, as customers see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldShort {
    /// Its id.
    id: HoldId,
    /// What is held: numbers with this prefix, a network, a device.
    #[schema(example = "block4:+3712012")]
    group: String,
    /// Why.
    reasons: Vec<Reason>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    begun_at: Millis,
    /// From then on a few attempts pass, and two codes that are typed end it.
    #[schema(value_type = String, format = DateTime)]
    until: Millis,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Millis>,
}

impl From<HoldView> for HoldShort {
    fn from(hold: HoldView) -> HoldShort {
        HoldShort {
            id: hold.id,
            group: hold.group,
            reasons: for_customer(hold.reasons),
            begun_at: hold.begun_at,
            until: hold.until,
            ended_at: hold.ended_at,
        }
    }
}

/// List groups of your attempts that the fraud guard holds, newest first. Numbers that verified before pass all the same.
#[utoipa::path(
    tag = "Fraud",
    path = "/v1/fraud/holds",
    params(HoldFilter, PageParams),
    responses((status = 200, description = "A page of holds", body = Page<HoldShort>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/fraud/holds")]
pub(super) async fn list_own_holds(
    caller: Caller,
    app: Data<App>,
    listing: Listing<HoldFilter>,
) -> Result<HttpResponse> {
    caller.require(Scope::FraudRead)?;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<HoldId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let (fetch, only_open) = (listing.page.fetch(), !listing.filter.all);
    let rows = app.db.read(move |conn| store::list_holds(conn, Some(owner), only_open, before, fetch)).await?;
    let views = rows.iter().map(|row| HoldView::of(row).map(HoldShort::from)).collect::<Result<Vec<_>>>()?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}
