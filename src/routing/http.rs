//! `GET /v1/senders`: who an organization's messages may come from.

use std::collections::BTreeMap;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{RefOr, Response};
use utoipa::{IntoResponses, OpenApi, ToSchema};

use super::senders::{self, Sender};
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::http::page::{PageParams, Scope as PageScope};
use crate::http::problem::Problem;
use crate::http::refusals::{DOOR, OURS, refusals};
use crate::http::{Listing, Page, reply};
use crate::ids::SenderId;
use crate::phone::Country;
use crate::terms::Channel;

/// The room's part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(list_own_senders), components(schemas(Problem)))]
pub struct SenderDocs;

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes.service(list_own_senders);
}

/// Somebody a message may come from.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnSender {
    /// Its id.
    id: SenderId,
    /// On this channel.
    channel: Channel,
    /// The number, short code, name or mail address.
    #[schema(example = "ACME")]
    address: String,
    /// To this country only; null for any.
    #[schema(value_type = Option<String>, example = "GB")]
    country: Option<Country>,
    /// All organizations share it.
    shared: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Millis,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unfiltered {}

/// What the list may refuse with.
struct ReadRefusals;

impl IntoResponses for ReadRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        refusals(&[DOOR.as_slice(), &OURS, &[Code::PermissionDenied, Code::ValidationFailed]].concat())
    }
}

/// List the senders that messages may come from, newest first: the organization's own and those that all share.
///
/// Where there is any on a channel, `from` must be one of them; without `from` each recipient always sees the same one.
#[utoipa::path(
    tag = "Senders",
    path = "/v1/senders",
    params(PageParams),
    responses((status = 200, description = "A page", body = Page<OwnSender>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/senders")]
async fn list_own_senders(caller: Caller, app: Data<App>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let (org, ask) = (caller.org_id(), listing.page);
    let position = ask.position(&app.keyring, org.as_str())?;
    let before = position.map(|text| text.parse().map_err(|_| Error::internal("a cursor of ours without sense")));
    let (before, fetch) = (before.transpose()?, ask.fetch());
    let rows = app.db.read(move |conn| senders::list(conn, Some(org), before, fetch)).await?;
    let scope = PageScope { keyring: &app.keyring, owner: org.as_str() };
    reply::ok(&ask.page(rows, scope, |sender: &Sender| sender.id.to_string()).map(view))
}

fn view(sender: Sender) -> OwnSender {
    OwnSender {
        id: sender.id,
        channel: sender.channel,
        address: sender.address,
        country: sender.country,
        shared: sender.org_id.is_none(),
        created_at: sender.created_at,
    }
}
