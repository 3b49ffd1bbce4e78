//! `/v1/verifications`: shapes in, one call, shapes out.

mod docs;
mod read;
mod start;
mod update;

pub use docs::VerificationDocs;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::desk::Done;
use crate::http::put_view;
use crate::http::reply::Reply;

/// The routes, to be put into the scope `/v1` behind the callers' guard. Fixed names come before `{id}`.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(start::create)
        // A resource and not a route: another method is refused here, not taken for the verification called "check".
        .service(web::resource("/verifications/check").route(web::post().to(update::check_to)))
        .service(read::list)
        .service(read::summary)
        .service(read::show)
        .service(update::check)
        .service(update::resend)
        .service(update::next)
        .service(update::cancel);
}

/// Notes the limits met and gives the answer, for the first time or again.
fn respond(req: &HttpRequest, done: Done) -> HttpResponse {
    put_view(req, done.view);
    let stored = done.answer.stored;
    let reply = Reply { status: stored.status, location: stored.location, body: stored.body.into() };
    if done.answer.replayed { reply.into_replay() } else { reply.into_response() }
}
