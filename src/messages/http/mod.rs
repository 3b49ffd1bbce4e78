//! The room's routes: shapes in, one call, view out.

mod activity;
mod coals;
mod docs;
mod limits;
mod read;
mod sandbox;
mod send;
mod update;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

pub use activity::ActivityFilter;
pub use docs::MessageDocs;
pub use limits::{Limits, limits_of};

use super::accept::{Accepted, Render};
use super::new::country_of;
use super::send::Ask;
use crate::accounts::{Caller, respond};
use crate::http::rate_view::put_view;
use crate::http::{Body, RequestId};
use crate::idempotency::{Answer, Claim};
use crate::recipient::Recipient;
use crate::terms::Channel;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        // A resource and not a route: another method is refused here, not taken for the message called "bulk".
        .service(web::resource("/messages/bulk").route(web::post().to(send::create_bulk)))
        .service(send::create)
        .service(read::list)
        .service(read::show)
        .service(read::events)
        .service(read::show_batch)
        .service(update::cancel)
        .service(update::feedback)
        .service(activity::list)
        .service(limits::list_limits)
        .service(sandbox::list_sandbox);
}

/// The routes under `/simcoal`, behind the same guard.
pub fn configure_coals(routes: &mut ServiceConfig) {
    routes.service(coals::send).service(coals::send_bulk);
}

/// What a send asks besides its body.
fn ask<T>(req: &HttpRequest, caller: &Caller, body: &Body<T>, id: &RequestId, render: Render) -> Ask {
    Ask {
        request_id: id.to_string(),
        client_request_id: id.client.as_deref().map(String::from),
        claim: body
            .key
            .as_ref()
            .map(|key| Claim::new(caller.org_id().as_str(), caller.mode(), key.as_str(), body.fingerprint(req))),
        base: String::new(),
        render,
        to: None,
    }
}

/// All spellings of a number are one request under a key: its normal form is what the fingerprint is taken of.
/// The recipient, where it can be read, so that it is read once.
fn one_spelling<T>(
    body: &mut Body<T>,
    to: Option<&str>,
    channel: Option<Channel>,
    country: Option<&str>,
) -> Option<Recipient> {
    let country = country.and_then(|text| country_of(text).ok());
    let to = Recipient::parse(to?, channel.unwrap_or(Channel::Sms), country).ok()?;
    body.tree.normalize("to", to.address());
    Some(to)
}

/// The answer of an accepted request, with the limits it met.
fn answered(req: &HttpRequest, accepted: &Accepted, render: Render) -> HttpResponse {
    put_view(req, accepted.view);
    respond(Answer { stored: accepted.answer(render), replayed: accepted.replayed })
}
