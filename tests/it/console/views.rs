//! Views that a reader keeps, sentences in the reader's language, and the console's files.

use serde_json::json;

use crate::signin::{fresh, person};

#[actix_web::test]
async fn a_view_is_kept_under_a_name_and_forgotten_and_no_number_with_it() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "operator").await;
    let kept = [
        ("table", "messages"),
        ("query", "status=unknown&carrier=acme&q=%2B447400123456&col=0&col=2"),
        ("name", "Lost <b>"),
        ("back", "/console/messages"),
    ];
    let answer = browser.submit("/console/views", &kept).await.expect(303);
    assert_eq!(answer.header("location"), Some("/console/messages"));
    let page = browser.get("/console/messages").await.expect(200).text;
    assert!(page.contains("Lost &#60;b&#62;</a>") && !page.contains("Lost <b>"), "it is among the table's views");
    assert!(page.contains("status=unknown") && !page.contains("447400123456"));
    browser.submit("/console/views", &[("table", "messages"), ("forget", "Lost <b>")]).await.expect(303);
    assert!(!browser.get("/console/messages").await.expect(200).text.contains("Lost &#60;b"));
    browser.submit("/console/views", &[("table", "nothing"), ("name", "x"), ("query", "a=b")]).await.expect(404);
}

#[actix_web::test]
async fn columns_that_were_kept_are_shown_where_the_address_names_none() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "operator").await;
    let heads = |page: String| page.matches("<th scope=\"col\"").count();
    let before = heads(browser.get("/console/tenants").await.expect(200).text);
    app.operator().post("/v1/admin/orgs", json!({"name": "ACME", "country": "GB"})).await.expect(201);
    let all = heads(browser.get("/console/tenants").await.expect(200).text);
    assert!(all > before);
    let columns = [("table", "organizations"), ("query", "col=0"), ("columns", "1")];
    browser.submit("/console/views", &columns).await.expect(303);
    let fewer = heads(browser.get("/console/tenants").await.expect(200).text);
    assert!(fewer < all, "{fewer} of {all}");
    assert_eq!(heads(browser.get("/console/tenants?col=0&col=1").await.expect(200).text), fewer + 1);
    browser.submit("/console/views", &[("table", "organizations"), ("query", ""), ("columns", "1")]).await.expect(303);
    assert_eq!(heads(browser.get("/console/tenants").await.expect(200).text), all);
}

#[actix_web::test]
async fn causes_and_alerts_are_told_in_the_readers_language() {
    let app = fresh().await;
    let (_, browser) = person(&app, "Ada", "operator").await;
    let pause = json!({"scope": "country", "value": "LV", "reason": "Pumpversuch"});
    app.operator().post("/v1/admin/pause", pause).await.expect(200);
    let english = browser.clone().get("/console/now").await.expect(200).text;
    assert!(
        english.contains("Live messages for country LV are stopped since")
            && english.contains("Live messages were paused: country/LV.")
    );
    assert!(english.contains("See who paused and why"));
    let german = browser.saying("accept-language", "de").get("/console/now").await.expect(200).text;
    assert!(german.matches("Pumpversuch").count() >= 2 && german.contains("LV"));
    for mixed in ["Live messages", "are stopped since", "See who paused"] {
        assert!(!german.contains(mixed), "{mixed}");
    }
}

#[actix_web::test]
async fn files_come_packed_to_whoever_takes_that_and_pages_never() {
    let app = fresh().await;
    let (_, browser) = person(&app, "Ada", "operator").await;
    let file = "/console/assets/uplot.js";
    let plain = app.anonymous().get(file).await.expect(200);
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("Accept-Encoding")));
    let packed = app.anonymous().with_header("Accept-Encoding", "br, gzip;q=0.5").get(file).await.expect(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let size = |reply: &crate::harness::actor::Reply| reply.header("content-length").unwrap().parse::<usize>().unwrap();
    assert!(size(&packed) * 2 < size(&plain), "{} of {}", size(&packed), size(&plain));
    let refused = app.anonymous().with_header("Accept-Encoding", "gzip;q=0, identity").get(file).await.expect(200);
    assert_eq!(refused.header("content-encoding"), None);
    let page = browser.saying("accept-encoding", "gzip").get("/console/now").await.expect(200);
    assert_eq!(page.header("content-encoding"), None, "its length would tell of the token in it");
}
