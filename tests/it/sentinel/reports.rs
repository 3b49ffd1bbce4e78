//! What operators are told of fraud: figures, the map of prefixes, who asks most, how rules did, decisions of everybody.

use postern::error::Code;
use postern::messages::write_refusals;
use postern::sentinel;
use serde_json::{Value, json};

use super::{guarded, latvian, pumped, pumps, rows, verified};
use crate::harness::app::TestApp;
use crate::messages::secs;

async fn report(app: &TestApp, path: &str) -> Value {
    let reply = app.operator().get(&format!("/v1/admin/{path}")).await.expect(200);
    assert!((0..400).all(|n| !reply.text.contains(&latvian(n)[1..])), "a full number: {}", reply.text);
    reply.json
}

/// Twenty attempts in the face of a hold; how many codes went through before it.
async fn attacked(app: &TestApp) -> (crate::harness::app::Tenant, usize) {
    let acme = guarded(app).await;
    let (passed, _) = pumped(app, &acme.test).await;
    for n in 0..20 {
        pumps(app, &acme.test, 300 + n).await.refused(Code::FraudBlocked);
    }
    write_refusals(&app.app).await.unwrap();
    app.advance(secs(700));
    (acme, passed)
}

#[actix_web::test]
async fn an_attack_shows_in_every_report() {
    let app = TestApp::start().await;
    let (acme, passed) = attacked(&app).await;
    let summary = report(&app, "fraud/summary?mode=test").await;
    let refused = summary["blocked"].as_i64().unwrap();
    assert!(refused >= 20, "{summary}");
    let looked_at = summary["refused"].as_i64().unwrap();
    let saved: f64 = summary["estimated_saving"].as_str().unwrap().parse().unwrap();
    assert!((saved - 0.07 * looked_at as f64).abs() < 1e-6, "{summary}");
    assert_eq!((&summary["false_positives"], &summary["cut_at"]), (&json!(0), &Value::Null));
    assert_eq!(report(&app, "fraud/summary").await["blocked"], 0, "live saw nothing of it");

    let heat = report(&app, "fraud/heat?mode=test").await;
    let worst = &heat["data"][0];
    assert_eq!((&worst["country"], &worst["prefix"], &worst["verified"]), (&json!("LV"), &json!("+37120"), &json!(0)));
    assert_eq!((worst["sent"].as_u64().unwrap() as usize, &worst["refused"]), (passed, &json!(looked_at)), "{worst}");
    assert!(worst["z_score"].as_f64().unwrap() < -3.0 && worst["usual"].as_f64().unwrap() > 0.5, "{worst}");
    let honest = heat["data"].as_array().unwrap().iter().filter(|row| row["country"] == "GB");
    assert!(honest.clone().count() > 0 && honest.clone().all(|row| row["conversion"] == 1.0), "{heat}");

    let tops = report(&app, "fraud/top?by=prefix&mode=test").await;
    assert_eq!((&tops["data"][0]["subject"], &tops["data"][0]["verified"]), (&json!("+37120"), &json!(0)));
    let numbers = report(&app, "fraud/top?by=number&mode=test").await;
    assert!(numbers["data"][0]["subject"].as_str().unwrap().contains('•'), "{numbers}");
    assert_eq!(report(&app, "fraud/top?by=device&mode=test").await["data"], json!([]));

    let stats = report(&app, "fraud/rule-stats?mode=test").await;
    let hold = stats["data"].as_array().unwrap().iter().find(|row| row["rule"] == "prefix.hold").unwrap().clone();
    assert!(hold["enforced"].as_i64().unwrap() >= 20 && hold["precision"].is_null(), "{hold}");

    let overview = report(&app, "overview?mode=test").await;
    let cause = &overview["standing"]["causes"][0];
    assert_eq!((&overview["standing"]["state"], &cause["kind"]), (&json!("attack"), &json!("pumping")), "{overview}");
    assert!(cause["count"].as_i64().unwrap() >= 20 && cause["subject"].as_str().unwrap().contains("+37120"), "{cause}");
    assert_eq!((&cause["org_id"], &overview["alerts"][0]["kind"]), (&json!(acme.org), &json!("fraud_hold")));
}

#[actix_web::test]
async fn mistakes_are_counted_refused_numbers_that_verified_holds_ended_by_hand_and_reports() {
    let app = TestApp::start().await;
    let (acme, _) = attacked(&app).await;
    let held = rows(&app.operator(), "/v1/admin/fraud/holds").await;
    for hold in &held {
        app.operator().delete(&format!("/v1/admin/fraud/holds/{}", hold["id"].as_str().unwrap())).await.expect(200);
    }
    sentinel::learn(&app.app).await.unwrap();
    verified(&app, &acme.test, &latvian(305)).await;
    let line = rows(&app.operator(), "/v1/admin/decisions?rule=prefix.hold&mode=test").await.remove(0);
    let path = format!("/v1/admin/decisions/{}/false-positive", line["id"].as_str().unwrap());
    app.operator().post(&path, json!({"reason": "a known customer"})).await.expect(200);
    app.advance(secs(31));
    let summary = report(&app, "fraud/summary?mode=test").await;
    assert_eq!(summary["refused_then_verified"], 1, "{summary}");
    assert_eq!((&summary["holds_released_by_hand"], &summary["false_positives"]), (&json!(held.len()), &json!(1)));
}

#[actix_web::test]
async fn decisions_of_everybody_are_narrowed_and_paged() {
    let app = TestApp::start().await;
    let (acme, _) = attacked(&app).await;
    let list = |query: &str| {
        let path = format!("/v1/admin/decisions?{query}");
        let operator = app.operator();
        async move { rows(&operator, &path).await }
    };
    let held = list("rule=prefix.hold&country=LV&mode=test&limit=200").await;
    assert!(held.len() >= 20, "{}", held.len());
    let line = &held[0];
    assert_eq!((&line["action"], &line["country"], &line["price"]), (&json!("block"), &json!("LV"), &json!("0.07")));
    assert_eq!((&line["org_id"], &line["code"]), (&json!(acme.org), &json!("fraud.blocked")));
    assert!(line["rules"].as_array().unwrap().contains(&json!("prefix.hold")), "{line}");
    assert!(line["to"].as_str().unwrap().contains('•') && line["reasons"][0]["rule"].is_string(), "{line}");
    assert_eq!(list("country=GB&mode=test").await.len(), 0);
    assert_eq!(list("mode=live").await.len(), 0);
    assert_eq!(list("rule=prefix.nothing").await.len(), 0);
    assert_eq!(list("since=5m").await.len(), 0, "it was longer ago");
    let (mut path, mut seen) = (String::from("/v1/admin/decisions?action=allow&country=GB&limit=20"), 0);
    loop {
        let page = app.operator().get(&path).await.expect(200).json;
        seen += page["data"].as_array().unwrap().len();
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/admin/decisions?action=allow&country=GB&limit=20&cursor={cursor}");
    }
    assert_eq!(seen, super::USUAL);
    for bad in ["rule=%25", "country=Latvia", "since=soon", "action=allow&code=fraud.blocked"] {
        app.operator().get(&format!("/v1/admin/decisions?{bad}")).await.refused(Code::ValidationFailed);
    }
    for bad in ["fraud/summary?since=32d", "fraud/heat?since=yesterday", "fraud/top?by=name"] {
        app.operator().get(&format!("/v1/admin/{bad}")).await.refused(Code::ValidationFailed);
    }
}

#[actix_web::test]
async fn a_dry_run_tells_what_a_rule_would_have_blocked_and_who_of_them_verified() {
    let app = TestApp::start().await;
    let (_, passed) = attacked(&app).await;
    let path = "/v1/admin/fraud/rules/prefix.hold/replay";
    let made = app.operator().post(path, json!({"mode": "off", "world": "test"})).await.expect(202).text_at("/id");
    sentinel::run_simulations(&app.app).await.unwrap();
    let done = app.operator().get(&format!("/v1/admin/fraud/simulations/{made}")).await.expect(200).json;
    let report = &done["result"]["report"];
    for member in ["attempts", "added", "removed", "verified_users_lost", "money_saved"] {
        assert!(!report[member].is_null(), "{member}: {report}");
    }
    assert!(report["removed"].as_u64().unwrap() > 0 && report["verified_users_lost"] == 0, "{report}");
    assert!(report["attempts"].as_u64().unwrap() as usize >= passed + super::USUAL, "{report}");
}
