//! `/v1/webhooks`, `/v1/events` and `/v1/listeners`: shapes in, one call, shapes out.

mod docs;
mod endpoints;
mod events;
mod listeners;
mod work;

pub use docs::WebhookDocs;

use actix_web::web::ServiceConfig;

use crate::accounts::Caller;
use crate::webhooks::emit::Owner;

/// Whose endpoints and events `caller` sees.
fn owner_of(caller: &Caller) -> Owner {
    (caller.org_id(), caller.mode())
}

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
        .service(events::replay)
        .service(listeners::open)
        .service(listeners::hear)
        .service(listeners::acknowledge)
        .service(listeners::close)
        .service(listeners::make_up);
}
