//! The live tail: lines as they happen, narrowed, gone on with after a break, for so many at once.

use std::time::Duration;

use postern::error::Code;
use serde_json::{Value, json};

use crate::accounts::house::House;
use crate::harness::actor::Actor;
use crate::harness::app::TestApp;
use crate::messages::{accepted, drain, notice_to, number, secs};

/// A tail that is read event by event.
struct Tail {
    answer: reqwest::Response,
    text: String,
}

impl Tail {
    async fn open(caller: &Actor, query: &str) -> Tail {
        let answer = caller.open(&format!("/v1/admin/tail?{query}")).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
        let mut tail = Tail { answer, text: String::new() };
        assert_eq!(tail.block().await, "retry: 2000", "the answer begins at once");
        tail
    }

    /// The next block of lines.
    async fn block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return block;
            }
            let piece = tokio::time::timeout(Duration::from_secs(20), self.answer.chunk());
            let piece = piece.await.expect("nothing came").unwrap().expect("the tail has ended");
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next event: its id and what it says.
    async fn event(&mut self) -> (String, Value) {
        let block = self.block().await;
        let (id, data) = block.split_once('\n').unwrap_or_else(|| panic!("no event: {block}"));
        let data = data.strip_prefix("data: ").unwrap();
        (id.strip_prefix("id: ").unwrap().to_owned(), serde_json::from_str(data).unwrap())
    }
}

#[actix_web::test]
async fn lines_come_as_they_happen_masked_and_each_once() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let mut tail = Tail::open(&app.operator(), "").await;
    let id = accepted(&acme.live, notice_to(&number(1))).await;
    let (first, line) = tail.event().await;
    assert_eq!((&line["what"], &line["message_id"]), (&json!("message.accepted"), &json!(id)));
    assert_eq!(line["org_id"], acme.org);
    assert!(!line.to_string().contains(&number(1)[1..]), "{line}");
    app.advance(secs(1));
    drain(&app).await;
    assert_eq!(tail.event().await.1["what"], "message.sent");

    // A client whose line broke goes on behind the last event that it saw, and is told nothing twice.
    app.advance(secs(5));
    let mut again = Tail::open(&app.operator().with_also("Last-Event-ID", &first), "").await;
    assert_eq!(again.event().await.1["what"], "message.sent");
    let next = accepted(&acme.test, notice_to(&number(2))).await;
    for tail in [&mut tail, &mut again] {
        let (_, line) = tail.event().await;
        assert_eq!((&line["message_id"], &line["mode"]), (&json!(next), &json!("test")));
    }
}

#[actix_web::test]
async fn a_tail_is_narrowed_and_refusals_are_lines_too() {
    let app = TestApp::start().await;
    let (acme, other) = (app.tenant().await, app.tenant().await);
    let mut own = Tail::open(&app.operator(), &format!("org_id={}&mode=live", acme.org)).await;
    let mut sent = Tail::open(&app.operator(), "status=sent&channel=sms").await;
    let mut blocked = Tail::open(&app.operator(), "status=block").await;
    accepted(&other.live, notice_to(&number(1))).await;
    accepted(&acme.test, notice_to(&number(2))).await;
    let id = accepted(&acme.live, notice_to(&number(3))).await;
    assert_eq!(own.event().await.1["message_id"], id);
    drain(&app).await;
    assert_eq!(sent.event().await.1["what"], "message.sent");
    acme.live.post("/v1/messages", notice_to("+449098790000")).await.refused(Code::FraudBlocked);
    postern::messages::write_refusals(&app.app).await.unwrap();
    let (_, line) = blocked.event().await;
    assert_eq!((&line["what"], &line["error_code"]), (&json!("decision.block"), &json!("fraud.blocked")), "{line}");
    app.operator().get("/v1/admin/tail?mode=any").await.refused(Code::ValidationFailed);
}

#[actix_web::test]
async fn every_role_may_look_so_many_at_once_and_all_end_with_the_process() {
    let house = House::fresh().await;
    let viewer = house.with_role("viewer").await;
    let mut tails = Vec::new();
    for _ in 0..32 {
        tails.push(Tail::open(&viewer, "").await);
    }
    viewer.get("/v1/admin/tail").await.refused(Code::Overloaded);
    tails.pop();
    // The server sees that the connection is gone when it next says something.
    postern::overview::end_tails(&house.app);
    for tail in &mut tails {
        assert_eq!(tail.answer.chunk().await.unwrap(), None, "it ends");
    }
    house.anonymous().get("/v1/admin/tail").await.refused(Code::Unauthenticated);
}
