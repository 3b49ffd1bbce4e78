//! Errors in the reader's language: what `Accept-Language` changes, and what it never changes.

use postern::error::{Code, Language};
use serde_json::json;

use crate::harness::actor::Reply;
use crate::harness::app::TestApp;

fn said(code: Code, language: &str) -> &'static str {
    code.sentence_in(Language::all().find(|one| one.tag() == language).unwrap())
}

/// Of a refusal: what it says, and the two headers about that.
fn told(reply: &Reply) -> (&str, Option<&str>, Option<&str>) {
    (reply.json["detail"].as_str().unwrap(), reply.header("content-language"), reply.header("vary"))
}

#[actix_web::test]
async fn the_sentence_comes_in_the_language_asked_for() {
    let app = TestApp::start().await;
    let long = format!("{}de", "sv,".repeat(1_000));
    let long_tag = format!("de-{}, fr;q=0.1", "a".repeat(3_000));
    for (asked, language) in [
        ("de", "de"),
        ("pt-BR", "pt-BR"),
        ("pt, en;q=0.5", "pt-BR"),
        ("zh-Hans-SG", "zh-CN"),
        ("AR_eg", "ar"),
        ("sv, fr;q=0.8, de;q=0.9", "de"),
        ("en-GB, de;q=0.9", "en"),
        ("*", "en"),
        ("*;q=0.1, tr", "tr"),
        ("de;q=0", "en"),
        ("de;q=0, ja;q=0.1", "ja"),
        ("en;q=0", "en"),
        ("tlh", "en"),
        ("", "en"),
        (";;q=,,de;q=9,=", "en"),
        ("de;q=nan, es", "es"),
        (&long, "en"),
        (&long_tag, "fr"),
    ] {
        let reply = app.anonymous().with_header("Accept-Language", asked).get("/v1/messages").await;
        let reply = reply.refused(Code::Unauthenticated);
        let want = (said(Code::Unauthenticated, language), Some(language), Some("Accept-Language"));
        assert_eq!(told(&reply), want, "{asked}");
        assert!(reply.json.get("sentence").is_none(), "{asked}");
    }
}

#[actix_web::test]
async fn several_lines_are_one_list_and_bytes_that_are_no_text_are_none() {
    let app = TestApp::start().await;
    let two = app.anonymous().with_header("Accept-Language", "sv").with_also("Accept-Language", "it;q=0.4");
    let reply = two.get("/v1/messages").await.refused(Code::Unauthenticated);
    assert_eq!(told(&reply).0, said(Code::Unauthenticated, "it"));
    let odd = app.anonymous().with_header("Accept-Language", "de, d\u{e9}");
    let reply = odd.get("/v1/messages").await.refused(Code::Unauthenticated);
    assert_eq!(told(&reply).1, Some("en"));
}

#[actix_web::test]
async fn without_the_header_the_answer_is_english_and_says_so() {
    let app = TestApp::start().await;
    let reply = app.anonymous().get("/v1/messages").await.refused(Code::Unauthenticated);
    let want = (Code::Unauthenticated.entry().sentence, Some("en"), Some("Accept-Language"));
    assert_eq!(told(&reply), want);
    let fine = app.tenant().await.test.with_header("Accept-Language", "de").get("/v1/messages").await.expect(200);
    assert_eq!((fine.header("content-language"), fine.header("vary")), (None, None));
}

#[actix_web::test]
async fn facts_and_what_programs_read_stay_as_they_are() {
    let app = TestApp::start().await;
    let acme = app.tenant().await.test;
    let german = acme.with_header("Accept-Language", "de");
    // Faults of fields: the sentence is German, the faults and their names are not.
    let english = acme.post("/v1/messages", json!({"to": 1})).await.refused(Code::ValidationFailed);
    let reply = german.post("/v1/messages", json!({"to": 1})).await.refused(Code::ValidationFailed);
    assert_eq!(told(&reply).0, said(Code::ValidationFailed, "de"));
    assert_eq!(reply.header("content-language"), Some("de, en"));
    for member in ["code", "type", "title", "status", "field_errors"] {
        assert_eq!(reply.json[member], english.json[member], "{member}");
    }
    // A detail of its own keeps its words, and the code's sentence stands beside it.
    let reply = german.get("/v1/nothing").await.refused(Code::NotFound);
    assert_eq!(told(&reply).0, "There is no such route; check the path in the reference.");
    assert_eq!(reply.json["sentence"], said(Code::NotFound, "de"));
    assert_eq!(reply.header("content-language"), Some("de, en"));
    let english = acme.get("/v1/nothing").await.refused(Code::NotFound);
    assert!(english.json.get("sentence").is_none());
}

#[actix_web::test]
async fn the_dialects_translate_the_sentence_and_nothing_else() {
    let app = TestApp::start().await;
    let german = app.anonymous().with_header("Accept-Language", "de");
    let reply = german.post("/simcoal/send", json!({"to": "x"})).await.expect(401);
    let want = json!({"code": "UNAUTHORIZED", "message": said(Code::Unauthenticated, "de")});
    assert_eq!(reply.json, json!({"success": false, "error": want}));
    assert_eq!((reply.header("content-language"), reply.header("vary")), (Some("de"), Some("Accept-Language")));
    let acme = app.tenant().await.test;
    let english = acme.post("/simcoal/send", json!({})).await.expect(400);
    let reply = acme.with_header("Accept-Language", "de").post("/simcoal/send", json!({})).await.expect(400);
    assert_eq!((&reply.text, reply.header("content-language")), (&english.text, Some("en")));
    let reply = german.get("/v1/activations").await.expect(401);
    assert_eq!((&reply.json["message"], &reply.json["error"]), (&reply.json["detail"], &json!("unauthenticated")));
    assert_eq!(reply.json["message"], said(Code::Unauthenticated, "de"));
    let word = "/stubs/handler_api.php?action=getBalance";
    let (english, reply) = (app.anonymous().get(word).await, german.get(word).await);
    assert_eq!((&reply.text, reply.header("content-language")), (&english.text, None));
    assert_eq!(reply.header("vary"), None);
}

#[actix_web::test]
async fn the_registry_lists_its_languages_and_comes_in_each() {
    let app = TestApp::start().await;
    let english = app.anonymous().get("/v1/errors").await.expect(200);
    let languages: Vec<String> = serde_json::from_value(english.json["languages"].clone()).unwrap();
    assert!(languages.len() > 12 && languages[0] == "en" && english.json["language"] == "en");
    let page = app.anonymous().get("/docs/errors").await.expect(200).text;
    for language in languages {
        let reply = app.anonymous().with_header("Accept-Language", &language).get("/v1/errors").await.expect(200);
        assert_eq!((&reply.json["language"], reply.header("content-language")), (&json!(language), Some(&*language)));
        assert_eq!(reply.header("vary"), Some("Accept-Language"));
        let entries = reply.json["data"].as_array().unwrap();
        assert_eq!(entries.len(), Code::ALL.len());
        for (entry, code) in entries.iter().zip(Code::ALL) {
            assert_eq!((&entry["code"], &entry["sentence"]), (&json!(code.as_str()), &json!(said(*code, &language))));
        }
        assert!(page.contains(&format!("<code>{language}</code>")));
    }
}
