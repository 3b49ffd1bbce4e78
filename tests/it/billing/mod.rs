//! Money through its public interface: the ledger, prices, top-ups, plans and their states, invoices, reports.

mod books;
mod fees;
mod invoices;
mod ledger;
mod prices;
mod states;
mod topups;

use postern::wallet::check_books;
use serde_json::{Value, json};

use crate::harness::actor::Reply;
use crate::harness::app::{Tenant, TestApp};

/// One cent an SMS, and so many dollars for the organization.
pub async fn paying(app: &TestApp, dollars: &str) -> Tenant {
    price(app, json!([{"channel": "sms", "amount": "0.01"}])).await;
    let acme = app.tenant().await;
    pay_in(app, &acme.org, dollars, "opening").await.expect(201);
    acme
}

/// Puts a price list in place.
pub async fn price(app: &TestApp, list: Value) -> Reply {
    app.operator().put("/v1/admin/prices", list).await.expect(200)
}

/// Money that an operator has seen come in.
pub async fn pay_in(app: &TestApp, org: &str, dollars: &str, reference: &str) -> Reply {
    let body = json!({"amount": dollars, "reference": format!("{org} {reference}")});
    app.operator().post(&format!("/v1/admin/orgs/{org}/wallet/topups"), body).await
}

/// Balance, held and available, as the organization sees them.
pub async fn purse(acme: &Tenant) -> [String; 3] {
    let wallet = acme.live.get("/v1/wallet").await.expect(200);
    ["balance", "held", "available"].map(|name| wallet.text_at(&format!("/{name}/amount")))
}

/// The books agree: accounts are zero together, wallets are what entries and messages say.
#[track_caller]
pub fn balanced(app: &TestApp) -> impl Future<Output = ()> + '_ {
    let place = std::panic::Location::caller();
    async move {
        let books = app.read(check_books).await;
        assert_eq!(books.faults, Vec::<String>::new(), "at {place}");
    }
}

/// An account of the organization, live.
pub async fn account(app: &TestApp, org: &str, name: &str) -> String {
    let told = app.operator().get(&format!("/v1/admin/orgs/{org}/accounts")).await.expect(200);
    let all = told.json["data"].as_array().unwrap().clone();
    let found = all.iter().find(|account| account["account"] == name && account["mode"] == "live");
    found.map(|account| account["balance"]["amount"].as_str().unwrap().to_owned()).unwrap_or_default()
}
