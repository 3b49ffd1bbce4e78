//! `/v1/wallet`: the balance, what moved it, its settings, and where the money went.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::docs::{ChangeRefusals, ReadRefusals};
use crate::accounts::{Caller, Scope, change_once, stored};
use crate::app::App;
use crate::audit::Change;
use crate::billing::report::{GroupBy, SpendReport, report};
use crate::billing::settings::WalletSettings;
use crate::billing::store;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::http::page::{self, PageParams};
use crate::http::{Body, Id, Listing, Page, Query, csv, reply, wants};
use crate::ids::{EntryId, KeyId, MessageId};
use crate::money::MoneyView;
use crate::phone::Country;
use crate::terms::{Channel, Mode};
use crate::wallet::{self, Entry, EntryKind, Wallet};

/// A wallet as its organization sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WalletBalance {
    /// Live or test money, as the key's own mode.
    pub mode: Mode,
    /// All that is there, holds included.
    pub balance: MoneyView,
    /// What accepted messages have spoken for.
    pub held: MoneyView,
    /// What new messages can take.
    pub available: MoneyView,
}

impl From<&Wallet> for WalletBalance {
    fn from(wallet: &Wallet) -> WalletBalance {
        let money = |amount| MoneyView::new(amount, wallet.currency);
        WalletBalance {
            mode: wallet.mode,
            balance: money(wallet.balance),
            held: money(wallet.held),
            available: money(wallet.available()),
        }
    }
}

/// Something that moved the balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransactionView {
    /// Its id.
    pub id: EntryId,
    /// What it was.
    pub kind: EntryKind,
    /// Added to the balance; negative for a charge.
    pub amount: MoneyView,
    /// The message that was charged.
    pub message_id: Option<MessageId>,
    /// The key that sent it.
    pub key_id: Option<KeyId>,
    /// Its channel.
    pub channel: Option<Channel>,
    /// Its country.
    #[schema(value_type = Option<String>, example = "GB")]
    pub country: Option<Country>,
    /// Its billed parts.
    pub parts: Option<i32>,
    /// The payment that came in.
    pub reference: Option<String>,
    /// An operator's reason.
    pub reason: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
}

impl From<Entry> for TransactionView {
    fn from(entry: Entry) -> TransactionView {
        TransactionView {
            id: entry.id,
            kind: entry.kind,
            amount: MoneyView::new(entry.amount_micros, entry.currency),
            message_id: entry.message_id,
            key_id: entry.key_id,
            channel: entry.channel,
            country: entry.country,
            parts: entry.parts,
            reference: entry.reference,
            reason: entry.reason,
            created_at: entry.created_at,
        }
    }
}

/// Show the wallet of this key's organization and mode.
#[utoipa::path(
    operation_id = "show_own_wallet",
    tag = "Wallet",
    path = "/v1/wallet",
    responses((status = 200, description = "The wallet", body = WalletBalance), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/wallet")]
pub(super) async fn show(caller: Caller, app: Data<App>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let wallet = app.db.read(move |conn| wallet::read(conn, caller.org_id(), caller.mode())).await?;
    reply::ok(&WalletBalance::from(&wallet))
}

/// What a list of transactions may be narrowed to.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TransactionFilter {
    /// Of this kind.
    kind: Option<EntryKind>,
}

/// List what moved the balance, newest first. With `Accept: text/csv` the page comes as CSV, and the cursor of the next
/// one in `Next-Cursor`.
#[utoipa::path(
    operation_id = "list_transactions",
    tag = "Wallet",
    path = "/v1/wallet/transactions",
    params(TransactionFilter, PageParams),
    responses(
        (status = 200, description = "A page of transactions", content(
            (Page<TransactionView> = "application/json"),
            (String = "text/csv", example = "id,created_at,kind,amount,currency,message_id,key_id,channel,country,parts,reference,reason\n"),
        )),
        ReadRefusals,
    ),
    security(("api_key" = [])),
)]
#[get("/wallet/transactions")]
pub(super) async fn transactions(
    caller: Caller,
    app: Data<App>,
    req: HttpRequest,
    listing: Listing<TransactionFilter>,
) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let owner = (caller.org_id(), caller.mode());
    let kind = listing.filter.kind.filter(|kind| *kind != EntryKind::Cost);
    let name = format!("{}/{}", owner.0, owner.1);
    let before: Option<EntryId> = listing.page.position(&app.keyring, &name)?.and_then(|text| text.parse().ok());
    let fetch = listing.page.fetch();
    let rows = app.db.read(move |conn| wallet::entries(conn, owner, kind, before, fetch)).await?;
    let views: Vec<TransactionView> = rows.into_iter().map(TransactionView::from).collect();
    let scope = page::Scope { keyring: &app.keyring, owner: &name };
    let page = listing.page.page(views, scope, |view| view.id.to_string());
    if !wants(&req, "text/csv") {
        return reply::ok(&page);
    }
    let mut response = csv("transactions", &COLUMNS, page.data.into_iter().map(cells))?;
    if let Some(value) = page.next_cursor.and_then(|cursor| cursor.parse().ok()) {
        response.headers_mut().insert(actix_web::http::header::HeaderName::from_static("next-cursor"), value);
    }
    Ok(response)
}

const COLUMNS: [&str; 12] = [
    "id",
    "created_at",
    "kind",
    "amount",
    "currency",
    "message_id",
    "key_id",
    "channel",
    "country",
    "parts",
    "reference",
    "reason",
];

fn cells(view: TransactionView) -> Vec<String> {
    let shown = |value: Option<String>| value.unwrap_or_default();
    vec![
        view.id.to_string(),
        view.created_at.rfc3339(),
        view.kind.to_string(),
        view.amount.amount,
        view.amount.currency,
        shown(view.message_id.map(|id| id.to_string())),
        shown(view.key_id.map(|id| id.to_string())),
        shown(view.channel.map(|channel| channel.to_string())),
        shown(view.country.map(|country| country.to_string())),
        shown(view.parts.map(|parts| parts.to_string())),
        shown(view.reference),
        shown(view.reason),
    ]
}

/// Show one transaction.
#[utoipa::path(
    operation_id = "show_transaction",
    tag = "Wallet",
    path = "/v1/wallet/transactions/{id}",
    params(("id" = EntryId, Path, description = "The transaction")),
    responses((status = 200, description = "The transaction", body = TransactionView), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/wallet/transactions/{id}")]
pub(super) async fn transaction(caller: Caller, app: Data<App>, id: Id<EntryId>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let owner = (caller.org_id(), caller.mode());
    let found = app.db.read(move |conn| wallet::find_entry(conn, owner, id.0)).await?;
    reply::ok(&TransactionView::from(found.ok_or_else(|| Error::new(Code::NotFound))?))
}

/// Show when you want to be told of your balance.
#[utoipa::path(
    operation_id = "show_wallet_settings",
    tag = "Wallet",
    path = "/v1/wallet/settings",
    responses((status = 200, description = "The settings", body = WalletSettings), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/wallet/settings")]
pub(super) async fn show_settings(caller: Caller, app: Data<App>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    let row = app.db.read(move |conn| store::find_settings(conn, (caller.org_id(), caller.mode()))).await?;
    reply::ok(&row.map(|row| WalletSettings::of(&row)).unwrap_or_default())
}

/// Say when you want to be told of your balance, and what shall be paid in by itself. What is left out is off.
///
/// Thresholds are told as `wallet.low_balance`. A top-up that is wanted is told as `wallet.auto_topup_requested` and waits
/// for its payment; nothing is ever charged without one.
#[utoipa::path(
    operation_id = "change_wallet_settings",
    tag = "Wallet",
    path = "/v1/wallet/settings",
    params(("Idempotency-Key" = Option<String>, Header, description = "One key, one effect")),
    request_body = WalletSettings,
    responses((status = 200, description = "The settings as they are now", body = WalletSettings), ChangeRefusals),
    security(("api_key" = [])),
)]
#[put("/wallet/settings")]
pub(super) async fn change_settings(
    caller: Caller,
    req: HttpRequest,
    app: Data<App>,
    body: Body<WalletSettings>,
) -> Result<HttpResponse> {
    caller.require(Scope::WalletTopup)?;
    let (owner, wanted) = ((caller.org_id(), caller.mode()), body.value.clone());
    change_once(&app, &caller, (&req, &body), move |conn, by| {
        let row = wanted.row(owner, by.now)?;
        let before = store::find_settings(conn, owner)?.map(|row| WalletSettings::of(&row)).unwrap_or_default();
        store::put_settings(conn, &row)?;
        let after = WalletSettings::of(&row);
        by.tell(conn, "wallet.settings", owner.0, Change::changed(&before, &after))?;
        stored(200, &after)
    })
    .await
}

/// Of which stretch and how to report.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct SpendQuery {
    /// From this moment; 30 days ago where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Millis>,
    /// Until before this one; now where absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Millis>,
    /// `day` where absent.
    group_by: Option<GroupBy>,
}

const STRETCH: Duration = Duration::from_secs(30 * 86_400);
/// A year and a day.
const LONGEST: Duration = Duration::from_secs(367 * 86_400);

/// Report where the money went, and what a verified user costs.
#[utoipa::path(
    operation_id = "report_spend",
    tag = "Wallet",
    path = "/v1/wallet/spend",
    params(SpendQuery),
    responses((status = 200, description = "What was spent", body = SpendReport), ReadRefusals),
    security(("api_key" = [])),
)]
#[get("/wallet/spend")]
pub(super) async fn spend(caller: Caller, app: Data<App>, query: Query<SpendQuery>) -> Result<HttpResponse> {
    caller.require(Scope::WalletRead)?;
    // What is charged in this very millisecond counts.
    let to = query.0.to.unwrap_or_else(|| app.clock.now().plus(Duration::from_millis(1)));
    let from = query.0.from.unwrap_or_else(|| to.minus(STRETCH));
    if from >= to || to.since(from) > LONGEST {
        return Err(Error::field("from", "must be earlier than to, by a year at most"));
    }
    let group_by = query.0.group_by.unwrap_or(GroupBy::Day);
    let owner = (caller.org_id(), caller.mode());
    reply::ok(&app.db.read(move |conn| report(conn, owner, (from, to), group_by)).await?)
}
