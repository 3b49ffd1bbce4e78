//! What operators look up: top-ups that wait, invoices, what moved a wallet; and wallets that are not in dollars.

use postern::error::Code;
use postern::worker;
use serde_json::json;

use super::{balanced, pay_in, paying};
use crate::harness::app::TestApp;
use crate::harness::fake_smtp::SmtpFault;
use crate::messages::{accepted, drain, notice_to, number, secs};

#[actix_web::test]
async fn an_operator_finds_what_waits_and_what_moved() {
    let app = TestApp::start().await;
    let (acme, other) = (paying(&app, "1").await, paying(&app, "1").await);
    let asked = acme.live.post("/v1/wallet/topups", json!({"amount": "5"})).await.expect(201).text_at("/id");
    let list = |query: String| {
        let operator = app.operator();
        async move { operator.get(&format!("/v1/admin/topups{query}")).await.expect(200).json["data"].clone() }
    };
    let waiting = list("?status=pending".into()).await;
    assert_eq!((waiting.as_array().unwrap().len(), &waiting[0]["id"]), (1, &json!(asked)));
    assert_eq!(waiting[0]["org_id"], json!(acme.org));
    assert_eq!(list(String::new()).await.as_array().unwrap().len(), 3);
    assert_eq!(list(format!("?org_id={}", other.org)).await.as_array().unwrap().len(), 1);
    let path = format!("/v1/admin/topups/{}/settle", waiting[0]["id"].as_str().unwrap());
    app.operator().post(&path, json!({"outcome": "paid"})).await.expect(200);
    assert_eq!(list("?status=pending".into()).await, json!([]));
    let moved = app.operator().get(&format!("/v1/admin/orgs/{}/wallet/transactions", acme.org)).await.expect(200);
    let own = acme.live.get("/v1/wallet/transactions").await.expect(200);
    assert_eq!((&moved.json["data"], own.json["data"].as_array().unwrap().len()), (&own.json["data"], 2));
    let nobody = "/v1/admin/orgs/org_01h455vb4pex5vsknk084sn02q";
    for path in ["/wallet/transactions", "/invoices"] {
        app.operator().get(&format!("{nobody}{path}")).await.refused(Code::NotFound);
    }
}

#[actix_web::test]
async fn an_operator_reads_an_invoice_as_its_customer_does() {
    let app = TestApp::start().await;
    let acme = paying(&app, "1").await;
    accepted(&acme.live, notice_to(&number(1))).await;
    drain(&app).await;
    app.advance(secs(4 * 86_400));
    worker::bill(&app.app).await.unwrap();
    let list = app.operator().get(&format!("/v1/admin/orgs/{}/invoices", acme.org)).await.expect(200);
    assert_eq!(list.json["data"], acme.live.get("/v1/invoices").await.expect(200).json["data"]);
    let path = format!("/v1/admin/invoices/{}", list.text_at("/data/0/id"));
    assert_eq!(app.operator().get(&path).await.expect(200).json, list.json["data"][0]);
    let as_kind = |kind: &str| app.operator().with_header("Accept", kind);
    assert!(as_kind("application/pdf").get(&path).await.expect(200).text.starts_with("%PDF-"));
    assert!(as_kind("text/csv").get(&path).await.expect(200).text.contains(",sms,GB,1,1,0.01,USD"));
    let nothing = "/v1/admin/invoices/inv_01h455vb4pex5vsknk084sn02q";
    app.operator().get(nothing).await.refused(Code::NotFound);
}

#[actix_web::test]
async fn money_is_in_the_wallet_s_own_currency_where_none_is_named() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let path = format!("/v1/admin/orgs/{}/wallet/topups", acme.org);
    let euros = json!({"amount": "5", "currency": "EUR", "reference": "first"});
    app.operator().post(&path, euros).await.expect(201);
    let more = pay_in(&app, &acme.org, "6", "second").await.expect(201);
    assert_eq!(more.json["amount"], json!({"amount": "6.00", "currency": "EUR"}));
    let asked = acme.live.post("/v1/wallet/topups", json!({"amount": "7"})).await.expect(201);
    assert_eq!(asked.json["amount"], json!({"amount": "7.00", "currency": "EUR"}));
    let dollars = json!({"amount": "7", "currency": "USD"});
    let refused = acme.live.post("/v1/wallet/topups", dollars).await.refused(Code::ValidationFailed);
    assert!(refused.text.contains("must be EUR"), "{}", refused.text);
    balanced(&app).await;
}

#[actix_web::test]
async fn an_invoice_that_cannot_be_mailed_waits_and_keeps_nobody_waiting() {
    let app = TestApp::start_with(|config| config.billing.mail_carrier = Some("post".to_owned())).await;
    for name in ["one", "two"] {
        let acme = paying(&app, "1").await;
        let profile = json!({"name": name, "email": format!("{name}@acme.example")});
        app.operator().put(&format!("/v1/admin/orgs/{}/billing", acme.org), profile).await.expect(200);
    }
    app.advance(secs(4 * 86_400));
    app.post.fail_once(SmtpFault::Reply("RCPT", "550 no such mailbox"));
    worker::bill(&app.app).await.unwrap();
    let to = || -> Vec<String> { app.post.letters().iter().map(|letter| letter.to.join(",")).collect() };
    assert_eq!(to().len(), 1, "{:?}", to());
    worker::bill(&app.app).await.unwrap();
    assert_eq!(to().len(), 1, "it is tried again in a minute, not at once");
    app.advance(secs(61));
    worker::bill(&app.app).await.unwrap();
    worker::bill(&app.app).await.unwrap();
    let mut told = to();
    told.sort();
    assert_eq!(told, ["one@acme.example", "two@acme.example"]);
}
