//! `/v1/whatsapp`: an organization's numbers, and its sessions.

use std::collections::BTreeMap;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi};

use super::chats::sessions_of;
use super::sessions::{Person, SESSION};
use super::view::{NumberView, SessionView, WithNumber, own};
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::http::page::{PageParams, Scope as PageScope};
use crate::http::refusals::{DOOR, OURS, refusals};
use crate::http::{Listing, Page, path_part, reply};
use crate::ids::WhatsappNumberId;
use crate::phone::Phone;
use crate::recipient::is_user_id;

/// The room's part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list_whatsapp_numbers, show_whatsapp_session))]
pub struct WhatsappDocs;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes.service(list_whatsapp_numbers).service(show_whatsapp_session);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unfiltered {}

/// What the routes may refuse with.
struct ReadRefusals;

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &OURS, &[Code::ValidationFailed]].concat())
    }
}

/// List your WhatsApp numbers, newest first: tier, quality, and how much of the tier is used.
#[utoipa::path(
    tag = "WhatsApp",
    path = "/v1/whatsapp/numbers",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<NumberView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/whatsapp/numbers")]
async fn list_whatsapp_numbers(caller: Caller, app: Data<App>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    caller.require(Scope::WhatsappRead)?;
    let (owner, ask) = ((caller.org_id(), caller.mode()), listing.page);
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<WhatsappNumberId> = ask.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let (fetch, clock) = (ask.fetch(), app.clock.clone());
    let rows = app.db.read(move |conn| own(conn, owner, before, fetch, clock.now())).await?;
    let scope = PageScope { keyring: &app.keyring, owner: &name };
    reply::ok(&ask.page(rows, scope, |view: &NumberView| view.id.to_string()))
}

/// Show whether a user may be written to freely: for 24 hours after their latest message to one of your numbers.
///
/// Outside a session only templates go. A user who shows no number is known by the business-scoped id that their messages
/// came from.
#[utoipa::path(
    tag = "WhatsApp",
    path = "/v1/whatsapp/sessions/{to}",
    params(("to" = String, Path, description = "The user's number in E.164, or business-scoped id", example = "+14155550123")),
    responses((status = 200, description = "Open or closed, by number", body = SessionView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/whatsapp/sessions/{to}")]
async fn show_whatsapp_session(caller: Caller, app: Data<App>, req: HttpRequest) -> Result<HttpResponse> {
    caller.require(Scope::WhatsappRead)?;
    let to = user(&path_part::<String>(&req, "to")?)?;
    let person: Person = (caller.org_id(), caller.mode(), to);
    let now = app.clock.now();
    let view = app.db.read(move |conn| {
        let sessions = sessions_of(conn, &[person.clone()].into())?;
        let with_number = |(number, closes_at): (&str, Millis)| WithNumber {
            number: String::from(number),
            open: closes_at > now,
            last_message_at: closes_at.minus(SESSION),
            closes_at,
        };
        let mut sessions: Vec<WithNumber> = sessions.of(&person).map(with_number).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.closes_at));
        Ok(SessionView { open: sessions.iter().any(|session| session.open), to: person.2, sessions })
    });
    reply::ok(&view.await?)
}

/// A number, or a user id such as `GB.1234`.
fn user(text: &str) -> Result<String> {
    // A plus stays as it was escaped in a path, and often arrives as a blank.
    let number = ["%2B", "%2b", " "].iter().find_map(|plus| text.strip_prefix(plus)).map(|rest| format!("+{rest}"));
    let text = number.as_deref().unwrap_or(text);
    if is_user_id(text) {
        return Ok(String::from(text));
    }
    let number = Phone::parse(text, None).map(|phone| String::from(phone.e164()));
    number.map_err(|fault| Error::field("to", format!("{fault}, or a user id such as GB.1234")))
}
