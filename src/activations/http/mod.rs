//! `/v1/activations` and `/v1/catalog`.

mod act;
mod catalog;
mod docs;
mod orders;

use actix_web::web::{ServiceConfig, scope};

pub use docs::ActivationDocs;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(orders::create)
        .service(orders::list)
        .service(orders::show)
        .service(act::ready)
        .service(act::retry)
        .service(act::complete)
        .service(act::cancel);
}

/// The public routes: no key, no quota.
pub fn configure_catalog(routes: &mut ServiceConfig) {
    routes.service(scope("/v1/catalog").service(catalog::list_services).service(catalog::list_countries));
}
