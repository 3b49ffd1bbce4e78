//! Ordering activations, and reading them.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::{LookRefusals, OrderRefusals};
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::activations::order::{Times, Wish, order};
use crate::activations::state::Status;
use crate::activations::store::{self, Name, Search};
use crate::activations::view::{ActivationView, view_of, views};
use crate::activations::{forget_catalog, must_be_on};
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Body, Id, Listing, Page, reply};
use crate::idempotency::Stored;
use crate::ids::ActivationId;
use crate::money::Micros;
use crate::phone::Country;

/// A number to rent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewActivation, example = json!({"service": "ot", "country": "GB", "max_price": "0.50"}))]
pub(super) struct NewActivationBody {
    /// The service it is for, of the catalog.
    #[schema(example = "ot")]
    service: String,
    /// From this country (ISO 3166-1 alpha-2); from any where absent.
    #[schema(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// Of this network; of any where absent or `any`.
    #[schema(example = "any")]
    operator: Option<String>,
    /// Not dearer than this: a decimal text.
    #[schema(example = "0.50")]
    max_price: Option<String>,
}

impl NewActivationBody {
    fn wish(&self) -> Result<Wish> {
        let max = |text: &String| {
            let amount = Micros::parse(text).filter(|amount| *amount >= Micros::ZERO);
            amount.ok_or_else(|| Error::field("max_price", "must be a decimal text of at most six places, e.g. 0.50"))
        };
        let operator = self.operator.as_deref().map(|text| text.trim().to_lowercase());
        Ok(Wish {
            service: self.service.clone(),
            country: self.country,
            operators: operator.filter(|text| text != crate::activations::supply::ANY_OPERATOR).into_iter().collect(),
            max_price: self.max_price.as_ref().map(max).transpose()?,
            not_prefixes: Vec::new(),
        })
    }
}

/// Rent a number for a service, to receive a code.
///
/// The price is held in your wallet; it is charged when a code comes or you complete the activation, and let go when you
/// cancel it or no code comes in time. Nobody else has the number for that service meanwhile.
#[utoipa::path(
    operation_id = "create_activation",
    tag = "Activations",
    path = "/v1/activations",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one number")),
    request_body = NewActivationBody,
    responses((status = 201, description = "The activation", body = ActivationView), OrderRefusals),
    security(("api_key" = [])),
)]
#[post("/activations")]
pub(super) async fn create(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<NewActivationBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::ActivationsWrite)?;
    must_be_on(&app)?;
    let wish = body.value.wish()?;
    let (renter, times, keyring) = (caller.clone(), Times::of(&app.config.numbers), app.keyring.clone());
    let made = change_once(&app, &caller, (&req, &body), move |conn, by| {
        let row = order(conn, &renter, &wish, times, by.now)?;
        let location = Some(format!("/v1/activations/{}", row.id));
        let view = view_of(conn, &keyring, row, by.now)?;
        metrics::counter!("postern_activations_total", "outcome" => "ordered").increment(1);
        Ok(Stored { location, ..stored(201, &view)? })
    });
    let made = made.await?;
    forget_catalog(&app);
    Ok(made)
}

/// Which activations to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ActivationFilter {
    /// In this state.
    status: Option<Status>,
}

/// List your activations, newest first.
#[utoipa::path(
    operation_id = "list_activations",
    tag = "Activations",
    path = "/v1/activations",
    params(ActivationFilter, PageParams),
    responses((status = 200, description = "A page of activations", body = Page<ActivationView>), LookRefusals),
    security(("api_key" = [])),
)]
#[get("/activations")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<ActivationFilter>) -> Result<HttpResponse> {
    caller.require(Scope::ActivationsRead)?;
    must_be_on(&app)?;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<ActivationId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let search = Search { status: listing.filter.status, ..Search::default() };
    let (fetch, keyring, now) = (listing.page.fetch(), app.keyring.clone(), app.clock.now());
    let shown = app.db.read(move |conn| {
        let rows = store::list(conn, owner, &search, before, (0, fetch))?;
        views(conn, &keyring, rows, now)
    });
    let shown = shown.await?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(shown, scope, |view| view.id.to_string()))
}

/// Show an activation: where it is, and what came.
#[utoipa::path(
    operation_id = "show_activation",
    tag = "Activations",
    path = "/v1/activations/{id}",
    params(("id" = ActivationId, Path, description = "The activation")),
    responses((status = 200, description = "The activation", body = ActivationView), LookRefusals),
    security(("api_key" = [])),
)]
#[get("/activations/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<ActivationId>) -> Result<HttpResponse> {
    caller.require(Scope::ActivationsRead)?;
    must_be_on(&app)?;
    let owner = (caller.org_id(), caller.mode());
    let (keyring, now) = (app.keyring.clone(), app.clock.now());
    let shown = app.db.read(move |conn| {
        let row = store::load(conn, owner, Name::Id(id.0))?;
        view_of(conn, &keyring, row, now)
    });
    reply::ok(&shown.await?)
}
