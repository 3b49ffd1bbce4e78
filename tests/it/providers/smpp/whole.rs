//! A message on its whole way: accepted by the API, taken by a centre, delivered by its receipt; and an answer that comes back.

use std::time::Duration;

use postern::config::{Config, Source};
use serde_json::json;
use tokio::sync::watch;

use crate::harness::app::TestApp;
use crate::harness::fake_smsc::{FakeSmsc, PASSWORD, Say};
use crate::harness::wait::meanwhile;

fn smpp(config: &mut Config, port: u16) {
    let text = format!(
        "[[carriers]]\nname = \"centre\"\nkind = \"smpp\"\nhost = \"127.0.0.1\"\nport = {port}\n\
         system_id = \"me\"\npassword = \"{PASSWORD}\"\nfrom = \"447700900000\"\n"
    );
    let source = Source { name: "tests".to_owned(), text, ..Source::default() };
    config.carriers.push(Config::load(source).unwrap().carriers.pop().unwrap());
}

#[actix_web::test]
async fn a_message_is_sent_and_delivered_by_smpp() {
    let centre = FakeSmsc::start().await;
    let app = TestApp::start_with(|config| smpp(config, centre.port)).await;
    app.route(&[("sms", "centre", 1)]).await;
    let (stop, stopped) = watch::channel(false);
    let links = actix_web::rt::spawn(postern::callbacks::keep_links(app.app.clone(), stopped));
    meanwhile("the bind", async || Some(()).filter(|()| centre.bound() == 1)).await;

    let tenant = app.tenant().await;
    let send = async |body: &str| {
        let body = json!({"to": "+447911123456", "body": body, "kind": "transactional"});
        let sent = tenant.live.post("/v1/messages", body).await.expect(202);
        format!("/v1/messages/{}", sent.text_at("/id"))
    };
    centre.next(Say::Take("0A1"));
    centre.next(Say::ReceiptFirst("0A2"));
    let (late, early) = (send("one").await, send("two").await);
    assert_eq!(app.step().await, 2);
    let status = async |path: &str| tenant.live.get(path).await.expect(200).text_at("/status");
    assert_eq!((status(&late).await, status(&early).await), ("sent".to_owned(), "delivered".to_owned()));
    assert!(centre.text_receipt("161", "DELIVRD").await);
    assert_eq!(status(&late).await, "delivered");

    assert!(centre.text(0, 0, b"hello there").await);
    assert_eq!(tenant.live.get("/v1/inbound").await.expect(200).text_at("/data/0/body"), "hello there");
    let carriers = app.operator().get("/v1/admin/carriers").await.expect(200);
    let told = carriers.json["data"].as_array().unwrap().iter().find(|one| one["name"] == "centre").unwrap().clone();
    assert_eq!(told["link"], "1 of 1 SMPP links are bound");

    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(20), links).await.unwrap().unwrap();
    assert_eq!(app.step().await, 0);
    let unsent = send("three").await;
    app.step().await;
    assert_ne!(status(&unsent).await, "sent");
    assert_eq!(centre.submits().len(), 2);
}

/// A process whose links are kept, until told to stop.
struct Linked {
    app: TestApp,
    stop: watch::Sender<bool>,
    links: actix_web::rt::task::JoinHandle<()>,
}

impl Linked {
    async fn to(app: TestApp, centre: &FakeSmsc) -> Linked {
        let (stop, stopped) = watch::channel(false);
        let links = actix_web::rt::spawn(postern::callbacks::keep_links(app.app.clone(), stopped));
        meanwhile("the bind", async || Some(()).filter(|()| centre.bound() == 1)).await;
        Linked { app, stop, links }
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(20), self.links).await.unwrap().unwrap();
    }
}

#[actix_web::test]
async fn after_a_restart_ids_in_another_form_meet_their_own_messages_and_no_others() {
    let centre = FakeSmsc::start().await;
    let first = TestApp::start_with(|config| smpp(config, centre.port)).await;
    first.route(&[("sms", "centre", 1)]).await;
    let second = first.another_with(|config| smpp(config, centre.port)).await;
    let tenant = first.tenant().await;
    let before = Linked::to(first, &centre).await;
    let send = async |app: &TestApp, id: &'static str, to: &str| {
        centre.next(Say::Take(id));
        let body = json!({"to": to, "body": "hello", "kind": "transactional"});
        let sent = tenant.live.at(&app.base).post("/v1/messages", body).await.expect(202);
        assert_eq!(app.step().await, 1);
        format!("/v1/messages/{}", sent.text_at("/id"))
    };
    // Hex 1009 is 4105: the receipt of one has the id of the other.
    let hex = send(&before.app, "00001009", "+447911123456").await;
    let twin = send(&before.app, "4105", "+447911123457").await;
    let same = send(&before.app, "0000100A", "+447911123456").await;
    let actor = tenant.live.at(&second.base);
    let status = async |path: &str| actor.get(path).await.expect(200).text_at("/status");
    before.end().await;

    let after = Linked::to(second, &centre).await;
    assert!(centre.text_receipt("4105", "DELIVRD").await);
    assert_eq!((status(&hex).await, status(&twin).await), ("delivered".to_owned(), "sent".to_owned()));
    assert!(centre.receipt("4105", "DELIVRD", 2).await, "a repeat, by parameters this time");
    assert_eq!(status(&twin).await, "sent");
    // Of two messages to one number either could be meant: neither is taken.
    let other = send(&after.app, "4106", "+447911123456").await;
    assert!(centre.text_receipt("4106", "DELIVRD").await);
    assert_eq!((status(&same).await, status(&other).await), ("sent".to_owned(), "sent".to_owned()));
    let last = send(&after.app, "0000100B", "+447911123456").await;
    assert!(centre.text_receipt("4107", "DELIVRD").await);
    assert_eq!(status(&last).await, "delivered");
    after.end().await;
}
