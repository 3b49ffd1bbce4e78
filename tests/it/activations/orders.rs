//! Orders: exact under concurrency, paid by what happened, ended by time.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::{Value, json};

use super::{MINUTE, act, comes, expire, fund, order, owned, refused, service, shown, supply};
use crate::billing::{account, balanced, purse};
use crate::harness::app::TestApp;

#[actix_web::test]
async fn sixty_four_at_once_get_the_ten_numbers_there_are() {
    let app = TestApp::start().await;
    let other = app.another().await;
    service(&app, "ot", json!({"price": "0.50"})).await;
    supply(&app, 100..110, &["ot"], json!({})).await;
    let (acme, rival) = (app.tenant().await, app.tenant().await);
    fund(&app, &acme.org, "100").await;
    fund(&app, &rival.org, "100").await;
    let caller = |n: usize| {
        let caller = if n.is_multiple_of(2) { &acme.live } else { &rival.live };
        if n.is_multiple_of(3) { caller.at(&other.base) } else { caller.clone() }
    };
    let callers: Vec<_> = (0..64).map(caller).collect();
    let replies = join_all(callers.iter().map(|caller| order(caller, "ot"))).await;
    let numbers: BTreeSet<String> =
        replies.iter().filter(|reply| reply.status == 201).map(|reply| reply.text_at("/phone_number")).collect();
    let serials: BTreeSet<i64> = replies.iter().filter_map(|reply| reply.json["serial"].as_i64()).collect();
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!((made, numbers.len(), serials.len()), (10, 10, 10));
    assert_eq!(serials, (1_001..1_011).collect(), "a refused order takes no id");
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        refused(reply, Code::NotFound);
    }
    let held: i64 = [purse(&acme).await, purse(&rival).await]
        .iter()
        .map(|[_, held, _]| (held.parse::<f64>().unwrap() * 100.0).round() as i64)
        .sum();
    assert_eq!(held, 500, "ten holds of half a dollar, and no other");
    balanced(&app).await;
}

#[actix_web::test]
async fn a_code_is_charged_once_and_a_number_that_brought_none_costs_nothing() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({"price": "0.50", "country_prices": {"FR": "0.75"}})).await;
    supply(&app, 100..105, &["ot"], json!({})).await;
    let acme = app.tenant().await;
    fund(&app, &acme.org, "1").await;
    let first = order(&acme.live, "ot").await.expect(201);
    assert_eq!((first.text_at("/status"), first.text_at("/price/amount")), ("waiting".into(), "0.50".into()));
    assert_eq!(first.header("location"), Some(format!("/v1/activations/{}", first.text_at("/id")).as_str()));
    let second = order(&acme.live, "ot").await.expect(201).text_at("/id");
    refused(&order(&acme.live, "ot").await, Code::InsufficientBalance);
    assert_eq!(purse(&acme).await, ["1.00", "1.00", "0.00"]);
    let id = first.text_at("/id");
    act(&acme.live, &id, "ready").await.expect(200);
    comes(&app, 1, ("ACME", &first.text_at("/phone_number")), "123456 is your ACME code").await;
    let seen = shown(&acme.live, &id).await;
    assert_eq!((&seen["status"], &seen["code"]), (&json!("received"), &json!("123456")));
    assert_eq!(seen["messages"][0]["text"], "123456 is your ACME code");
    assert_eq!(purse(&acme).await, ["0.50", "0.50", "0.00"]);
    // Another code, and the end: paid already.
    act(&acme.live, &id, "retry").await.expect(200);
    comes(&app, 2, ("ACME", &first.text_at("/phone_number")), "Your new code: 654321").await;
    assert_eq!(shown(&acme.live, &id).await["code"], "654321");
    let keyed = acme.live.with_header("Idempotency-Key", "done");
    let (done, again) = (act(&keyed, &id, "complete").await, act(&keyed, &id, "complete").await.expect(200));
    assert_eq!((done.text_at("/status"), done.text_at("/code")), ("finished".into(), "654321".into()));
    assert_eq!((done.text, again.header("idempotent-replayed")), (again.text.clone(), Some("true")));
    assert_eq!(purse(&acme).await, ["0.50", "0.50", "0.00"]);
    app.advance(2 * MINUTE);
    assert_eq!(act(&acme.live, &second, "cancel").await.expect(200).text_at("/status"), "cancelled");
    assert_eq!(purse(&acme).await, ["0.50", "0.00", "0.50"]);
    assert_eq!(account(&app, &acme.org, "revenue").await, "0.50");
    let ledger = acme.live.get("/v1/wallet/transactions?kind=settle").await.expect(200);
    assert_eq!((&ledger.json["data"][0]["reference"], &ledger.json["data"][1]), (&json!(id), &Value::Null));
    balanced(&app).await;
}

#[actix_web::test]
async fn completing_without_a_code_is_charged_and_ends_are_ends() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({"price": "0.50"})).await;
    supply(&app, 100..105, &["ot"], json!({})).await;
    let acme = app.tenant().await;
    fund(&app, &acme.org, "10").await;
    let id = order(&acme.live, "ot").await.expect(201).text_at("/id");
    let fault = act(&acme.live, &id, "retry").await;
    refused(&fault, Code::ValidationFailed);
    assert!(fault.json["field_errors"]["status"].is_array(), "{}", fault.text);
    let early = act(&acme.live, &id, "cancel").await;
    refused(&early, Code::ActivationTooEarly);
    assert_eq!((early.header("retry-after"), &early.json["retryAfter"]), (Some("120"), &json!(120)));
    act(&acme.live, &id, "complete").await.expect(200);
    for action in ["ready", "retry", "complete", "cancel"] {
        refused(&act(&acme.live, &id, action).await, Code::ActivationAlreadyCompleted);
    }
    assert_eq!(purse(&acme).await, ["9.50", "0.00", "9.50"]);
    let paid = order(&acme.live, "ot").await.expect(201);
    comes(&app, 1, ("ACME", &paid.text_at("/phone_number")), "code 4815").await;
    app.advance(5 * MINUTE);
    refused(&act(&acme.live, &paid.text_at("/id"), "cancel").await, Code::ActivationAlreadyCompleted);
    balanced(&app).await;
}

#[actix_web::test]
async fn time_runs_out_seen_at_once_and_written_down_by_the_worker() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({"price": "0.50", "cool_down": "30m"})).await;
    supply(&app, 100..102, &["ot"], json!({})).await;
    let acme = app.tenant().await;
    fund(&app, &acme.org, "10").await;
    let first = order(&acme.live, "ot").await.expect(201);
    let second = order(&acme.live, "ot").await.expect(201);
    comes(&app, 1, ("ACME", &second.text_at("/phone_number")), "code 4815").await;
    app.advance(20 * MINUTE);
    let seen = shown(&acme.live, &first.text_at("/id")).await;
    assert_eq!((&seen["status"], &seen["ended_at"]), (&json!("expired"), &seen["expires_at"]));
    assert_eq!(shown(&acme.live, &second.text_at("/id")).await["status"], "finished");
    // A message that comes late is nobody's.
    comes(&app, 2, ("ACME", &first.text_at("/phone_number")), "code 9999").await;
    assert_eq!(shown(&acme.live, &first.text_at("/id")).await["messages"], json!([]));
    assert_eq!((expire(&app).await, expire(&app).await), (2, 0));
    assert_eq!(purse(&acme).await, ["9.50", "0.00", "9.50"]);
    refused(&order(&acme.live, "ot").await, Code::NotFound);
    app.advance(30 * MINUTE);
    order(&acme.live, "ot").await.expect(201);
    balanced(&app).await;
}

#[actix_web::test]
async fn a_key_makes_one_activation_and_a_wish_is_heeded() {
    let app = TestApp::start().await;
    service(&app, "ot", json!({"price": "0.50", "country_prices": {"FR": "0.20"}})).await;
    supply(&app, 100..103, &["ot"], json!({})).await;
    supply(&app, 103..104, &["ot"], json!({"country": "FR", "operator": "Orange"})).await;
    let acme = app.tenant().await;
    fund(&app, &acme.org, "10").await;
    let caller = acme.live.with_header("Idempotency-Key", "once");
    let first = order(&caller, "ot").await.expect(201);
    let again = order(&caller, "ot").await.expect(201);
    assert_eq!((first.text, again.header("idempotent-replayed")), (again.text.clone(), Some("true")));
    let wish = async |body: Value| acme.live.post("/v1/activations", body).await;
    let cheap = wish(json!({"service": "ot", "max_price": "0.30"})).await.expect(201);
    assert_eq!((cheap.text_at("/country"), cheap.text_at("/price/amount")), ("FR".into(), "0.20".into()));
    assert_eq!(cheap.text_at("/operator"), "orange");
    let dear = wish(json!({"service": "ot", "country": "GB", "max_price": "0.30"})).await;
    refused(&dear, Code::ValidationFailed);
    assert_eq!(dear.json["field_errors"]["max_price"], json!(["must be at least 0.50"]));
    for (body, field) in [
        (json!({"service": "nothing"}), "service"),
        (json!({"service": "ot", "country": "AQ"}), "country"),
        (json!({"service": "ot", "max_price": "a lot"}), "max_price"),
    ] {
        let fault = wish(body).await;
        refused(&fault, Code::ValidationFailed);
        assert!(fault.json["field_errors"][field].is_array(), "{}", fault.text);
    }
    refused(&wish(json!({"service": "ot", "operator": "orange"})).await, Code::NotFound);
    let list = acme.live.get("/v1/activations?limit=1").await.expect(200);
    assert_eq!((&list.json["data"][0]["id"], &list.json["has_more"]), (&cheap.json["id"], &json!(true)));
    let rest = acme.live.get(&format!("/v1/activations?limit=1&cursor={}", list.text_at("/next_cursor"))).await;
    assert_eq!(rest.expect(200).json["data"][0]["phone_number"], owned(100));
    let none = acme.live.get("/v1/activations?status=finished").await.expect(200);
    assert_eq!(none.json["data"], json!([]));
}
