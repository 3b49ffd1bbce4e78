//! `/v1/invoices`.

use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;

use super::docs::ReadRefusals;
use crate::accounts::{Caller, Scope};
use crate::app::App;
use crate::billing::invoices::{InvoiceView, pdf, view_of};
use crate::billing::store::{self, InvoiceRow};
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Id, Listing, Page, csv, reply, wants};
use crate::ids::InvoiceId;
use crate::wallet::{self, Month, Spend, date_of};

/// A list without filters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfiltered {}

/// List invoices, newest first.
#[utoipa::path(
    operation_id = "list_invoices",
    tag = "Wallet",
    path = "/v1/invoices",
    params(PageParams),
    responses((status = 200, description = "A page of invoices", body = Page<InvoiceView>), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/invoices")]
pub(super) async fn list(caller: Caller, app: Data<App>, listing: Listing<Unfiltered>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let owner = (caller.org_id(), caller.mode());
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<InvoiceId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let rows = app.db.read(move |conn| store::list_invoices(conn, owner, before, fetch)).await?;
    let views = rows.iter().map(view_of).collect::<Result<Vec<_>>>()?;
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    reply::ok(&listing.page.page(views, scope, |view| view.id.to_string()))
}

/// Show an invoice: as JSON, with `Accept: application/pdf` as it is printed, with `Accept: text/csv` what it is for, by
/// day, key, channel and country.
#[utoipa::path(
    operation_id = "show_invoice",
    tag = "Wallet",
    path = "/v1/invoices/{id}",
    params(("id" = InvoiceId, Path, description = "The invoice")),
    responses(
        (status = 200, description = "The invoice", content(
            (InvoiceView = "application/json"),
            (String = "application/pdf", example = "%PDF-1.7 …"),
            (String = "text/csv", example = "day,key_id,channel,country,messages,parts,amount,currency\n2026-11-03,key_01h455vb4pex5vsknk084sn02q,sms,GB,120,131,2.62,USD\n"),
        )),
        ReadRefusals,
    ),
    security(("api_key" = [])),
)]
#[get("/invoices/{id}")]
pub(super) async fn show(caller: Caller, app: Data<App>, req: HttpRequest, id: Id<InvoiceId>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let owner = (caller.org_id(), caller.mode());
    let row = app.db.read(move |conn| store::find_invoice(conn, owner, id.0)).await?;
    invoice_answer(&app, &req, &row.ok_or_else(|| Error::new(Code::NotFound))?).await
}

/// An invoice as the request wants it: JSON, its PDF, or the CSV of what it is for.
pub async fn invoice_answer(app: &App, req: &HttpRequest, row: &InvoiceRow) -> Result<HttpResponse> {
    let view = view_of(row)?;
    if wants(req, "application/pdf") {
        let name = view.number.clone();
        let file = web::block(move || pdf(&view)).await.map_err(Error::internal)??;
        return Ok(HttpResponse::Ok()
            .content_type("application/pdf")
            .insert_header((header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}.pdf\"")))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(file));
    }
    if wants(req, "text/csv") {
        let owner = (view.org_id, view.mode);
        let month: Month = view.month.parse().map_err(Error::internal)?;
        let spend = app.db.read(move |conn| wallet::spend(conn, owner, month.start(), month.end())).await?;
        return csv(&view.number, &COLUMNS, spend.into_iter().map(cells));
    }
    reply::ok(&view)
}

const COLUMNS: [&str; 8] = ["day", "key_id", "channel", "country", "messages", "parts", "amount", "currency"];

fn cells(line: Spend) -> Vec<String> {
    vec![
        date_of(Millis(line.day.saturating_mul(86_400_000))),
        line.key_id.map(|id| id.to_string()).unwrap_or_default(),
        line.channel.map(|channel| channel.to_string()).unwrap_or_default(),
        line.country.map(|country| country.to_string()).unwrap_or_default(),
        line.messages.to_string(),
        line.parts.to_string(),
        line.amount.to_string(),
        line.currency.to_string(),
    ]
}
