//! Broadcasts over WhatsApp: as many new contacts a window as the tier allows, and none once recipients complain.

use std::time::Duration;

use serde_json::{Value, json};

use super::{act, feed, progress, shown};
use crate::harness::app::{Tenant, TestApp};

const DAY: Duration = Duration::from_secs(86_400);

/// A valid British mobile number for every `n` below 100,000.
fn anybody(n: usize) -> String {
    format!("+4474001{n:05}")
}

/// A broadcast of a template to `many` over WhatsApp, from a number at this tier; its id and the number's.
async fn on_whatsapp(app: &TestApp, acme: &Tenant, tier: Value, many: usize) -> (String, String) {
    let mut ours = json!({"org_id": acme.org, "phone_number": "+447400600000", "portfolio": "acme", "quality": "green",
        "managed_by": "operator"});
    ours.as_object_mut().unwrap().extend(tier.as_object().cloned().unwrap());
    let number = app.operator().post("/v1/admin/whatsapp/numbers", ours).await.expect(201).text_at("/id");
    let body = json!({"channel": "whatsapp", "kind": "transactional", "template": {"name": "login"}});
    let id = acme.test.post("/v1/broadcasts", body).await.expect(201).text_at("/id");
    let rows: String = (0..many).map(|n| format!("{},481516\n", anybody(n))).collect();
    let sheet = format!("to,code\n{rows}").into_bytes();
    acme.test.send("POST", &format!("/v1/broadcasts/{id}/contacts"), "text/csv", sheet).await.expect(200);
    (id, number)
}

/// `many` contacts through a tier of `limit` take exactly the windows they need, to the millisecond.
async fn take_exactly_their_windows(tier: Value, limit: usize, many: usize) {
    // A queue as long as it takes: what is counted here is the tier, not the carrier.
    let app = TestApp::start_with(|config| config.dispatch.broadcast_ahead = 100_000).await;
    let acme = app.tenant().await;
    let (id, _) = on_whatsapp(&app, &acme, tier, many).await;
    act(&acme.test, &id, "start").await;
    let windows = many / limit;
    for window in 0..windows {
        assert_eq!((feed(&app).await, feed(&app).await), (limit, 0), "window {window}");
        if window + 1 < windows {
            let next = app.app.clock.now().plus(DAY).rfc3339();
            assert_eq!(shown(&acme.test, &id).await["next_at"], next, "the tier's own wait");
            app.advance(DAY - Duration::from_millis(1));
            assert_eq!(feed(&app).await, 0, "window {window}");
            app.advance(Duration::from_millis(1));
        }
    }
    let told = progress(&acme.test, &id).await;
    assert_eq!((&told["status"], &told["accepted"], &told["refused"]), (&json!("completed"), &json!(many), &json!(0)));
    assert_eq!(told["errors"], json!({}), "waiting is no error");
}

#[actix_web::test]
async fn contacts_beyond_the_tier_wait_for_its_next_windows() {
    take_exactly_their_windows(json!({"ladder": "meta2026", "tier": 1}), 250, 1_250).await;
}

/// The promise at its true size. Minutes in a debug build: run it by
/// `cargo nextest run --test it --run-ignored only fifty_thousand`.
#[actix_web::test]
#[ignore = "takes a minute; the same at a fortieth of the size runs always"]
async fn fifty_thousand_contacts_take_exactly_five_windows_of_tier_2() {
    take_exactly_their_windows(json!({"ladder": "tiers", "tier": 2}), 10_000, 50_000).await;
}

#[actix_web::test]
async fn a_number_that_recipients_complain_of_sends_no_broadcast_on() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let (id, number) = on_whatsapp(&app, &acme, json!({"ladder": "meta2026", "tier": 1}), 400).await;
    act(&acme.test, &id, "start").await;
    assert_eq!(feed(&app).await, 250);
    let path = format!("/v1/admin/whatsapp/numbers/{number}");
    app.operator().patch(&path, json!({"quality": "red", "reason": "blocked by many"})).await.expect(200);
    app.advance(DAY);
    assert_eq!(feed(&app).await, 0);
    let told = shown(&acme.test, &id).await;
    assert_eq!((&told["status"], &told["reason"]), (&json!("stopped"), &json!("whatsapp.quality_red")));
}
