//! SMPP against a message centre of another library: what it says is what we understand, and what it delivers arrives.

mod wire;
mod whole;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use postern::providers::{Carrier, OtherForms, Outcome, Outgoing, Receipt, ReceiptState, Report, ReportDesk, Trust};
use postern::secret::Secret;
use smpp34::SmppError;
use tokio::sync::watch;

use super::{acme, detail, text_to, word};
use crate::harness::fake_smsc::{FakeSmsc, PASSWORD, PERSON, Say};
use crate::harness::wait::meanwhile;
use crate::harness::{Backend, fake_smsc};

/// A carrier whose links are kept, and what came over them.
struct Linked {
    carrier: Arc<dyn Carrier>,
    reports: Arc<Mutex<Vec<Report>>>,
    stores: Arc<AtomicBool>,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
    _db: Backend,
}

fn link(port: u16, more: &str) -> Linked {
    let (carrier, _db) = acme(&format!(
        "kind = \"smpp\"\nhost = \"127.0.0.1\"\nport = {port}\nsystem_id = \"me\"\npassword = \"{PASSWORD}\"\n\
         from = \"ACME\"\n{more}"
    ));
    let (stop, stopped) = watch::channel(false);
    let (desk, mut told) = ReportDesk::new();
    let ended = actix_web::rt::spawn(carrier.clone().link(desk, stopped).unwrap());
    let (reports, stores) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(true)));
    let (kept, works) = (reports.clone(), stores.clone());
    actix_web::rt::spawn(async move {
        while let Some(mut one) = told.recv().await {
            assert_eq!(one.carrier, "acme");
            let stored = works.load(Ordering::SeqCst);
            if stored {
                kept.lock().unwrap().append(&mut one.reports);
            }
            one.answer(stored);
        }
    });
    Linked { carrier, reports, stores, stop, ended, _db }
}

impl Linked {
    /// Waits until this many connections are bound.
    async fn bound(self, count: usize) -> Linked {
        let begins = format!("{count} of ");
        let links = || self.carrier.health_detail().filter(|detail| detail.starts_with(&begins));
        meanwhile("the binds", async || links()).await;
        self
    }

    async fn send(&self, text: &str) -> Outcome {
        let message = Outgoing { text: Secret::new(String::from(text)), ..text_to("+447911123456") };
        self.carrier.send(&message).await
    }

    fn receipts(&self) -> Vec<Receipt> {
        let only = |report: &Report| match report {
            Report::Receipt(receipt) => Some(receipt.clone()),
            Report::Inbound(_) | Report::Number(_) | Report::Template(_) | Report::Trouble(_) => None,
        };
        self.reports.lock().unwrap().iter().filter_map(only).collect()
    }

    fn texts(&self) -> Vec<(String, String, String)> {
        let only = |report: &Report| match report {
            Report::Inbound(one) => Some((one.from.clone(), one.to.clone(), one.text.clone())),
            Report::Receipt(_) | Report::Number(_) | Report::Template(_) | Report::Trouble(_) => None,
        };
        self.reports.lock().unwrap().iter().filter_map(only).collect()
    }
}

fn accepted(id: &str) -> Outcome {
    Outcome::Accepted { provider_id: Some(String::from(id)), state: None }
}

#[actix_web::test]
async fn a_message_is_taken_and_its_receipt_arrives() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "").bound(1).await;
    centre.next(Say::Take("00001001"));
    assert_eq!(linked.send("Your code is 918273").await, accepted("1001"));
    let submit = centre.submits().remove(0);
    assert_eq!((submit.source_addr.as_str(), submit.source_addr_ton, submit.source_addr_npi), ("ACME", 5, 0));
    assert_eq!((submit.destination_addr.as_str(), submit.dest_addr_ton, submit.dest_addr_npi), (PERSON, 1, 1));
    assert_eq!((submit.registered_delivery, submit.data_coding, submit.esm_class), (1, 0, 0));
    assert_eq!((submit.validity_period.as_str(), submit.tlvs.len()), ("000000000459000R", 0));
    assert_eq!(submit.short_message, b"Your code is 918273");
    assert_eq!(centre.binds(), [("transceiver", String::from("me"), 0x34)]);

    assert!(centre.receipt("00001001", "DELIVRD", 2).await);
    // Read as decimal, or as hex.
    let forms = OtherForms {
        ids: vec![String::from("3e9"), String::from("4097")],
        trust: Trust::Remembered,
        numbers: vec![String::from(PERSON)],
    };
    let receipt = Receipt {
        provider_id: String::from("1001"),
        reference: None,
        state: Some(ReceiptState::Delivered),
        status: String::from("DELIVRD"),
        error_code: None,
        cause: None,
        forms: Some(Box::new(forms)),
    };
    assert_eq!(linked.receipts(), [receipt]);
}

#[actix_web::test]
async fn every_refusal_means_what_it_can_mean() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "").bound(1).await;
    for (status, expected) in [
        (SmppError::ESME_RINVDSTADR, "final recipient.invalid"),
        (SmppError::ESME_RINVSRCADR, "route provider.rejected"),
        (SmppError::ESME_RSUBMITFAIL, "route provider.rejected"),
        (SmppError::ESME_RSYSERR, "route provider.unavailable"),
        (SmppError::ESME_RINVBNDSTS, "route provider.auth"),
        (SmppError::ESME_RTHROTTLED, "wait 1s"),
    ] {
        centre.next(Say::Refuse(status));
        let outcome = linked.send("x").await;
        assert_eq!(word(&outcome), expected, "{}", detail(&outcome));
    }
}

#[actix_web::test]
async fn haste_is_slowed_down_and_a_full_queue_is_left_alone() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "").bound(1).await;
    centre.next(Say::Refuse(SmppError::ESME_RTHROTTLED));
    assert_eq!(word(&linked.send("x").await), "wait 1s");
    let from = tokio::time::Instant::now();
    assert!(word(&linked.send("x").await).starts_with("wait "));
    assert_eq!(centre.submits().len(), 1);
    until_not_hasty(&linked).await;
    assert!(from.elapsed() >= Duration::from_millis(900), "{:?}", from.elapsed());
    assert_eq!(centre.submits().len(), 2);

    centre.next(Say::Refuse(SmppError::ESME_RMSGQFUL));
    let last = until_not_hasty(&linked).await;
    assert_eq!(word(&last), "wait 5s");
    let before = centre.submits().len();
    assert_eq!(word(&linked.send("x").await), "wait 4s");
    assert_eq!(centre.submits().len(), before);
}

/// Sends until it is not our own pace that says no.
async fn until_not_hasty(linked: &Linked) -> Outcome {
    let ours = |outcome: &Outcome| detail(outcome) == "the carrier asked to slow down";
    meanwhile("a turn", async || Some(linked.send("x").await).filter(|outcome| !ours(outcome))).await
}

#[actix_web::test]
async fn without_a_link_nothing_is_sent_and_a_wrong_password_makes_none() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(word(&link(closed, "").send("x").await), "route provider.unreachable");
    let centre = FakeSmsc::start().await;
    let (carrier, _db) = acme(&format!(
        "kind = \"smpp\"\nhost = \"127.0.0.1\"\nport = {}\nsystem_id = \"me\"\npassword = \"wrong\"\n",
        centre.port
    ));
    let (stop, stopped) = watch::channel(false);
    let ended = actix_web::rt::spawn(carrier.clone().link(ReportDesk::new().0, stopped).unwrap());
    assert_eq!(word(&carrier.send(&text_to("+447700900123")).await), "route provider.unreachable");
    stop.send(true).unwrap();
    ended.await.unwrap();
    assert_eq!((centre.submits().len(), centre.bound()), (0, 0));
}

#[actix_web::test]
async fn a_receipt_may_come_before_its_answer_and_ids_in_another_form() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "").bound(1).await;
    centre.next(Say::ReceiptFirst("abc-7"));
    assert_eq!(linked.send("x").await, accepted("abc-7"));
    centre.next(Say::Take("00001009"));
    assert_eq!(linked.send("x").await, accepted("1009"));
    assert!(centre.text_receipt("4105", "DELIVRD").await);
    assert!(centre.text_receipt("1009", "UNDELIV").await);
    let ids: Vec<String> = linked.receipts().into_iter().map(|receipt| receipt.provider_id).collect();
    assert_eq!(ids, ["abc-7", "1009", "1009"]);

    let linked = link(centre.port, "id_form = \"hex_to_decimal\"").bound(1).await;
    centre.next(Say::Take("00001009"));
    assert_eq!(linked.send("x").await, accepted("4105"));
}

#[actix_web::test]
async fn long_texts_go_in_parts_and_wait_between_them_when_told_to() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "").bound(1).await;
    let text = format!("{}€{}", "a".repeat(152), "b".repeat(20));
    centre.next(Say::Take("part-1"));
    centre.next(Say::Take("part-2"));
    assert_eq!(linked.send(&text).await, accepted("part-2"));
    let parts = centre.submits();
    assert_eq!((parts[0].short_message.len(), parts[1].short_message.len()), (158, 28));
    assert_eq!((parts[0].registered_delivery, parts[1].registered_delivery), (0, 1));

    assert_eq!(word(&linked.send(&"😀".repeat(40)).await), "accepted");
    let wide = centre.submits().split_off(2);
    let lengths: Vec<(u8, usize)> = wide.iter().map(|one| (one.data_coding, one.short_message.len())).collect();
    assert_eq!(lengths, [(8, 138), (8, 34)]);

    centre.next(Say::Take("part-1"));
    centre.next(Say::Refuse(SmppError::ESME_RINVDSTADR));
    assert_eq!(word(&linked.send(&text).await), "unknown provider.bad_response");
}

#[actix_web::test]
async fn an_answer_that_never_comes_leaves_the_message_unknown_and_the_window_is_kept() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "window = 2").bound(1).await;
    centre.next(Say::Nothing);
    centre.next(Say::Nothing);
    let (one, two) = (linked.send("1"), linked.send("2"));
    let third = async {
        meanwhile("two submits", async || Some(()).filter(|()| centre.submits().len() == 2)).await;
        let from = tokio::time::Instant::now();
        let third = linked.send("3").await;
        (third, from.elapsed())
    };
    let (one, two, (third, _)) = futures_util::join!(one, two, third);
    assert_eq!((word(&one).as_str(), word(&two).as_str()), ("unknown provider.timeout", "unknown provider.timeout"));
    // It went when the first two had given up, or had to give up itself; in no case beside them.
    assert!(["accepted", "wait 1s"].contains(&word(&third).as_str()), "{}", word(&third));
    assert_eq!(linked.carrier.limits().max_in_flight, 2);
}

#[actix_web::test]
async fn texts_from_people_arrive_in_their_alphabets_and_joined() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "").bound(1).await;
    assert!(centre.text(0, 0, b"STOP \x1b\x65").await);
    assert!(centre.text(0, 8, b"\x04\x1a\xd8\x3d\xde\x00").await);
    assert!(centre.text(0, 3, b"\xe4").await);
    assert!(centre.text(0x40, 0, b"\x05\x00\x03\x07\x02\x02 world").await);
    assert!(centre.text(0x40, 0, b"\x05\x00\x03\x07\x02\x01hello").await);
    let said: Vec<String> = linked.texts().into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(said, ["STOP €", "К😀", "ä", "hello world"]);
    let (from, to, _) = linked.texts().remove(0);
    assert_eq!((from.as_str(), to.as_str()), ("+447911123456", "+447700900000"));
}

#[actix_web::test]
async fn what_is_not_stored_is_not_taken() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "").bound(1).await;
    linked.stores.store(false, Ordering::SeqCst);
    assert!(!centre.receipt("1", "DELIVRD", 2).await);
    assert!(centre.text(0x40, 0, b"\x05\x00\x03\x07\x02\x01hello").await);
    assert!(!centre.text(0x40, 0, b"\x05\x00\x03\x07\x02\x02 world").await);
    linked.stores.store(true, Ordering::SeqCst);
    assert!(centre.receipt("1", "DELIVRD", 2).await);
    assert!(centre.text(0x40, 0, b"\x05\x00\x03\x07\x02\x02 world").await);
    assert_eq!((linked.receipts().len(), linked.texts().len()), (1, 1));
    assert_eq!(linked.texts()[0].2, "hello world");
}

#[actix_web::test]
async fn two_connections_make_a_bind_and_several_binds_share_the_work() {
    let centre = FakeSmsc::start().await;
    let linked = link(centre.port, "mode = \"transmitter_receiver\"\nbinds = 2\nversion = \"5.0\"\n").bound(4).await;
    let mut binds: Vec<(&str, u8)> = centre.binds().into_iter().map(|(kind, _, version)| (kind, version)).collect();
    binds.sort_unstable();
    assert_eq!(binds, [("receiver", 0x50), ("receiver", 0x50), ("transmitter", 0x50), ("transmitter", 0x50)]);
    for _ in 0..4 {
        assert_eq!(word(&linked.send("x").await), "accepted");
    }
    // The other library hears no answers on a receiver's connection: its word is not waited for.
    let receiver = centre.receiver();
    let telling =
        actix_web::rt::spawn(async move { fake_smsc::deliver_receipt(&receiver, "fake-0", "DELIVRD", None).await });
    let receipt = meanwhile("the receipt", async || linked.receipts().pop()).await;
    assert_eq!(receipt.provider_id, "fake-0");
    telling.abort();
    linked.stop.send(true).unwrap();
    linked.ended.await.unwrap();
    meanwhile("the good-byes", async || Some(()).filter(|()| centre.bound() == 0)).await;
    assert_eq!(linked.carrier.health_detail().unwrap(), "0 of 4 SMPP links are bound");
}

/// The certificate of the tests, for `localhost` and 127.0.0.1.
fn certificate() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/smpp/tls_certificate.pem");
    path.to_str().unwrap().to_owned()
}

#[actix_web::test]
async fn under_tls_only_the_right_certificate_gets_the_password() {
    let centre = FakeSmsc::start().await;
    let port = wire::tls_in_front_of(centre.port).await;
    let linked = link(port, &format!("tls = \"tls\"\nca_file = \"{}\"\n", certificate())).bound(1).await;
    assert_eq!(word(&linked.send("x").await), "accepted");
    assert!(centre.receipt("fake-0", "DELIVRD", 2).await);
    let stranger = link(port, "tls = \"tls\"\n");
    assert_eq!(word(&stranger.send("x").await), "route provider.unreachable");
    assert_eq!((centre.binds().len(), centre.submits().len()), (1, 1));
}
