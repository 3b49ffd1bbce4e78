//! What an operator looks up about money: top-ups that wait, invoices, what moved a wallet.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look};
use crate::admin::docs::ReadRefusals;
use crate::app::App;
use crate::billing::{self, InvoiceView, TopupStatus, TopupView, TransactionView};
use crate::error::Result;
use crate::http::page::PageParams;
use crate::http::{Id, Listing, Page};
use crate::ids::{InvoiceId, OrgId};
use crate::terms::Mode;
use crate::wallet::{self, EntryKind};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(list_org_topups).service(list_org_invoices).service(show_org_invoice).service(list_org_transactions);
}

/// A top-up and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrgTopup {
    /// The organization.
    org_id: OrgId,
    /// The top-up.
    #[serde(flatten)]
    topup: TopupView,
}

/// Which top-ups.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TopupFilter {
    /// Of this organization.
    #[param(value_type = Option<String>)]
    org_id: Option<OrgId>,
    /// In this state: `pending` are those that wait for their payment.
    status: Option<TopupStatus>,
}

/// List top-ups of all organizations, newest first.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/topups",
    params(TopupFilter, PageParams),
    responses((status = 200, description = "A page of top-ups", body = Page<OrgTopup>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/topups")]
pub(super) async fn list_org_topups(desk: Desk<Look>, listing: Listing<TopupFilter>) -> Result<HttpResponse> {
    let TopupFilter { org_id, status } = listing.filter;
    let read = move |conn: &mut _, before, limit| {
        let found = billing::all_topups(conn, org_id, status, before, limit)?;
        Ok(found.into_iter().map(|(org_id, topup)| OrgTopup { org_id, topup }).collect())
    };
    desk.list(listing.page, read, |found: &OrgTopup| found.topup.id.to_string()).await
}

/// Live or test money.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct InvoiceFilter {
    /// Live money where absent.
    mode: Option<Mode>,
}

/// List the invoices of an organization, newest first.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/invoices",
    params(("id" = OrgId, Path, description = "The organization"), InvoiceFilter, PageParams),
    responses((status = 200, description = "A page of invoices", body = Page<InvoiceView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/invoices")]
pub(super) async fn list_org_invoices(
    desk: Desk<Look>,
    id: Id<OrgId>,
    listing: Listing<InvoiceFilter>,
) -> Result<HttpResponse> {
    let owner = (id.0, listing.filter.mode.unwrap_or(Mode::Live));
    let read = move |conn: &mut _, before, limit| {
        accounts::load_org(conn, owner.0)?;
        billing::invoices_of(conn, owner, before, limit)
    };
    desk.list(listing.page, read, |view: &InvoiceView| view.id.to_string()).await
}

/// Show an invoice: as JSON, with `Accept: application/pdf` as it is printed, with `Accept: text/csv` what it is for.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/invoices/{id}",
    params(("id" = InvoiceId, Path, description = "The invoice")),
    responses(
        (status = 200, description = "The invoice", content(
            (InvoiceView = "application/json"),
            (String = "application/pdf", example = "%PDF-1.7 …"),
            (String = "text/csv", example = "day,key_id,channel,country,messages,parts,amount,currency\n"),
        )),
        ReadRefusals,
    ),
    security(("operator_token" = [])),
)]
#[get("/invoices/{id}")]
pub(super) async fn show_org_invoice(
    _desk: Desk<Look>,
    app: Data<App>,
    req: HttpRequest,
    id: Id<InvoiceId>,
) -> Result<HttpResponse> {
    let row = app.db.read(move |conn| billing::any_invoice(conn, id.0)).await?;
    billing::invoice_answer(&app, &req, &row).await
}

/// Which transactions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryFilter {
    /// Live money where absent.
    mode: Option<Mode>,
    /// Of this kind.
    kind: Option<EntryKind>,
}

/// List what moved an organization's balance, newest first.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/wallet/transactions",
    params(("id" = OrgId, Path, description = "The organization"), EntryFilter, PageParams),
    responses((status = 200, description = "A page of transactions", body = Page<TransactionView>), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/wallet/transactions")]
pub(super) async fn list_org_transactions(
    desk: Desk<Look>,
    id: Id<OrgId>,
    listing: Listing<EntryFilter>,
) -> Result<HttpResponse> {
    let (owner, kind) = ((id.0, listing.filter.mode.unwrap_or(Mode::Live)), listing.filter.kind);
    let read = move |conn: &mut _, before, limit| {
        accounts::load_org(conn, owner.0)?;
        let rows = wallet::entries(conn, owner, kind, before, limit)?;
        Ok(rows.into_iter().map(TransactionView::from).collect())
    };
    desk.list(listing.page, read, |view: &TransactionView| view.id.to_string()).await
}
