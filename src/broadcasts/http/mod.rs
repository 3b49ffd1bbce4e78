//! `/v1/broadcasts`: shapes in, one call, shapes out.

mod act;
mod contacts;
mod create;
mod docs;
mod read;

use actix_web::web::ServiceConfig;

pub use docs::BroadcastDocs;

use super::store::Owner;
use crate::accounts::Caller;

/// The routes, to be put into the scope `/v1` behind the callers' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(create::create)
        .service(read::list)
        .service(read::show)
        .service(read::progress)
        .service(contacts::add)
        .service(contacts::list)
        .service(act::start)
        .service(act::schedule)
        .service(act::pause)
        .service(act::resume)
        .service(act::cancel);
}

/// Whose broadcasts `caller` sees.
fn owner_of(caller: &Caller) -> Owner {
    (caller.org_id(), caller.mode())
}
