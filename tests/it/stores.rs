//! The same story on whichever database the run is about: an app asks, a code reaches a phone, the code is checked.

use std::time::Duration;

use postern::error::Code;
use postern::secret::hmac_sha256;
use serde_json::json;

use crate::harness::app::{ACME_SECRET, TestApp};

#[actix_web::test]
async fn an_organization_sends_is_held_back_pays_reports_and_verifies() {
    let app = TestApp::start().await;
    let operator = app.operator();
    // An operator sets up a customer with a price list and a dollar.
    operator.put("/v1/admin/prices", json!([{"channel": "sms", "country": "GB", "amount": "0.04"}])).await.expect(200);
    let acme = app.tenant_with(json!({"plan": "pro", "countries": ["GB"]})).await;
    let adjust = format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org);
    let dollar = json!({"amount": "1.00", "currency": "USD", "reason": "prepaid"});
    operator.post(&adjust, dollar).await.expect(201);

    // It sends; a repeat under the key is the same message; the fourth code is refused, and so is another country.
    let body = json!({"to": "+447400123456", "body": "Your code is 481516"});
    let keyed = acme.live.with_header("Idempotency-Key", "login-1");
    let first = keyed.post("/v1/messages", body.clone()).await.expect(202);
    assert_eq!(keyed.post("/v1/messages", body.clone()).await.expect(202).text, first.text);
    for _ in 0..2 {
        acme.live.post("/v1/messages", body.clone()).await.expect(202);
    }
    let refused = acme.live.post("/v1/messages", body.clone()).await.refused(Code::OtpNumberLimit);
    assert_eq!(refused.header("retry-after"), Some("300"));
    let abroad = json!({"to": "+14155550123", "body": "x"});
    acme.live.post("/v1/messages", abroad).await.refused(Code::DestinationNotAllowed);

    // It is delivered, once, and the carrier reports.
    assert_eq!((app.step().await, app.acme.hand_offs().len()), (3, 3));
    let taken = app.acme.hand_offs();
    assert!(taken.iter().all(|call| call.json()["to"] == "+447400123456"));
    for n in 1..=3 {
        let receipt = json!({"id": format!("SM{n:032x}"), "status": "DELIVRD"}).to_string();
        let mac = hmac_sha256(ACME_SECRET.as_bytes(), receipt.as_bytes());
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let carrier = app.anonymous().with_header("X-Signature", &hex);
        carrier.send("POST", "/hooks/acme/status", "application/json", receipt.into_bytes()).await.expect(204);
    }
    let shown = acme.live.get(&format!("/v1/messages/{}", first.text_at("/id"))).await.expect(200);
    assert_eq!(shown.text_at("/status"), "delivered");

    // Its list pages; its wallet is charged for three.
    let page = acme.live.get("/v1/messages?limit=2&status=delivered").await.expect(200);
    let rest = format!("/v1/messages?limit=2&status=delivered&cursor={}", page.text_at("/next_cursor"));
    assert_eq!(acme.live.get(&rest).await.expect(200).json["data"].as_array().unwrap().len(), 1);
    let wallet = operator.get(&format!("/v1/admin/orgs/{}/wallet", acme.org)).await.expect(200);
    let amount = |name: &str| wallet.json[name]["amount"].as_str().unwrap().parse::<f64>().unwrap();
    assert_eq!((amount("balance"), amount("held")), (0.88, 0.0));

    // It verifies a number: the code is read off the handset and checked, once.
    app.advance(Duration::from_secs(300));
    let started = acme.live.post("/v1/verifications", json!({"to": "+447400123457"})).await.expect(201);
    app.step().await;
    let text = app.acme.hand_offs()[3].json()["text"].as_str().unwrap().to_owned();
    let code: String = text.chars().filter(char::is_ascii_digit).take(6).collect();
    let check = format!("/v1/verifications/{}/check", started.text_at("/id"));
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(acme.live.post(&check, json!({"code": wrong})).await.expect(200).json["valid"], false);
    let right = acme.live.post(&check, json!({"code": code})).await.expect(200);
    assert_eq!((&right.json["valid"], right.text_at("/status")), (&json!(true), "approved".into()));

    // One hand-off is lost; an operator settles it; the log of changes is whole.
    app.acme.next(crate::harness::fake_carrier::Script::Truncated);
    let lost = acme.live.post("/v1/messages", json!({"to": "+447400123458", "body": "x"})).await.expect(202);
    app.step().await;
    let path = format!("/v1/admin/messages/{}/settle", lost.text_at("/id"));
    operator.post(&path, json!({"outcome": "sent", "reason": "their log shows it"})).await.expect(200);
    let wallet = operator.get(&format!("/v1/admin/orgs/{}/wallet", acme.org)).await.expect(200);
    let left: f64 = wallet.json["balance"]["amount"].as_str().unwrap().parse().unwrap();
    assert_eq!(left, 0.80);
    let audit = operator.get("/v1/admin/audit/verify").await.expect(200);
    assert_eq!(audit.json["whole"], true, "{}", audit.text);
}
