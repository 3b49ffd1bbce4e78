//! Organizations' templates: looked at and judged.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::done;
use crate::app::App;
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::page::{Page, PageParams};
use crate::http::reply::Reply;
use crate::http::{Body, Id, Listing, OptionalBody};
use crate::ids::{OrgId, TemplateId};
use crate::templates::{self, Deed, Filter, Status, TemplateView, Whole, forget_templates};
use crate::terms::{Channel, Mode};
use crate::wallet::{self, Price};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_org_templates).service(show_org_template).service(approve_template).service(reject_template);
}

/// Which templates to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateSearch {
    /// Of this organization.
    org_id: Option<OrgId>,
    /// For live or for test messages.
    mode: Option<Mode>,
    /// Of this name.
    name: Option<String>,
    /// On this channel.
    channel: Option<Channel>,
    /// Whose latest version is in this status; `pending` is the queue of reviews.
    status: Option<Status>,
}

/// Why a template is approved.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(super) struct TemplateApproval {
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Why a template is turned down or stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The text does not say who sends it."}))]
pub(super) struct TemplateRejection {
    /// Why: its owner reads it, and the audit log keeps it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// List organizations' own templates, newest first.
#[utoipa::path(
    tag = "Admin: templates",
    path = "/v1/admin/templates",
    params(TemplateSearch, PageParams),
    responses((status = 200, description = "A page of templates", body = Page<TemplateView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/templates")]
pub(super) async fn list_org_templates(
    desk: Desk<Look>,
    app: Data<App>,
    listing: Listing<TemplateSearch>,
) -> Result<HttpResponse> {
    let TemplateSearch { org_id, mode, name, channel, status } = listing.filter;
    let filter = Filter { org: org_id, mode, name, channel, status };
    let now = app.clock.now();
    let read = move |conn: &mut Conn, before: Option<TemplateId>, limit| {
        let prices = wallet::load_prices(conn)?;
        let rows = templates::list_templates(conn, &filter, before, limit)?;
        rows.iter().map(|whole| shown(conn, whole, (&prices, now))).collect()
    };
    desk.list(listing.page, read, |view: &TemplateView| view.id.to_string()).await
}

/// Show a template.
#[utoipa::path(
    tag = "Admin: templates",
    path = "/v1/admin/templates/{id}",
    params(("id" = TemplateId, Path, description = "The template")),
    responses((status = 200, description = "The template", body = TemplateView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/templates/{id}")]
pub(super) async fn show_org_template(desk: Desk<Look>, app: Data<App>, id: Id<TemplateId>) -> Result<HttpResponse> {
    let now = app.clock.now();
    desk.show(move |conn| {
        let row = templates::find_template(conn, id.0)?;
        let whole = templates::whole_template(conn, row)?;
        let prices = wallet::load_prices(conn)?;
        shown(conn, &whole, (&prices, now))
    })
    .await
}

/// Approve a template: messages get it from now on. One that was paused or stopped sends again.
///
/// Also where a carrier reviews it: for when its word was lost.
#[utoipa::path(
    tag = "Admin: templates",
    path = "/v1/admin/templates/{id}/approve",
    params(
        ("id" = TemplateId, Path, description = "The template"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = Option<TemplateApproval>,
    responses((status = 200, description = "The template", body = TemplateView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/templates/{id}/approve")]
pub(super) async fn approve_template(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<TemplateId>,
    body: OptionalBody<TemplateApproval>,
) -> Result<HttpResponse> {
    let order = desk.order(&body.0, body.0.value.reason.clone())?;
    let answer = order.run(move |conn, by| judge(conn, by, id.0, Deed::Approve, None)).await?;
    forget_templates(&app);
    Ok(answer)
}

/// Turn a template down, or stop one that sends.
#[utoipa::path(
    tag = "Admin: templates",
    path = "/v1/admin/templates/{id}/reject",
    params(
        ("id" = TemplateId, Path, description = "The template"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = TemplateRejection,
    responses((status = 200, description = "The template", body = TemplateView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/templates/{id}/reject")]
pub(super) async fn reject_template(
    desk: Desk<Manage>,
    app: Data<App>,
    id: Id<TemplateId>,
    body: Body<TemplateRejection>,
) -> Result<HttpResponse> {
    let reason = String::from(body.value.reason.trim());
    let order = desk.order(&body, Some(reason.clone()))?;
    if reason.is_empty() {
        return Err(Error::field("reason", "is required: the template's owner reads it"));
    }
    let answer = order.run(move |conn, by| judge(conn, by, id.0, Deed::Reject, Some(reason))).await?;
    forget_templates(&app);
    Ok(answer)
}

fn judge(conn: &mut Conn, by: &By, id: TemplateId, deed: Deed, reason: Option<String>) -> Result<Reply> {
    let (before, after) = templates::judge(conn, id, deed, reason, by.now)?;
    let prices = wallet::load_prices(conn)?;
    let (before, after) = (shown(conn, &before, (&prices, by.now))?, shown(conn, &after, (&prices, by.now))?);
    let action = if deed == Deed::Approve { "template.approve" } else { "template.reject" };
    by.tell(conn, action, id, Change::changed(&before, &after))?;
    done(&after)
}

fn shown(conn: &mut Conn, whole: &Whole, (prices, now): (&[Price], crate::clock::Millis)) -> Result<TemplateView> {
    let org = accounts::load_org(conn, whole.row.org_id)?;
    TemplateView::of(whole, &org.name, (prices, now))
}
