//! What tenants see of the fraud engine: decisions, holds, settings.

mod decisions;
mod docs;
mod holds;
mod settings;

use actix_web::web::ServiceConfig;

pub use docs::SentinelDocs;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(decisions::list_decisions)
        .service(decisions::show)
        .service(holds::list_own_holds)
        .service(settings::show_settings)
        .service(settings::change_settings);
}
