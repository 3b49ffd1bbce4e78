//! The coals dialect: the same engine, its own words.

use serde_json::json;

use super::{count, drain, number};
use crate::harness::app::TestApp;

#[actix_web::test]
async fn a_send_and_a_bulk_go_through_the_same_engine() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for words in ["message", "text"] {
        let reply = acme.live.post("/simcoal/send", json!({"to": number(1), words: "481516"})).await.expect(202);
        assert_eq!((&reply.json["success"], &reply.json["data"]["status"]), (&json!(true), &json!("queued")));
    }
    for list in ["recipients", "to"] {
        let body = json!({list: [number(2), "nobody", number(3)], "message": "Doors open at 8"});
        let reply = acme.live.post("/simcoal/send-bulk", body).await.expect(202);
        let told = (&reply.json["success"], &reply.json["data"]["accepted"], &reply.json["data"]["rejected"]);
        assert_eq!(told, (&json!(true), &json!(2), &json!(1)));
    }
    assert_eq!((drain(&app).await, count(&acme.live).await), (6, 6));
}

#[actix_web::test]
async fn errors_speak_the_dialect() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for _ in 0..3 {
        acme.live.post("/simcoal/send", json!({"to": number(1), "text": "x"})).await.expect(202);
    }
    let limited = acme.live.post("/simcoal/send", json!({"to": number(1), "text": "x"})).await.expect(429);
    assert_eq!(
        (&limited.json["success"], &limited.json["error"]["code"]),
        (&json!(false), &json!("OTP_LIMIT_EXCEEDED"))
    );
    assert_eq!(limited.header("retry-after"), Some("300"));
    let bodies = [
        json!({"to": number(1)}),
        json!({"to": number(1), "text": "x", "message": "y"}),
        json!({"to": "nobody", "text": "x"}),
        json!({"to": number(1), "text": "x", "from": "y"}),
    ];
    for body in bodies {
        let reply = acme.live.post("/simcoal/send", body.clone()).await.expect(400);
        assert!(reply.json["error"]["message"].is_string(), "{body}: {}", reply.text);
    }
    let stranger = app.anonymous().post("/simcoal/send", json!({"to": number(1), "text": "x"})).await.expect(401);
    assert_eq!(stranger.json["success"], false);
}

#[actix_web::test]
async fn a_key_replays_in_the_dialect_it_was_used_in() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let caller = acme.live.with_header("X-Idempotency-Key", "k");
    let body = json!({"to": number(1), "text": "x"});
    let first = caller.post("/simcoal/send", body.clone()).await.expect(202);
    let again = caller.post("/simcoal/send", body).await.expect(202);
    assert_eq!((first.text, again.headers.contains_key("idempotent-replayed")), (again.text, true));
    let elsewhere = caller.post("/v1/messages", json!({"to": number(1), "body": "x"})).await;
    assert_eq!((elsewhere.status, elsewhere.json["code"].as_str()), (409, Some("idempotency.key_mismatch")));
}
