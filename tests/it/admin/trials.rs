//! Test messages of operators by one carrier.

use std::time::Duration;

use postern::error::Code;
use postern::trials::{TEXT, run_trials};
use serde_json::{Value, json};

use crate::accounts::house::House;
use crate::harness::actor::Actor;
use crate::harness::fake_carrier::Script;

const NUMBER: &str = "+447400123456";
const PATH: &str = "/v1/admin/carriers/acme/test";

fn order() -> Value {
    json!({"to": NUMBER, "reason": "new credentials"})
}

/// Asks for one, lets the worker hand it over, and looks at it.
async fn tried(house: &House, operator: &Actor, path: &str, body: Value) -> Value {
    let asked = operator.post(path, body).await.expect(202);
    assert_eq!(asked.text_at("/status"), "waiting");
    assert!(!asked.text.contains(&NUMBER[1..]), "{}", asked.text);
    assert_eq!(run_trials(&house.app).await.unwrap(), 1);
    operator.get(asked.header("location").unwrap()).await.expect(200).json
}

#[actix_web::test]
async fn it_goes_by_the_carrier_that_is_named_and_shows_its_answer_and_receipts() {
    let house = House::fresh().await;
    let operator = house.with_role("operator").await;
    let seen = tried(&house, &operator, PATH, order()).await;
    assert_eq!(
        (&seen["status"], &seen["carrier"], &seen["channel"]),
        (&json!("accepted"), &json!("acme"), &json!("sms"))
    );
    assert_eq!((&seen["text"], &seen["receipts"]), (&json!(TEXT), &json!([])));
    let taken = house.acme.hand_offs();
    let flown = String::from_utf8_lossy(&taken[0].body).into_owned();
    assert!(taken.len() == 1 && flown.contains(TEXT) && flown.contains(NUMBER), "{flown}");

    house.acme_reports(seen["provider_id"].as_str().unwrap(), "DELIVRD").await.expect(204);
    let path = format!("/v1/admin/carrier-tests/{}", seen["id"].as_str().unwrap());
    assert_eq!(operator.get(&path).await.expect(200).text_at("/receipts/0/status"), "delivered");
    let list = operator.get("/v1/admin/carrier-tests?carrier=acme").await.expect(200);
    assert_eq!(
        (list.text_at("/data/0/id"), list.text_at("/data/0/to")),
        (seen["id"].as_str().unwrap().into(), seen["to"].as_str().unwrap().into())
    );
    assert_eq!(operator.get("/v1/admin/carrier-tests?carrier=twilio").await.expect(200).json["data"], json!([]));
    assert_eq!(
        house.owner().get("/v1/admin/messages?since=7d").await.expect(200).json["data"],
        json!([]),
        "nobody's message"
    );

    let told = house.owner().get("/v1/admin/audit?limit=1").await.expect(200).json["data"][0].clone();
    assert_eq!(
        (&told["action"], &told["reason"], &told["target"]),
        (&json!("carrier.test"), &json!("new credentials"), &seen["id"])
    );
    assert!(!told.to_string().contains(&NUMBER[1..]), "{told}");
}

#[actix_web::test]
async fn a_refusal_and_a_lost_answer_are_shown_and_neither_is_sent_again() {
    let house = House::fresh().await;
    let operator = house.with_role("operator").await;
    house.acme.next(Script::json(401, json!({"message": "bad token"})));
    let refused = tried(&house, &operator, PATH, order()).await;
    assert_eq!((&refused["status"], &refused["error_code"]), (&json!("refused"), &json!("provider.auth")));
    house.acme.next(Script::ResetAfter);
    let lost = tried(&house, &operator, PATH, order()).await;
    assert_eq!(lost["status"], "unknown");
    house.advance(Duration::from_secs(600));
    assert_eq!((run_trials(&house.app).await.unwrap(), house.acme.calls()), (0, 2));
}

#[actix_web::test]
async fn a_carrier_that_is_drained_and_stopped_can_be_tried() {
    let house = House::fresh().await;
    let operator = house.with_role("operator").await;
    operator.post("/v1/admin/carriers/acme/drain", json!({})).await.expect(200);
    operator.post("/v1/admin/pause", json!({"scope": "all"})).await.expect(200);
    assert_eq!(tried(&house, &operator, PATH, order()).await["status"], "accepted");
    let by_mail = json!({"to": "ann@example.com", "reason": "new server"});
    assert_eq!(tried(&house, &operator, "/v1/admin/carriers/post/test", by_mail).await["status"], "accepted");
}

#[actix_web::test]
async fn five_an_hour_once_for_a_key_and_only_what_the_carrier_has() {
    let house = House::fresh().await;
    let operator = house.with_role("operator").await;
    let keyed = operator.with_header("Idempotency-Key", "once");
    let first = keyed.post(PATH, order()).await.expect(202).text_at("/id");
    assert_eq!(keyed.post(PATH, order()).await.expect(202).text_at("/id"), first);
    assert_eq!((run_trials(&house.app).await.unwrap(), house.acme.calls()), (1, 1));
    for wrong in [
        json!({"to": NUMBER}),
        json!({"to": NUMBER, "reason": " "}),
        json!({"to": "12", "reason": "a test"}),
        json!({"to": NUMBER, "reason": "a test", "channel": "whatsapp"}),
        json!({"to": NUMBER, "reason": "a test", "template_id": "tpl_01h455vb4pex5vsknk084sn02q"}),
    ] {
        operator.post(PATH, wrong).await.refused(Code::ValidationFailed);
    }
    operator.post("/v1/admin/carriers/nobody/test", order()).await.refused(Code::NotFound);
    for _ in 0..4 {
        operator.post(PATH, order()).await.expect(202);
    }
    let refused = operator.post(PATH, order()).await.refused(Code::RateLimited);
    assert_eq!(refused.header("retry-after"), Some("3600"));
    house.owner().post(PATH, order()).await.expect(202);
    house.advance(Duration::from_secs(3_600));
    operator.post(PATH, order()).await.expect(202);
    // Those that no worker took in time are not sent any more.
    assert_eq!(run_trials(&house.app).await.unwrap(), 5);
    assert_eq!(run_trials(&house.app).await.unwrap(), 1);
    assert_eq!(house.acme.calls(), 2);
    let list = operator.get("/v1/admin/carrier-tests").await.expect(200).json["data"].clone();
    let expired = list.as_array().unwrap().iter().filter(|one| one["status"] == "expired").count();
    assert_eq!(expired, 5);
}

#[actix_web::test]
async fn an_approved_template_goes_with_its_examples() {
    let house = House::fresh().await;
    let (tenant, operator) = (house.tenant().await, house.with_role("operator").await);
    let body =
        json!({"name": "hi", "channel": "sms", "locale": "en", "category": "utility", "body": "Hello from {{app}}."});
    let id = tenant.live.post("/v1/templates", body).await.expect(201).text_at("/id");
    let with = json!({"to": NUMBER, "reason": "a test", "template_id": id});
    operator.post(PATH, with.clone()).await.refused(Code::ValidationFailed);
    tenant.live.post(&format!("/v1/templates/{id}/submit"), json!({})).await.expect(200);
    operator.post(&format!("/v1/admin/templates/{id}/approve"), json!({})).await.expect(200);
    let seen = tried(&house, &operator, PATH, with).await;
    assert_eq!((&seen["status"], &seen["template_id"], &seen["text"]), (&json!("accepted"), &json!(id), &Value::Null));
    let flown = String::from_utf8_lossy(&house.acme.hand_offs()[0].body).into_owned();
    assert!(flown.contains("Hello from Postern."), "{flown}");
}
