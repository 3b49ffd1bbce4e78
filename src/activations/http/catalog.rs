//! What can be rented: public, outside every quota, and worth keeping for a moment.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::docs::CatalogRefusals;
use crate::activations::catalog::{CatalogCountry, CatalogService, catalog};
use crate::activations::must_be_on;
use crate::app::App;
use crate::error::Result;
use crate::http::{Query, reply};
use crate::phone::Country;

/// How long a client or a proxy may keep the catalog: stock changes by the second, prices hardly ever.
const KEEP: &str = "public, max-age=5";

/// Which part of the catalog.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogFilter {
    /// Only what can be had in this country (ISO 3166-1 alpha-2).
    #[param(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// Only this service.
    service: Option<String>,
}

/// Services of the catalog.
#[derive(Serialize, ToSchema)]
pub(super) struct CatalogServices {
    /// One for each service.
    data: Vec<CatalogService>,
}

/// Countries of the catalog.
#[derive(Serialize, ToSchema)]
pub(super) struct CatalogCountries {
    /// One for each country.
    data: Vec<CatalogCountry>,
}

/// List the services with their prices and how many numbers are free, by country.
#[utoipa::path(
    operation_id = "list_catalog_services",
    tag = "Activations",
    path = "/v1/catalog/services",
    params(CatalogFilter),
    responses((status = 200, description = "The services", body = CatalogServices), CatalogRefusals),
    security(()),
)]
#[get("/services")]
pub(super) async fn list_services(app: Data<App>, filter: Query<CatalogFilter>) -> Result<HttpResponse> {
    must_be_on(&app)?;
    let CatalogFilter { country, service } = filter.0;
    let mut data = catalog(&app).await?.by_service();
    data.retain(|one| service.as_ref().is_none_or(|code| *code == one.code));
    if let Some(country) = country {
        data.iter_mut().for_each(|one| one.countries.retain(|offer| offer.country == country));
        data.retain(|one| !one.countries.is_empty());
    }
    kept(reply::ok(&CatalogServices { data })?)
}

/// List the countries with their services, prices and how many numbers are free.
#[utoipa::path(
    operation_id = "list_catalog_countries",
    tag = "Activations",
    path = "/v1/catalog/countries",
    params(CatalogFilter),
    responses((status = 200, description = "The countries", body = CatalogCountries), CatalogRefusals),
    security(()),
)]
#[get("/countries")]
pub(super) async fn list_countries(app: Data<App>, filter: Query<CatalogFilter>) -> Result<HttpResponse> {
    must_be_on(&app)?;
    let CatalogFilter { country, service } = filter.0;
    let mut data = catalog(&app).await?.by_country();
    data.retain(|one| country.is_none_or(|country| country == one.country));
    if let Some(code) = service {
        data.iter_mut().for_each(|one| one.services.retain(|offer| offer.code == code));
        data.retain(|one| !one.services.is_empty());
    }
    kept(reply::ok(&CatalogCountries { data })?)
}

fn kept(mut response: HttpResponse) -> Result<HttpResponse> {
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static(KEEP));
    Ok(response)
}
