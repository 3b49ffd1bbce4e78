//! What the console says where something is wrong: a page for who followed a link, a sentence at the field for who filled
//! in a form.

use crate::signin::{fresh, person};

#[actix_web::test]
async fn a_link_to_nothing_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let app = fresh().await;
    let (_, browser) = person(&app, "Ada", "operator").await;
    let nowhere = "/console/nope";
    let page = browser.clone().saying("accept", "text/html,*/*;q=0.8").get(nowhere).await.expect(404);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
    assert!(page.text.contains("href=\"/console\"") && page.header("content-security-policy").is_some());
    let mut german = browser.clone().saying("accept", "text/html").saying("accept-language", "de");
    assert!(german.get(nowhere).await.expect(404).text.contains("lang=\"de\""));
    let program = browser.saying("accept", "*/*").get(nowhere).await.expect(404);
    assert_eq!(program.header("content-type"), Some("application/problem+json"));
}

#[actix_web::test]
async fn a_reason_that_is_refused_stays_in_its_field_with_what_is_wrong() {
    let app = fresh().await;
    let (_, mut browser) = person(&app, "Ada", "owner").await;
    let sent = [("f.to", "+447400555777"), ("reason", "asked by +14155550199"), ("back", "/console/system")];
    let page = browser.submit("/console/act/erase", &sent).await.expect(422).text;
    assert!(page.contains("value=\"asked by +14155550199\""), "{page}");
    assert!(page.contains("erase-reason-fault") && page.contains("must name no phone number"));
    assert!(!page.contains("field_errors"), "a page has none");
}
