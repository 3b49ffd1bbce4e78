//! `/v1/wallet/topups`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use serde::Deserialize;

use super::docs::{ChangeRefusals, ReadRefusals};
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::app::App;
use crate::audit::Change;
use crate::billing::store;
use crate::billing::topups::{self, NewTopup, Source, TopupView};
use crate::error::{Code, Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Body, Id, Listing, Page, reply};
use crate::ids::TopupId;

/// Ask for money to be paid in.
///
/// With a live key the top-up waits: pay it and have your payment service call `/hooks/payments` with its id, or have an
/// operator confirm it. With a test key the test money is there at once.
#[utoipa::path(
    operation_id = "request_topup",
    tag = "Wallet",
    path = "/v1/wallet/topups",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one effect")),
    request_body = NewTopup,
    responses((status = 201, description = "The top-up", body = TopupView), ChangeRefusals),
    security(("api_key" = [])),
)]
#[post("/wallet/topups")]
pub(super) async fn create(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<NewTopup>,
) -> Result<HttpResponse> {
    caller.require(Scope::WalletTopup)?;
    let (owner, money) = ((caller.org_id(), caller.mode()), body.value.read()?);
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        let view = TopupView::from(&topups::ask(conn, owner, money, Source::Key, by.now)?);
        by.tell(conn, "topup.request", view.id, Change::made(&view))?;
        stored(201, &view)
    })
    .await
}

/// A list without filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfiltered {}

/// List top-ups, newest first.
#[utoipa::path(
    operation_id = "list_topups",
    tag = "Wallet",
    path = "/v1/wallet/topups",
    params(PageParams),
    responses((status = 200, description = "A page of top-ups", body = Page<TopupView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/wallet/topups")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<TopupId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let views = app.db.read(move |conn| topups::list_topups(conn, owner, before, fetch)).await?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show a top-up.
#[utoipa::path(
    operation_id = "show_topup",
    tag = "Wallet",
    path = "/v1/wallet/topups/{id}",
    params(("id" = TopupId, Path, description = "The top-up")),
    responses((status = 200, description = "The top-up", body = TopupView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/wallet/topups/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<TopupId>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let found = app.db.read(move |conn| store::find_topup(conn, id.0)).await?;
    let own = found.filter(|topup| (topup.org_id, topup.mode) == (caller.org_id(), caller.mode()));
    reply::ok(&TopupView::from(&own.ok_or_else(|| Error::new(Code::NotFound))?))
}
