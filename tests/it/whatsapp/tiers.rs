//! Tiers that Postern moves by rule: up with use at green, down after seven red days.

use postern::whatsapp::review_tiers;
use serde_json::{Value, json};

use super::{code_by_template, own_number, register, start};
use crate::harness::app::{Tenant, TestApp};
use crate::messages::{number, secs};

const DAY: u64 = 86_400;

async fn write_to(acme: &Tenant, numbers: std::ops::Range<usize>) {
    for from in numbers.clone().step_by(500) {
        let messages: Vec<Value> = (from..numbers.end.min(from + 500))
            .map(|n| {
                let mut body = code_by_template(&number(n));
                body["kind"] = json!("transactional");
                body
            })
            .collect();
        let reply = acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
        assert_eq!(reply.json["rejected"], 0, "{}", reply.text);
    }
}

async fn review(app: &TestApp) -> usize {
    review_tiers(&app.app).await.unwrap()
}

#[actix_web::test]
async fn half_the_limit_at_green_is_one_step_up_and_use_before_it_counts_no_more() {
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    register(&app, &acme.org, json!({"ladder": "meta2026"})).await.expect(201);
    app.advance(secs(1));
    write_to(&acme, 0..124).await;
    assert_eq!(review(&app).await, 0);
    app.advance(secs(DAY));
    write_to(&acme, 124..125).await;
    assert_eq!(review(&app).await, 1, "125 of 250 within seven days");
    assert_eq!(own_number(&acme.live).await["limit"], 2_000);
    assert_eq!(review(&app).await, 0);
    app.advance(secs(60));
    write_to(&acme, 200..1_199).await;
    assert_eq!(review(&app).await, 0, "999 since the last step");
    write_to(&acme, 1_199..1_200).await;
    assert_eq!(review(&app).await, 1);
    assert_eq!(own_number(&acme.live).await["limit"], 10_000);
    let audit = app.operator().get("/v1/admin/audit?target=acme").await.expect(200);
    assert_eq!(audit.json["data"][0]["actor"], "system", "{}", audit.text);
}

#[actix_web::test]
async fn seven_red_days_are_one_step_down() {
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    let id = register(&app, &acme.org, json!({"tier": 2, "quality": "red"})).await.expect(201).text_at("/id");
    app.advance(secs(7 * DAY - 1));
    assert_eq!(review(&app).await, 0);
    app.advance(secs(1));
    assert_eq!(review(&app).await, 1);
    assert_eq!(own_number(&acme.live).await["limit"], 1_000);
    app.advance(secs(30 * DAY));
    assert_eq!(review(&app).await, 0, "not below the first");
    let path = format!("/v1/admin/whatsapp/numbers/{id}");
    app.operator().patch(&path, json!({"tier": 3, "managed_by": "meta"})).await.expect(200);
    app.advance(secs(30 * DAY));
    assert_eq!(review(&app).await, 0, "what Meta manages is not ours to move");
}

#[actix_web::test]
async fn what_no_rule_looks_at_any_more_is_swept() {
    use diesel::prelude::*;
    use postern::db::schema::whatsapp_contacts::dsl;
    let (app, _meta) = start().await;
    let acme = app.tenant().await;
    register(&app, &acme.org, json!({})).await.expect(201);
    write_to(&acme, 0..3).await;
    let rows = || app.read(|conn| Ok(dsl::whatsapp_contacts.count().get_result::<i64>(conn)?));
    app.advance(secs(7 * DAY));
    write_to(&acme, 3..4).await;
    postern::worker::sweep(&app.app).await.unwrap();
    assert_eq!(rows().await, 1);
    assert_eq!(own_number(&acme.live).await["contacts_used"], 1);
}
