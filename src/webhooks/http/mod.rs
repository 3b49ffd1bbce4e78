//! `/v1/webhooks` and `/v1/events`: shapes in, one call, shapes out.

mod ask;
mod docs;
mod endpoints;
mod events;
mod work;

pub use docs::WebhookDocs;

use actix_web::web::ServiceConfig;

/// The routes, to be put into the scope `/v1` behind the callers' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(endpoints::create)
        .service(endpoints::list)
        .service(endpoints::show)
        .service(endpoints::update)
        .service(endpoints::delete)
        .service(work::rotate)
        .service(work::test)
        .service(work::deliveries)
        .service(work::replay)
        .service(events::list)
        .service(events::show)
        .service(events::replay);
}
