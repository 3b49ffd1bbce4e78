//! The contacts of a broadcast: in by list or sheet, out with what became of each.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse, get, post};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use utoipa::ToSchema;

use super::docs::{ChangeRefusals, ReadRefusals};
use super::owner_of;
use crate::accounts::{Caller, Scope, respond};
use crate::app::App;
use crate::broadcasts::contacts::{ContactBody, from_csv, from_list};
use crate::broadcasts::store;
use crate::broadcasts::upload::{self, Batch};
use crate::broadcasts::view::{BroadcastContact, ContactsAdded, RESULTS_HEADING, csv_lines};
use crate::error::Result;
use crate::http::page::{self, PageParams};
use crate::http::{Id, Listing, Page, Query, Sheet, reply, wants};
use crate::idempotency::Claim;
use crate::ids::BroadcastId;

/// Contacts of a sheet of results that are read at once.
const PIECE: i64 = 1_000;

/// Contacts to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"contacts": [{"to": "+14155550123", "params": {"name": "Ann"}}]}))]
pub(super) struct ContactsBody {
    /// The contacts.
    #[schema(min_items = 1, max_items = 100_000)]
    contacts: Vec<ContactBody>,
}

crate::text_enum! {
    /// What happens to contacts where some have a fault.
    pub enum Invalid as "InvalidContacts" {
        /// None is added.
        Refuse = "refuse",
        /// Those with a fault are left out.
        Skip = "skip",
    }
}

/// How contacts are added.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct AddQuery {
    /// `refuse` (default) adds none where one has a fault; `skip` leaves those out and tells them.
    invalid: Option<Invalid>,
}

/// Add contacts to a broadcast that is a draft.
///
/// A JSON list, or a sheet as `text/csv` (up to 8 MiB): its first line names the columns, `to`, if wanted `locale`, and
/// the params. All are looked at before any is added; each fault is told with its place. A contact is in a broadcast
/// once: repeats are dropped and counted. A broadcast takes 100,000.
#[utoipa::path(
    operation_id = "add_broadcast_contacts",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/contacts",
    params(
        ("id" = BroadcastId, Path, description = "The broadcast"),
        AddQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one effect"),
    ),
    request_body(content((ContactsBody = "application/json"), (String = "text/csv"))),
    responses((status = 200, description = "What became of them", body = ContactsAdded), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/broadcasts/{id}/contacts")]
pub(super) async fn add(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<BroadcastId>,
    query: Query<AddQuery>,
    sheet: Sheet<ContactsBody>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesSend)?;
    let claim =
        sheet.key(&req).map(|(key, print)| Claim::new(caller.org_id().as_str(), caller.mode(), key.as_str(), print));
    let skip = query.0.invalid == Some(Invalid::Skip);
    let read = move || {
        let (given, unread) = match sheet {
            Sheet::Json(body) => (from_list(body.value.contacts), Vec::new()),
            Sheet::Csv(bytes, _) => from_csv(&bytes)?,
        };
        Ok(Batch { given, unread, skip })
    };
    upload::add(&app, &caller, claim, id.0, read).await.map(respond)
}

/// No filter: a list's query takes nothing but the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFilter {}

/// List the contacts of a broadcast with what became of each, in the order they were added.
///
/// With `Accept: text/csv` all of them come as a sheet, in cells that no spreadsheet takes for formulas.
#[utoipa::path(
    operation_id = "list_broadcast_contacts",
    tag = "Broadcasts",
    path = "/v1/broadcasts/{id}/contacts",
    params(("id" = BroadcastId, Path, description = "The broadcast"), PageParams),
    responses(
        (status = 200, description = "A page of contacts, or all of them as a sheet", content(
            (Page<BroadcastContact> = "application/json"),
            (String = "text/csv", example = "row,to,status,message_id,message_status,error_code\r\n"),
        )),
        ReadRefusals,
    ),
    security(("api_key" = [])),
)]
#[get("/broadcasts/{id}/contacts")]
pub(super) async fn list(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    id: Id<BroadcastId>,
    listing: Listing<NoFilter>,
) -> Result<HttpResponse> {
    caller.require(Scope::MessagesRead)?;
    let (owner, id) = (owner_of(&caller), id.0);
    app.db.read(move |conn| store::load(conn, owner, id)).await?;
    if wants(&req, "text/csv") {
        return Ok(results(app, id));
    }
    let name = format!("{}/{}", owner.0, owner.1);
    let after = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let views = views_behind(&app, id, after, listing.page.fetch()).await?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.row.to_string()))
}

async fn views_behind(app: &App, id: BroadcastId, after: i32, limit: i64) -> Result<Vec<BroadcastContact>> {
    let rows = app.db.read(move |conn| store::list_contacts(conn, id, after, limit)).await?;
    Ok(rows.iter().map(|(contact, fate)| BroadcastContact::of(contact, fate.as_ref())).collect())
}

/// All contacts as a sheet, read a piece at a time while it is sent.
fn results(app: Data<App>, id: BroadcastId) -> HttpResponse {
    let pieces = stream::try_unfold(Some(0), move |after| {
        let app = app.clone();
        async move {
            let Some(after) = after else { return Ok(None) };
            let views = views_behind(&app, id, after, PIECE).await?;
            let next = views.last().map(|view| view.row);
            let lines = Bytes::from(csv_lines(&views));
            Ok::<_, crate::error::Error>((!lines.is_empty()).then_some((lines, next)))
        }
    });
    let heading = stream::once(async { Ok(Bytes::from_static(RESULTS_HEADING.as_bytes())) });
    HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.csv\"")))
        .streaming(heading.chain(pieces))
}
