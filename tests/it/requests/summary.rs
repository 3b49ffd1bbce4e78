//! Counts that stay right whatever the log has room for.

use std::time::Duration;

use postern::error::Code;
use serde_json::{Value, json};

use super::{lines, write};
use crate::activations;
use crate::harness::app::{START, TestApp};

async fn sums(app: &TestApp, query: &str) -> Value {
    write(app).await;
    app.operator().get(&format!("/v1/admin/requests/summary?{query}")).await.expect(200).json
}

#[actix_web::test]
async fn more_than_a_second_takes_is_counted_and_errors_keep_their_places() {
    let app = TestApp::start_with(|config| config.request_log.max_per_second = 20).await;
    let tenant = app.tenant().await;
    app.advance(Duration::from_secs(1));
    let since = app.app.clock.now().rfc3339();
    let mine = format!("org_id={}&since={since}", tenant.org);
    for n in 0..12 {
        let body = json!({"to": format!("+4479111234{n:02}"), "body": "hello", "kind": "transactional"});
        tenant.live.post("/v1/messages", body).await.expect(202);
    }
    for _ in 0..30 {
        tenant.live.get("/v1/messages/none").await.refused(Code::NotFound);
    }
    let found = lines(&app, &mine).await;
    assert_eq!(found.iter().filter(|line| line["status"] == 202).count(), 2, "a tenth of 20 for plain sends");
    assert_eq!(found.iter().filter(|line| line["status"] == 404).count(), 18);
    let sums = sums(&app, &mine).await;
    assert_eq!((&sums["requests"], &sums["errors"], &sums["unlisted"]), (&json!(42), &json!(30), &json!(22)));
    assert_eq!(sums["by_error"].as_array().unwrap().len(), 1);
    assert_eq!((&sums["by_error"][0]["code"], &sums["by_error"][0]["requests"]), (&json!("not_found"), &json!(30)));
}

#[actix_web::test]
async fn errors_are_grouped_by_code_route_and_key_the_most_frequent_first() {
    let app = TestApp::start().await;
    let (one, other) = (app.tenant().await, app.tenant().await);
    for _ in 0..3 {
        one.live.post("/v1/messages", json!({"to": "x"})).await.refused(Code::ValidationFailed);
    }
    for _ in 0..2 {
        other.live.post("/v1/messages", json!({"to": "x"})).await.refused(Code::ValidationFailed);
    }
    one.live.post("/v1/verifications", json!({"to": "x"})).await.refused(Code::ValidationFailed);
    one.test.get("/v1/messages/none").await.refused(Code::NotFound);
    let key =
        async |actor: &crate::harness::actor::Actor| actor.get("/v1/account").await.expect(200).text_at("/key/id");
    let (live, test, others) = (key(&one.live).await, key(&one.test).await, key(&other.live).await);
    let all = sums(&app, "").await;
    let groups: Vec<_> = all["by_error"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let text = |name: &str| group[name].as_str().unwrap_or_default().to_owned();
            (text("code"), text("route"), text("key_id"), group["requests"].as_i64().unwrap())
        })
        .collect();
    let group = |code: &str, route: &str, key: &str, count| (code.to_owned(), route.to_owned(), key.to_owned(), count);
    assert_eq!(groups[0], group("validation_failed", "/v1/messages", &live, 3));
    assert_eq!(groups[1], group("validation_failed", "/v1/messages", &others, 2));
    assert!(groups.contains(&group("validation_failed", "/v1/verifications", &live, 1)));
    assert!(groups.contains(&group("not_found", "/v1/messages/{id}", &test, 1)));
    assert_eq!(all["errors"], 7);
    let mine = sums(&app, &format!("org_id={}", other.org)).await;
    assert_eq!((&mine["errors"], mine["by_error"].as_array().unwrap().len()), (&json!(2), 1));
}

#[actix_web::test]
async fn limits_and_routes_with_a_successor_are_told_by_key() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let body = json!({"to": "+447911123456", "body": "Your code is 481516"});
    for _ in 0..5 {
        tenant.live.post("/v1/messages", body.clone()).await;
    }
    let key = activations::text_key(&app, &tenant.org, json!({})).await;
    for _ in 0..2 {
        app.anonymous().get(&format!("/stubs/handler_api.php?api_key={key}&action=getBalance")).await.expect(200);
    }
    tenant.live.post("/simcoal/send", json!({"to": "+447911123457", "message": "hello"})).await.expect(202);
    let sums = sums(&app, &format!("org_id={}", tenant.org)).await;
    assert_eq!(sums["by_limit"].as_array().unwrap().len(), 1, "{sums}");
    assert_eq!((&sums["by_limit"][0]["policy"], &sums["by_limit"][0]["requests"]), (&json!("otp.number"), &json!(2)));
    let uses: Vec<_> = sums["deprecated"].as_array().unwrap().iter().collect();
    assert_eq!(uses.len(), 2, "{sums}");
    assert_eq!((&uses[0]["route"], &uses[0]["requests"]), (&json!("/stubs/handler_api.php"), &json!(2)));
    assert_eq!(uses[0]["successor"], "/v1/activations");
    assert!(uses[0]["key_id"].is_string() && uses[0]["key_id"] != uses[1]["key_id"], "{sums}");
    assert_eq!((&uses[1]["route"], &uses[1]["successor"]), (&json!("/simcoal/send"), &json!("/v1/messages")));
}

#[actix_web::test]
async fn a_window_is_a_day_unless_it_is_said() {
    let app = TestApp::start().await;
    app.anonymous().get("/v1/account").await.expect(401);
    app.advance(Duration::from_secs(86_400));
    let day = START.rfc3339();
    assert_eq!(sums(&app, &format!("since={day}")).await["errors"], 1);
    assert_eq!(sums(&app, "").await["errors"], 1);
    app.advance(Duration::from_secs(60));
    assert_eq!(sums(&app, "").await["errors"], 0);
    let owner = app.operator();
    // Counts are by the minute, and so is a window.
    let inside = START.plus(Duration::from_secs(59)).rfc3339();
    assert_eq!(sums(&app, &format!("since={inside}&until={inside}")).await["errors"], 1);
    let path = format!("/v1/admin/requests/summary?since={day}&until={day}");
    let fault = owner.get(&path).await.refused(Code::ValidationFailed);
    assert!(fault.json["field_errors"]["since"].is_array(), "{}", fault.text);
}
