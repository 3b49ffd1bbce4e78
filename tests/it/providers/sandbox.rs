//! The sandbox: its script, and the inbox a developer reads.

use postern::clock::{Clock, Millis};
use postern::config::Config;
use postern::db::Db;
use postern::ids::{AttemptId, OrgId};
use postern::providers::sandbox::{Shown, inbox, purge};
use postern::providers::{Carriers, Outcome, Outgoing, ReceiptState, carriers};
use postern::terms::{Channel, Mode};

use super::{text_to, word};
use crate::harness::Backend;

struct Desk {
    db: Db,
    clock: Clock,
    carriers: Carriers,
    _backend: Backend,
}

fn desk() -> Desk {
    let (backend, clock) = (Backend::fresh(), Clock::manual(Millis(1_000_000)));
    let db = backend.open(clock.clone());
    let carriers = carriers(&Config::for_tests(), &db, &clock).unwrap();
    Desk { db, clock, carriers, _backend: backend }
}

impl Desk {
    async fn send(&self, message: &Outgoing) -> Outcome {
        self.clock.advance(std::time::Duration::from_secs(1));
        self.carriers.find("sandbox").unwrap().send(message).await
    }

    async fn inbox(&self, org: OrgId, mode: Mode, to: Option<&'static str>, limit: i64) -> Vec<Shown> {
        self.db.read(move |conn| inbox(conn, org, mode, to, limit)).await.unwrap()
    }
}

fn message(org: OrgId, to: &str, at: i64) -> Outgoing {
    Outgoing { org_id: org, mode: Mode::Test, attempt_id: AttemptId::new(Millis(at)), ..text_to(to) }
}

#[actix_web::test]
async fn magic_numbers_force_their_outcome_and_only_what_arrives_is_shown() {
    let desk = desk();
    let org = OrgId::new(Millis(1));
    for (to, expected, state, shown) in [
        ("+15005550000", "accepted", Some(ReceiptState::Delivered), 1),
        ("+15005550002", "accepted", Some(ReceiptState::Undelivered), 0),
        ("+15005550003", "route provider.unavailable", None, 0),
        ("+15005550007", "accepted", Some(ReceiptState::Sent), 1),
        ("+15005550008", "unknown provider.timeout", None, 0),
        ("+14155550123", "accepted", Some(ReceiptState::Delivered), 1),
    ] {
        let outcome = desk.send(&message(org, to, 5)).await;
        assert_eq!(word(&outcome), expected, "{to}");
        if let Outcome::Accepted { provider_id, state: told } = outcome {
            assert_eq!((provider_id.is_some(), told), (true, state), "{to}");
        }
        let found = desk.inbox(org, Mode::Test, None, 100).await;
        assert_eq!(found.iter().filter(|row| row.to == to).count(), shown, "{to}");
    }
    let elsewhere = Outgoing { channel: Channel::Whatsapp, ..message(org, "+15005550003", 6) };
    assert_eq!(word(&desk.send(&elsewhere).await), "accepted", "the fallback arrives");
}

#[actix_web::test]
async fn the_inbox_is_the_organizations_own_newest_first() {
    let desk = desk();
    let (org, other) = (OrgId::new(Millis(1)), OrgId::new(Millis(2)));
    for (n, to) in ["+14155550123", "+14155550124", "jane@example.com"].into_iter().enumerate() {
        let mail = Outgoing { subject: Some(format!("no. {n}")), ..message(org, to, 10 + n as i64) };
        desk.send(&mail).await;
    }
    desk.send(&message(other, "+14155550123", 20)).await;
    let all = desk.inbox(org, Mode::Test, None, 50).await;
    let to: Vec<&str> = all.iter().map(|row| row.to.as_str()).collect();
    assert_eq!(to, ["jane@example.com", "+14155550124", "+14155550123"]);
    assert_eq!(all[0].subject.as_deref(), Some("no. 2"));
    assert!(all[0].body.contains("918273"));
    assert!(all[0].received_at > all[1].received_at);
    assert_eq!(desk.inbox(org, Mode::Test, Some("+14155550124"), 50).await.len(), 1);
    assert_eq!(desk.inbox(org, Mode::Test, None, 2).await.len(), 2);
    assert!(desk.inbox(org, Mode::Live, None, 50).await.is_empty());
    let last = all[0].received_at;
    assert_eq!(desk.db.write(move |conn| purge(conn, last)).await.unwrap(), 2);
    assert_eq!(desk.inbox(org, Mode::Test, None, 50).await.len(), 1);
}

#[actix_web::test]
async fn one_keys_magic_numbers_do_not_shut_the_sandbox_to_others() {
    let desk = desk();
    let org = OrgId::new(Millis(1));
    for n in 0..30 {
        let outcome = desk.send(&message(org, "+15005550008", n)).await;
        desk.carriers.circuits().record("sandbox", &outcome, desk.clock.now());
    }
    assert!(desk.carriers.circuits().is_open_to("sandbox", desk.clock.now()));
}
