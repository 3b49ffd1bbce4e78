//! Top-ups, invoices, accounts of the ledger, and whom invoices are made out to.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post, put};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage, Why};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::{done, made};
use crate::app::App;
use crate::audit::Change;
use crate::billing::{self, BillingProfile, InvoiceView, Payment, Source, TopupView};
use crate::error::{Error, Result};
use crate::http::{Body, Id, Query};
use crate::ids::{OrgId, TopupId};
use crate::money::MoneyView;
use crate::terms::Mode;
use crate::wallet::{self, Month};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes
        .service(create_topup)
        .service(settle_topup)
        .service(issue_invoice)
        .service(show_profile)
        .service(change_profile)
        .service(show_accounts)
        .service(show_ledger);
}

/// Money that an operator has seen come in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "100.00", "currency": "USD", "reference": "bank transfer 4711", "reason": "statement of 26 November"}))]
pub struct PaidIn {
    /// From 0.01 to 1000000: a decimal text with at most six places.
    #[schema(example = "100.00", pattern = r"^[0-9]{1,7}(\.[0-9]{1,6})?$")]
    amount: String,
    /// ISO 4217; the wallet's own where absent, which is USD where nothing was ever paid in.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// The payment's own name: one name is booked once.
    #[schema(min_length = 1, max_length = 100)]
    reference: String,
    /// The top-up that it is for, where one was asked for.
    topup_id: Option<TopupId>,
    /// Live money where absent.
    mode: Option<Mode>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Book money that came into an organization's wallet, once for each `reference`.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/wallet/topups",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one top-up"),
    ),
    request_body = PaidIn,
    responses((status = 201, description = "The top-up", body = TopupView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/orgs/{id}/wallet/topups")]
pub(super) async fn create_topup(desk: Desk<Manage>, id: Id<OrgId>, body: Body<PaidIn>) -> Result<HttpResponse> {
    let paid = &body.value;
    let (amount, currency) = billing::money(&paid.amount, paid.currency.as_deref())?;
    if !(1..=100).contains(&paid.reference.chars().count()) || paid.reference.chars().any(char::is_control) {
        return Err(Error::field("reference", "must have 1 to 100 printable characters"));
    }
    let owner = (id.0, paid.mode.unwrap_or(Mode::Live));
    let payment = Payment {
        topup: paid.topup_id,
        owner,
        amount,
        currency,
        reference: paid.reference.clone(),
        source: Source::Operator,
    };
    let order = desk.order(&body, paid.reason.clone())?;
    order
        .run(move |conn, by| {
            accounts::load_org(conn, owner.0)?;
            let view = TopupView::from(&billing::pay(conn, &payment, by.now)?);
            by.tell(conn, "topup.pay", view.id, Change::made(&view))?;
            made(format!("/v1/admin/orgs/{}/wallet", owner.0), &view)
        })
        .await
}

crate::text_enum! {
    /// What became of a payment that a top-up waits for.
    pub enum TopupOutcome { Paid = "paid", Failed = "failed" }
}

/// What became of a payment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "failed", "reason": "card declined"}))]
pub struct TopupEnd {
    /// `paid` puts the money into the wallet.
    outcome: TopupOutcome,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Say what became of a payment that a top-up waits for.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/topups/{id}/settle",
    params(
        ("id" = TopupId, Path, description = "The top-up"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
    ),
    request_body = TopupEnd,
    responses((status = 200, description = "The top-up as it is now", body = TopupView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/topups/{id}/settle")]
pub(super) async fn settle_topup(desk: Desk<Manage>, id: Id<TopupId>, body: Body<TopupEnd>) -> Result<HttpResponse> {
    let outcome = body.value.outcome;
    let order = desk.order(&body, body.value.reason.clone())?;
    order
        .run(move |conn, by| {
            let topup = match outcome {
                TopupOutcome::Paid => billing::confirm(conn, id.0, by.now)?,
                TopupOutcome::Failed => billing::close(conn, id.0, by.now)?,
            };
            let view = TopupView::from(&topup);
            by.tell(conn, "topup.settle", view.id, Change::made(&view))?;
            done(&view)
        })
        .await
}

/// Which month's invoice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"month": "2026-11"}))]
pub struct InvoiceOrder {
    /// A month that is over.
    #[schema(example = "2026-11", pattern = "^[0-9]{4}-[0-9]{2}$")]
    month: String,
    /// Live money where absent.
    mode: Option<Mode>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Write an organization's invoice for a month, or show the one that is written. Invoices of months in which money moved
/// are written by themselves.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/invoices",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one invoice"),
    ),
    request_body = InvoiceOrder,
    responses((status = 200, description = "The invoice", body = InvoiceView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/orgs/{id}/invoices")]
pub(super) async fn issue_invoice(
    desk: Desk<Manage>,
    id: Id<OrgId>,
    app: Data<App>,
    body: Body<InvoiceOrder>,
) -> Result<HttpResponse> {
    let month: Month = body.value.month.parse().map_err(|fault| Error::field("month", format!("{fault}")))?;
    let (mode, terms) = (body.value.mode.unwrap_or(Mode::Live), app.config.billing.clone());
    let order = desk.order(&body, body.value.reason.clone())?;
    order
        .run(move |conn, by| {
            accounts::load_org(conn, id.0)?;
            let view = billing::issue_month(conn, (id.0, mode), month, &terms, by.now)?;
            by.tell(conn, "invoice.issue", view.id, Change::made(&view))?;
            done(&view)
        })
        .await
}

/// Show whom an organization's invoices are made out to.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/billing",
    params(("id" = OrgId, Path, description = "The organization")),
    responses((status = 200, description = "The profile", body = BillingProfile), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/billing")]
pub(super) async fn show_profile(desk: Desk<Look>, id: Id<OrgId>) -> Result<HttpResponse> {
    desk.show(move |conn| {
        let org = accounts::load_org(conn, id.0)?;
        billing::load_profile(conn, org.id, &org.name)
    })
    .await
}

/// Say whom an organization's invoices are made out to, and where they are mailed. Invoices that are written stay.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/billing",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one change"),
        Why,
    ),
    request_body = BillingProfile,
    responses((status = 200, description = "The profile as it is now", body = BillingProfile), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[put("/orgs/{id}/billing")]
pub(super) async fn change_profile(
    desk: Desk<Manage>,
    id: Id<OrgId>,
    why: Query<Why>,
    body: Body<BillingProfile>,
) -> Result<HttpResponse> {
    let order = desk.order(&body, why.0.reason)?;
    let after = body.value;
    order
        .run(move |conn, by| {
            let org = accounts::load_org(conn, id.0)?;
            let before = billing::load_profile(conn, org.id, &org.name)?;
            billing::save_profile(conn, org.id, &after, by.now)?;
            by.tell(conn, "billing.update", org.id, Change::changed(&before, &after))?;
            done(&after)
        })
        .await
}

/// An account of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountBalance {
    /// `available` and `held` (the wallet's two), `revenue`, `funding`, `adjustments`, `cost`, or `carrier:NAME`.
    #[schema(example = "revenue")]
    account: String,
    /// Live or test money.
    mode: Mode,
    /// What was posted to it, taken together.
    balance: MoneyView,
}

/// Accounts of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerAccounts {
    /// The accounts.
    data: Vec<AccountBalance>,
}

/// Show the ledger's accounts of one organization. In each mode and currency they are zero together, less the test money
/// that a test wallet opens with.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/accounts",
    params(("id" = OrgId, Path, description = "The organization")),
    responses((status = 200, description = "Its accounts", body = LedgerAccounts), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/accounts")]
pub(super) async fn show_accounts(desk: Desk<Look>, id: Id<OrgId>) -> Result<HttpResponse> {
    desk.show(move |conn| {
        accounts::load_org(conn, id.0)?;
        let mut data = Vec::new();
        for account in wallet::accounts_of(conn, id.0)?.into_iter().filter(|account| account.account != "wallet") {
            data.push(balance(&account));
        }
        for mode in [Mode::Live, Mode::Test] {
            let wallet = wallet::read(conn, id.0, mode)?;
            for (name, amount) in [("available", wallet.available()), ("held", wallet.held)] {
                let balance = MoneyView::new(amount, wallet.currency);
                data.push(AccountBalance { account: String::from(name), mode, balance });
            }
        }
        Ok(LedgerAccounts { data })
    })
    .await
}

/// What the books say.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerCheck {
    /// Whether they balance.
    balanced: bool,
    /// Each disagreement in a sentence.
    faults: Vec<String>,
    /// Wallets looked at.
    wallets: i64,
    /// The accounts of all organizations together.
    accounts: Vec<AccountBalance>,
}

/// Check the whole ledger against the wallets and the messages. Reads all of them: not for every minute.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/ledger",
    responses((status = 200, description = "What the books say", body = LedgerCheck), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/ledger")]
pub(super) async fn show_ledger(desk: Desk<Look>) -> Result<HttpResponse> {
    desk.show(|conn| {
        let books = wallet::check_books(conn)?;
        Ok(LedgerCheck {
            balanced: books.faults.is_empty(),
            faults: books.faults,
            wallets: books.wallets,
            accounts: books.accounts.iter().map(balance).collect(),
        })
    })
    .await
}

fn balance(account: &wallet::Account) -> AccountBalance {
    AccountBalance {
        account: account.account.clone(),
        mode: account.mode,
        balance: MoneyView::new(account.balance, account.currency),
    }
}
