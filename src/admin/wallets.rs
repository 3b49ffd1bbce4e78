//! Organizations' wallets.

use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::admin::desk::{Desk, Look, Manage};
use crate::admin::docs::{ChangeRefusals, ReadRefusals};
use crate::admin::order::made;
use crate::audit::Change;
use crate::error::{Error, Result};
use crate::http::{Body, Id, Query};
use crate::ids::OrgId;
use crate::money::{Currency, Micros, MoneyView};
use crate::terms::Mode;
use crate::wallet::{self, Entry, EntryKind, Wallet};

pub(super) fn configure(routes: &mut ServiceConfig) {
    routes.service(show_wallet).service(adjust_wallet);
}

/// A wallet as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct WalletView {
    /// Whose.
    org_id: OrgId,
    /// Live or test money.
    mode: Mode,
    /// All that is there, holds included.
    balance: MoneyView,
    /// What accepted messages have spoken for.
    held: MoneyView,
    /// What new messages can take.
    available: MoneyView,
}

/// A change of a wallet's balance.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "100.00", "currency": "USD", "reason": "prepaid by invoice 17"}))]
pub struct Adjustment {
    /// Added to the balance; negative takes away. A decimal text with at most six places.
    #[schema(example = "100.00", pattern = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
    amount: String,
    /// ISO 4217; the wallet's own.
    #[schema(example = "USD", pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Why; kept in the ledger and the audit log.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Live money where absent.
    mode: Option<Mode>,
}

/// Which of an organization's wallets.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Live money where absent.
    mode: Option<Mode>,
}

/// Show an organization's wallet.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/wallet",
    params(("id" = OrgId, Path, description = "The organization"), Which),
    responses((status = 200, description = "The wallet", body = WalletView), ReadRefusals),
    security(("operator_token" = [])),
)]
#[get("/orgs/{id}/wallet")]
pub(super) async fn show_wallet(desk: Desk<Look>, id: Id<OrgId>, which: Query<Which>) -> Result<HttpResponse> {
    let mode = which.0.mode.unwrap_or(Mode::Live);
    desk.show(move |conn| {
        accounts::load_org(conn, id.0)?;
        Ok(view(&wallet::read(conn, id.0, mode)?))
    })
    .await
}

/// Add to or take from an organization's wallet.
#[utoipa::path(
    tag = "Admin: money",
    path = "/v1/admin/orgs/{id}/wallet/adjustments",
    params(
        ("id" = OrgId, Path, description = "The organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "One key, one adjustment"),
    ),
    request_body = Adjustment,
    responses((status = 201, description = "The wallet as it is now", body = WalletView), ChangeRefusals),
    security(("operator_token" = [])),
)]
#[post("/orgs/{id}/wallet/adjustments")]
pub(super) async fn adjust_wallet(desk: Desk<Manage>, id: Id<OrgId>, body: Body<Adjustment>) -> Result<HttpResponse> {
    let wanted = &body.value;
    let amount = Micros::parse(&wanted.amount)
        .filter(|amount| amount.0 != 0)
        .ok_or_else(|| Error::field("amount", "must be a decimal text of at most six places, not zero, e.g. 100.00"))?;
    let currency: Currency = wanted.currency.parse().map_err(|fault| Error::field("currency", format!("{fault}")))?;
    if wanted.reason.trim().is_empty() {
        return Err(Error::field("reason", "must say why the balance changes"));
    }
    let (mode, reason) = (wanted.mode.unwrap_or(Mode::Live), wanted.reason.clone());
    let order = desk.order(&body, Some(reason.clone()))?;
    order
        .run(move |conn, by| {
            accounts::load_org(conn, id.0)?;
            let before = view(&wallet::read(conn, id.0, mode)?);
            let entry = Entry::new(EntryKind::Adjustment, (id.0, mode), amount, currency, by.now).because(reason);
            let after = view(&wallet::adjust(conn, &entry, by.now)?);
            by.tell(conn, "wallet.adjust", id.0, Change::changed(&before, &after))?;
            made(format!("/v1/admin/orgs/{}/wallet", id.0), &after)
        })
        .await
}

fn view(wallet: &Wallet) -> WalletView {
    let money = |amount| MoneyView::new(amount, wallet.currency);
    WalletView {
        org_id: wallet.org_id,
        mode: wallet.mode,
        balance: money(wallet.balance),
        held: money(wallet.held),
        available: money(wallet.available()),
    }
}
