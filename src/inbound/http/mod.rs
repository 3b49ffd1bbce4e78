//! `/v1/inbound`, `/v1/opt-outs` and `/v1/sandbox/inbound`.

mod docs;
mod messages;
mod opt_outs;

use actix_web::web::ServiceConfig;

pub use docs::InboundDocs;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(messages::list)
        .service(messages::show)
        .service(messages::make_up)
        .service(opt_outs::list)
        .service(opt_outs::add)
        .service(opt_outs::remove);
}
