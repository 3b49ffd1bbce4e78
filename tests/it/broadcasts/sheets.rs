//! Sheets: in with every fault at its place, out without a formula.

use postern::error::Code;
use serde_json::json;

use super::{act, contact, feed};
use crate::harness::actor::{Actor, Reply};
use crate::harness::app::TestApp;
use crate::messages::number;

async fn sheet(caller: &Actor, path: &str, text: &str) -> Reply {
    caller.send("POST", path, "text/csv; charset=utf-8", text.as_bytes().to_vec()).await
}

async fn empty(caller: &Actor, text: &str) -> String {
    let id = caller.post("/v1/broadcasts", json!({"body": text, "country": "GB"})).await.expect(201).text_at("/id");
    format!("/v1/broadcasts/{id}/contacts")
}

#[actix_web::test]
async fn a_sheet_is_looked_at_whole_and_each_fault_has_its_line() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let path = empty(&acme.live, "Hi {name}").await;
    let text = format!(
        "to,name\n{},Ann\nnobody,Bob\n{},\n{},Dan,too,many\n07400 120005,\"Eve, E.\"\n{},Ann again\n",
        number(1),
        number(3),
        number(4),
        number(1)
    );
    let reply = sheet(&acme.live, &path, &text).await.refused(Code::ValidationFailed);
    let faults = &reply.json["field_errors"];
    for field in ["line 3.to", "line 4.params.name", "line 5.row"] {
        assert!(faults[field].is_array(), "{field}: {}", reply.text);
    }
    assert_eq!(faults.as_object().unwrap().len(), 3, "{}", reply.text);
    assert!(reply.text_at("/detail").starts_with("3 of 6 contacts"), "{}", reply.text);
    assert_eq!(acme.live.get(&path).await.expect(200).json["data"], json!([]), "none was added");

    let told = sheet(&acme.live, &format!("{path}?invalid=skip"), &text).await.expect(200);
    assert_eq!(
        (&told.json["added"], &told.json["duplicates"], &told.json["invalid"]),
        (&json!(2), &json!(1), &json!(3))
    );
    let places: Vec<&str> =
        told.json["errors"].as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap()).collect();
    assert_eq!(places, ["line 5", "line 3", "line 4"]);
    let list = acme.live.get(&path).await.expect(200);
    assert_eq!((list.text_at("/data/0/to"), list.text_at("/data/1/to")), (number(1), number(5)), "{}", list.text);
}

#[actix_web::test]
async fn what_is_no_sheet_is_refused() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let path = empty(&acme.live, "Hi").await;
    for bad in ["", "name\nAnn\n", "to,to\n1,2\n", "to\n", "to,\"x\n1"] {
        sheet(&acme.live, &path, bad).await.refused(Code::ValidationFailed);
    }
    acme.live.send("POST", &path, "text/plain", b"to\n1".to_vec()).await.refused(Code::UnsupportedMediaType);
    acme.live.post(&path, json!({"contacts": []})).await.refused(Code::ValidationFailed);
    let long = acme.live.send("POST", &path, "text/csv", vec![b'x'; (8 << 20) + 1]).await;
    assert_eq!(long.status, 413);
    let foreign = json!({"contacts": [{"to": number(1), "name": "Ann"}]});
    acme.live.post(&path, foreign).await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn opt_outs_are_counted_at_once_and_heeded_when_their_turn_comes() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let path = empty(&acme.live, "Hi").await;
    acme.live.post("/v1/opt-outs", json!({"to": number(1)})).await.expect(201);
    let text = format!("to\n{}\n{}\n{}\n", number(1), number(2), number(3));
    let keyed = acme.live.with_header("Idempotency-Key", "sheet");
    let told = sheet(&keyed, &path, &text).await.expect(200);
    assert_eq!((&told.json["added"], &told.json["opted_out"]), (&json!(3), &json!(1)));
    assert_eq!(sheet(&keyed, &path, &text).await.expect(200).header("idempotent-replayed"), Some("true"));
    sheet(&keyed, &path, "to\n+447400120009\n").await.refused(Code::IdempotencyMismatch);
    acme.live.post("/v1/opt-outs", json!({"to": number(2)})).await.expect(201);
    let id = path.split('/').nth(3).unwrap();
    act(&acme.live, id, "start").await;
    assert_eq!(feed(&app).await, 3);
    let rows = acme.live.get(&path).await.expect(200);
    let seen: Vec<(String, String)> =
        (0..3).map(|n| (rows.text_at(&format!("/data/{n}/to")), rows.text_at(&format!("/data/{n}/status")))).collect();
    let expected = [(number(1), "refused"), (number(2), "refused"), (number(3), "accepted")];
    assert_eq!(seen, expected.map(|(to, status)| (to, status.to_owned())));
    assert_eq!(rows.text_at("/data/0/error_code"), "recipient.opted_out");
}

#[actix_web::test]
async fn results_come_in_pages_or_as_one_sheet_without_formulas() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let made = json!({"channel": "email", "body": "Hi", "contacts": [
        {"to": "=1+1@example.com"}, {"to": "ann@example.com"}, {"to": "-x@example.com"}
    ]});
    let id = acme.test.post("/v1/broadcasts", made).await.expect(201).text_at("/id");
    act(&acme.test, &id, "start").await;
    feed(&app).await;
    app.step().await;
    let path = format!("/v1/broadcasts/{id}/contacts");
    let reply = acme.test.with_header("Accept", "text/csv").get(&path).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = reply.text.lines().collect();
    assert_eq!(lines[0], "row,to,status,message_id,message_status,error_code");
    assert!(lines[1].starts_with("1,'=1+1@example.com,accepted,msg_"), "{}", lines[1]);
    assert!(
        lines[2].starts_with("2,ann@example.com,accepted,msg_") && lines[2].ends_with(",delivered,"),
        "{}",
        lines[2]
    );
    assert!(lines[3].starts_with("3,'-x@example.com"), "{}", lines[3]);
    assert_eq!(lines.len(), 4);

    let first = acme.test.get(&format!("{path}?limit=2")).await.expect(200);
    let next = format!("{path}?limit=2&cursor={}", first.text_at("/next_cursor"));
    let last = acme.test.get(&next).await.expect(200);
    assert_eq!((last.text_at("/data/0/to"), &last.json["has_more"]), ("-x@example.com".into(), &json!(false)));
}

#[actix_web::test]
async fn a_long_sheet_is_stored_in_pieces_and_read_back_whole() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let path = empty(&acme.live, "Hi {name}").await;
    let rows: String = (0..2_500).map(|n| format!("{},N{n}\n", number(n))).collect();
    let told = sheet(&acme.live, &path, &format!("to,name\n{rows}")).await.expect(200);
    assert_eq!((&told.json["added"], &told.json["contacts"]), (&json!(2_500), &json!(2_500)));
    let more = acme.live.post(&path, json!({"contacts": [contact(2_499), contact(2_500)]})).await.expect(200);
    assert_eq!((&more.json["added"], &more.json["duplicates"]), (&json!(1), &json!(1)));
    let all = acme.live.with_header("Accept", "text/csv").get(&path).await.expect(200);
    let to: Vec<String> = all.text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(to, (0..=2_500).map(number).collect::<Vec<_>>());
}

#[actix_web::test]
async fn a_template_that_is_not_approved_is_told_once_and_not_for_every_row() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let template = json!({"name": "news", "body": "Hello {{name}}, we moved.", "category": "utility", "examples": {"name": "Ann"}});
    acme.live.post("/v1/templates", template).await.expect(201);
    let body = json!({"name": "News", "kind": "transactional", "template": {"name": "news"}});
    let id = acme.live.post("/v1/broadcasts", body).await.expect(201).text_at("/id");
    for query in ["", "?invalid=skip"] {
        let path = format!("/v1/broadcasts/{id}/contacts{query}");
        acme.live.post(&path, json!({"contacts": [contact(1), contact(2)]})).await.refused(Code::TemplateNotApproved);
    }
}
