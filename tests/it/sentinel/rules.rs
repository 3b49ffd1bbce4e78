//! The rules: shown, changed one by one and whole, with versions and an author; every process follows within a second.

use postern::error::Code;
use postern::sentinel;
use serde_json::{Value, json};

use super::{audited, guarded, pumped, pumps};
use crate::harness::app::TestApp;
use crate::harness::wait::meanwhile;

const RULES: &str = "/v1/admin/fraud/rules";

fn rule<'a>(set: &'a Value, id: &str) -> &'a Value {
    set["data"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap()
}

#[actix_web::test]
async fn a_tuned_rule_only_watches_and_its_history_says_who_and_why() {
    let app = TestApp::start().await;
    let owner = app.operator();
    let built = owner.get(RULES).await.expect(200).json;
    assert_eq!((&built["version"], built["data"].as_array().unwrap().len()), (&json!(0), 9));
    assert_eq!(rule(&built, "prefix.hold")["parameters"]["hold_at"], 2.2);
    let tune = json!({"parameters": {"hold_at": 3}, "reason": "two false holds"});
    let tuned = owner.put(&format!("{RULES}/prefix.hold"), tune).await.expect(200).json;
    assert_eq!((&tuned["version"], &tuned["mode"]), (&json!(2), &json!("shadow")));
    assert_eq!((&tuned["parameters"]["hold_at"], &tuned["parameters"]["first_s"]), (&json!(3.0), &json!(900)));
    owner.put(&format!("{RULES}/prefix.hold"), json!({"mode": "enforce"})).await.expect(200);
    // What changes nothing makes no version.
    owner.put(&format!("{RULES}/prefix.hold"), json!({"mode": "enforce"})).await.expect(200);
    let set = owner.get(RULES).await.expect(200).json;
    assert_eq!((&set["version"], &rule(&set, "prefix.hold")["version"]), (&json!(2), &json!(3)));
    let first = &set["history"][1];
    assert_eq!((&first["reason"], &first["rules"][0]["mode"]), (&json!("two false holds"), &json!("shadow")));
    assert!(first["author"].as_str().unwrap().starts_with("opr_"));
    let told = audited(&app, "fraud.rule").await;
    assert_eq!((&told["target"], &told["after"]["version"]), (&json!("prefix.hold"), &json!(3)));
    let back = owner.put(RULES, json!({"rules": {"prefix.volume": {"mode": "off"}}})).await.expect(200).json;
    assert_eq!(rule(&back, "prefix.hold")["parameters"]["hold_at"], 2.2);
    assert_eq!(
        (&rule(&back, "prefix.hold")["version"], &rule(&back, "prefix.volume")["mode"]),
        (&json!(4), &json!("off"))
    );
}

#[actix_web::test]
async fn what_is_no_rule_is_refused_and_names_why() {
    let app = TestApp::start().await;
    let owner = app.operator();
    for (body, word) in [
        (json!({"parameters": {"hold_for": 3}}), "hold_for"),
        (json!({"parameters": {"hold_at": -9}}), "challenge_at"),
        (json!({"parameters": {"first_s": "long"}}), "prefix.hold"),
    ] {
        let reply = owner.put(&format!("{RULES}/prefix.hold"), body).await.refused(Code::ValidationFailed);
        assert!(reply.text.contains(word), "{word}: {}", reply.text);
    }
    owner.put(&format!("{RULES}/prefix.hold"), json!({"mode": "loud"})).await.refused(Code::ValidationFailed);
    owner.put(&format!("{RULES}/prefix.luck"), json!({"mode": "off"})).await.refused(Code::NotFound);
    owner.put(RULES, json!({"rules": {"prefix.luck": {"mode": "off"}}})).await.refused(Code::ValidationFailed);
    assert_eq!(owner.get(RULES).await.expect(200).json["version"], 0);
}

#[actix_web::test]
async fn a_rule_in_shadow_refuses_nothing_on_any_process_within_a_second() {
    let app = TestApp::start().await;
    let acme = guarded(&app).await;
    let other = app.another().await;
    let there = acme.test.at(&other.base);
    pumped(&app, &acme.test).await;
    sentinel::keep_holds(&app.app).await.unwrap();
    sentinel::learn(&other.app).await.unwrap();
    pumps(&app, &there, 399).await.refused(Code::FraudBlocked);
    app.operator().put(&format!("{RULES}/prefix.hold"), json!({"mode": "shadow"})).await.expect(200);
    assert_eq!(pumps(&app, &acme.test, 400).await.status, 201, "at once where it was changed");
    let followed = meanwhile("the other process's knowledge", || async {
        let reply = pumps(&app, &there, 401).await;
        (reply.status != 403).then_some(reply)
    });
    assert!(followed.await.status < 500);
}
