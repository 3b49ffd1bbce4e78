//! Lists, pages and single messages.

use std::collections::BTreeSet;

use postern::error::Code;
use serde_json::json;

use super::{accepted, code_to, drain, notice_to, number, secs};
use crate::harness::app::TestApp;

#[actix_web::test]
async fn a_list_goes_newest_first_page_by_page_and_is_stable_under_inserts() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut ids = Vec::new();
    for n in 0..23 {
        ids.push(accepted(&acme.live, notice_to(&number(n))).await);
        app.advance(secs(1));
    }
    let (mut seen, mut cursor): (Vec<String>, Option<String>) = (Vec::new(), None);
    let mut pages = 0;
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = acme.live.get(&format!("/v1/messages?limit=5{after}")).await.expect(200);
        seen.extend(page.json["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        pages += 1;
        accepted(&acme.live, notice_to(&number(100 + pages))).await;
        app.advance(secs(1));
        if page.json["has_more"] == false {
            assert_eq!(page.json["next_cursor"], json!(null));
            break;
        }
        cursor = Some(page.text_at("/next_cursor"));
    }
    ids.reverse();
    assert_eq!((seen, pages), (ids, 5));
}

#[actix_web::test]
async fn messages_of_one_moment_are_all_listed_once() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let messages: Vec<_> = (0..50).map(|n| notice_to(&number(n))).collect();
    acme.live.post("/v1/messages/bulk", json!({"messages": messages})).await.expect(202);
    let first = acme.live.get("/v1/messages?limit=30").await.expect(200);
    let next = first.text_at("/next_cursor");
    let second = acme.live.get(&format!("/v1/messages?limit=30&cursor={next}")).await.expect(200);
    let ids: BTreeSet<String> = [&first, &second]
        .iter()
        .flat_map(|page| page.json["data"].as_array().unwrap().clone())
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 50);
}

#[actix_web::test]
async fn filters_narrow_a_list_and_bad_ones_are_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    accepted(&acme.live, code_to(&number(1))).await;
    let mail = json!({"to": "Ann@Example.com", "channel": "email", "body": "x"});
    accepted(&acme.live, mail).await;
    drain(&app).await;
    app.advance(secs(10));
    let cut = app.app.clock.now().rfc3339();
    accepted(&acme.live, code_to(&number(2))).await;
    let found = async |query: &str| {
        let page = acme.live.get(&format!("/v1/messages?{query}")).await.expect(200);
        page.json["data"].as_array().unwrap().len()
    };
    for (query, count) in [
        (String::new(), 3),
        ("status=sent".into(), 2),
        ("status=queued".into(), 1),
        ("channel=email".into(), 1),
        ("to=ann@example.com".into(), 1),
        (format!("to=%2B{}", &number(1)[1..]), 1),
        (format!("to=+{}", &number(1)[1..]), 1),
        (format!("created_after={cut}"), 1),
        (format!("created_before={cut}"), 2),
        (format!("created_before={cut}&channel=sms&status=sent"), 1),
        ("batch_id=bat_01h455vb4pex5vsknk084sn02q".into(), 0),
    ] {
        assert_eq!(found(&query).await, count, "{query}");
    }
    for bad in [
        "status=lost",
        "channel=fax",
        "to=x",
        "created_after=now",
        "batch_id=1",
        "limit=0",
        "limit=201",
        "a=b",
        "cursor=AAAA",
        "cursor=",
        "limit=5&limit=6",
    ] {
        let reply = acme.live.get(&format!("/v1/messages?{bad}")).await;
        assert_eq!(reply.status, 400, "{bad}: {}", reply.text);
    }
}

#[actix_web::test]
async fn a_cursor_is_bound_to_its_list_its_owner_and_its_mode() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    for n in 0..3 {
        accepted(&acme.live, code_to(&number(n))).await;
        accepted(&acme.test, code_to(&number(n))).await;
        accepted(&other.live, code_to(&number(n))).await;
    }
    let cursor = acme.live.get("/v1/messages?limit=1").await.expect(200).text_at("/next_cursor");
    acme.live.get(&format!("/v1/messages?cursor={cursor}")).await.expect(200);
    for caller in [&acme.test, &other.live] {
        let reply = caller.get(&format!("/v1/messages?cursor={cursor}")).await.refused(Code::ValidationFailed);
        assert!(reply.json["field_errors"]["cursor"].is_array());
    }
    acme.live.get(&format!("/v1/messages?status=sent&cursor={cursor}")).await.refused(Code::ValidationFailed);
    let mut bent = cursor.clone();
    let last = bent.pop().unwrap();
    bent.push(if last == 'A' { 'E' } else { 'A' });
    acme.live.get(&format!("/v1/messages?cursor={bent}")).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn an_id_of_nobody_or_of_the_wrong_kind_is_not_found() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    for path in ["/v1/messages/msg_01h455vb4pex5vsknk084sn02q", "/v1/messages/msg_01h455vb4pex5vsknk084sn02q/events"] {
        acme.live.get(path).await.refused(Code::NotFound);
    }
    for path in ["/v1/messages/bat_01h455vb4pex5vsknk084sn02q", "/v1/messages/x", "/v1/messages/%00", "/v1/batches/x"] {
        let reply = acme.live.get(path).await;
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.text);
    }
}
