//! A number that Meta has stopped: nobody chooses it until an operator or Meta sets it back.

use postern::error::Code;
use serde_json::json;

use super::{code_or_sms_to, code_to, only_number, send_code, set_number};
use crate::harness::meta::MetaSim;
use crate::messages::{accepted, post, secs, status};

#[actix_web::test]
async fn a_stopped_number_is_blocked_told_and_not_chosen_until_it_is_set_back() {
    for (code, place) in [(190, "answer"), (131_031, "answer"), (368, "status")] {
        let (app, meta) = MetaSim::beside(|_| {}).await;
        let acme = app.tenant().await;
        let hook = json!({"url": "https://example.com/hooks", "events": ["whatsapp.status_changed"]});
        acme.live.post("/v1/webhooks", hook).await.expect(201);
        meta.set("fail", json!({"code": code, "place": place})).await;
        send_code(&acme.live, &crate::messages::number(1)).await;
        app.step().await;
        meta.flush().await;
        let number = only_number(&app).await;
        assert_eq!(number["status"], "blocked", "{code}: {number}");
        let refused = post(&acme.live, code_to(&crate::messages::number(2))).await.refused(Code::ChannelNotEnabled);
        assert!(refused.text.contains("blocked by Meta"), "{}", refused.text);
        // With another channel the code goes, and at once.
        let id = accepted(&acme.live, code_or_sms_to(&crate::messages::number(3))).await;
        app.step().await;
        app.step().await;
        assert_eq!((status(&acme.live, &id).await, app.acme.hand_offs().len()), (String::from("sent"), 1), "{code}");
        let events = acme.live.get("/v1/events").await.expect(200);
        let told = &events.json["data"][0]["payload"]["data"];
        assert_eq!(
            (&told["status"], &told["previous_status"]),
            (&json!("blocked"), &json!("connected")),
            "{}",
            events.text
        );
        let target = number["id"].as_str().unwrap();
        let audit = app.operator().get(&format!("/v1/admin/audit?target={target}")).await.expect(200).json;
        assert_eq!(
            (&audit["data"][0]["actor"], &audit["data"][0]["after"]["status"]),
            (&json!("system"), &json!("blocked"))
        );
        set_number(&app, "connected").await;
        app.advance(secs(61));
        let id = send_code(&acme.live, &crate::messages::number(4)).await;
        app.step().await;
        assert_eq!(status(&acme.live, &id).await, "sent", "{code}");
    }
}

#[actix_web::test]
async fn what_waits_for_a_stopped_number_goes_once_it_is_set_back() {
    let (app, _meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    let id = send_code(&acme.live, &crate::messages::number(1)).await;
    set_number(&app, "paused").await;
    app.step().await;
    assert_eq!(status(&acme.live, &id).await, "queued");
    set_number(&app, "connected").await;
    app.advance(secs(31));
    app.step().await;
    assert_eq!(status(&acme.live, &id).await, "sent");
}

#[actix_web::test]
async fn meta_blocks_the_numbers_of_an_account_and_reinstates_them_but_not_what_an_operator_paused() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    app.tenant().await;
    let path = format!("/v1/admin/whatsapp/numbers/{}", only_number(&app).await["id"].as_str().unwrap());
    app.operator().patch(&path, json!({"waba_id": "900100200300400"})).await.expect(200);
    let ban = async |state: &str| {
        app.advance(secs(5));
        let value = json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
        meta.set("webhook", json!({"field": "account_update", "value": value})).await;
        assert_eq!(meta.flush().await.1, 0);
        only_number(&app).await["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(ban("SCHEDULE_FOR_DISABLE").await, "connected");
    assert_eq!(ban("DISABLE").await, "blocked");
    assert_eq!(ban("REINSTATE").await, "connected");
    set_number(&app, "paused").await;
    assert_eq!(ban("DISABLE").await, "paused");
    assert_eq!(ban("REINSTATE").await, "paused");
}
