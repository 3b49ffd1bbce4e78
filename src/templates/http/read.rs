//! Templates: listed, shown.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Deserialize;

use super::docs::ReadRefusals;
use super::view;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Id, Listing, Page, reply};
use crate::ids::TemplateId;
use crate::templates::status::Status;
use crate::templates::store::{self, Filter};
use crate::templates::view::TemplateView;
use crate::terms::Channel;
use crate::wallet;

/// What a list may be narrowed to.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateFilter {
    /// Of this name.
    name: Option<String>,
    /// On this channel.
    channel: Option<Channel>,
    /// Whose latest version is in this status.
    status: Option<Status>,
}

/// List your own templates, newest first: of a live key for live messages, of a test key for test messages.
///
/// The built-in texts (`verification`, `login`, `signup`, `transaction`) are not in it: they need no review.
#[utoipa::path(
    operation_id = "list_templates",
    tag = "Templates",
    path = "/v1/templates",
    params(TemplateFilter, PageParams),
    responses((status = 200, description = "A page of templates", body = Page<TemplateView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/templates")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<TemplateFilter>) -> Result<HttpResponse> {
    caller.require(Scope::TemplatesRead)?;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<TemplateId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let TemplateFilter { name: wanted, channel, status } = listing.filter;
    let filter = Filter { org: Some(owner.0), mode: Some(owner.1), name: wanted, channel, status };
    let (fetch, now) = (listing.page.fetch(), app.clock.now());
    let app_name = caller.org.name.clone();
    let views = app
        .db
        .read(move |conn| {
            let prices = wallet::load_prices(conn)?;
            let rows = store::list(conn, &filter, before, fetch)?;
            rows.iter().map(|whole| TemplateView::of(whole, &app_name, (&prices, now))).collect::<Result<Vec<_>>>()
        })
        .await?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show a template.
#[utoipa::path(
    operation_id = "show_template",
    tag = "Templates",
    path = "/v1/templates/{id}",
    params(("id" = TemplateId, Path, description = "The template")),
    responses((status = 200, description = "The template", body = TemplateView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/templates/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, id: Id<TemplateId>) -> Result<HttpResponse> {
    caller.require(Scope::TemplatesRead)?;
    let (owner, now) = ((caller.org_id(), caller.mode()), app.clock.now());
    let shown = app.db.read(move |conn| {
        let row = store::find(conn, id.0)?;
        if row.owner() != owner {
            return Err(Error::new(Code::NotFound));
        }
        let whole = store::whole(conn, row)?;
        view(conn, &whole, &caller.org, now)
    });
    reply::ok(&shown.await?)
}
