//! The mail carrier against a mail server that fails at every step of the conversation.

use std::net::TcpListener;
use std::sync::Arc;

use postern::providers::{Carrier, Outcome, Outgoing, ReceiptState};
use postern::secret::Secret;
use postern::terms::Channel;

use super::{acme, detail, text_to, word};
use crate::harness::Backend;
use crate::harness::fake_smtp::{FakeSmtp, SmtpFault};

fn mailer(port: u16, more: &str) -> (Arc<dyn Carrier>, Backend) {
    acme(&format!(
        "kind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\nfrom = \"ACME <no-reply@acme.example>\"\n{more}"
    ))
}

fn plain(server: &FakeSmtp) -> (Arc<dyn Carrier>, Backend) {
    mailer(server.address().port(), "tls = \"none\"\nusername = \"postern\"\npassword = \"password-canary\"\n")
}

fn mail_to(to: &str) -> Outgoing {
    Outgoing {
        channel: Channel::Email,
        subject: Some(String::from("Your code")),
        html: Some(Secret::new(String::from("<p>Your code is <b>918273</b></p>"))),
        ..text_to(to)
    }
}

#[actix_web::test]
async fn a_mail_is_handed_over_whole_and_counts_as_sent() {
    let server = FakeSmtp::start();
    let (carrier, _db) = plain(&server);
    let message = mail_to("jane@example.com");
    let id = format!("{}@acme.example", message.attempt_id);
    let accepted = Outcome::Accepted { provider_id: Some(id.clone()), state: Some(ReceiptState::Sent) };
    assert_eq!(carrier.send(&message).await, accepted);
    let letter = server.letters().remove(0);
    assert_eq!(
        (letter.from.as_str(), letter.to.as_slice()),
        ("no-reply@acme.example", [String::from("jane@example.com")].as_slice())
    );
    assert_eq!(letter.login, Some((String::from("postern"), String::from("password-canary"))));
    assert!(letter.data.contains(&format!("Message-ID: <{id}>")), "{}", letter.data);
    assert!(letter.data.contains("multipart/alternative"), "{}", letter.data);
    assert!(letter.data.contains("text/plain") && letter.data.contains("text/html"), "{}", letter.data);
}

#[actix_web::test]
async fn every_step_that_fails_means_what_it_can_mean() {
    use SmtpFault::{Drop, Hang, Reply};
    let cases = [
        (Reply("EHLO", "554 go away"), "route provider.unavailable", 0),
        (Reply("AUTH", "535 5.7.8 bad credentials"), "route provider.auth", 0),
        (Reply("MAIL", "553 sender refused"), "route provider.rejected", 0),
        (Reply("RCPT", "550 5.1.1 <jane@example.com> user unknown"), "final recipient.invalid", 0),
        (Reply("RCPT", "550 5.7.1 relaying denied"), "route provider.rejected", 0),
        (Reply("RCPT", "451 4.7.1 greylisted"), "wait 30s", 0),
        (Reply("DATA", "554 no"), "route provider.rejected", 0),
        (Reply(".", "552 too large"), "route provider.rejected", 0),
        (Reply(".", "452 full"), "wait 30s", 0),
        (Drop("EHLO"), "route provider.unreachable", 0),
        (Drop("RCPT"), "route provider.unreachable", 0),
        (Hang("MAIL"), "route provider.unreachable", 0),
        (Drop("."), "unknown provider.reset", 1),
        (Hang("."), "unknown provider.timeout", 1),
    ];
    for (fault, expected, taken) in cases {
        let server = FakeSmtp::start();
        server.fail(Some(fault.clone()));
        let (carrier, _db) = plain(&server);
        let outcome = carrier.send(&mail_to("jane@example.com")).await;
        assert_eq!(word(&outcome), expected, "{fault:?}: {}", detail(&outcome));
        assert!(!detail(&outcome).contains("jane"), "{}", detail(&outcome));
        assert_eq!(server.letters().len(), taken, "{fault:?}");
    }
}

#[actix_web::test]
async fn an_idle_connection_that_was_closed_is_replaced() {
    let server = FakeSmtp::start();
    let (carrier, _db) = plain(&server);
    assert_eq!(word(&carrier.send(&mail_to("one@example.com")).await), "accepted");
    server.fail_once(SmtpFault::Drop("MAIL"));
    assert_eq!(word(&carrier.send(&mail_to("two@example.com")).await), "accepted");
    assert_eq!(server.letters().len(), 2);
}

#[actix_web::test]
async fn a_server_without_tls_gets_neither_password_nor_mail() {
    let server = FakeSmtp::start();
    for tls in ["starttls", "tls"] {
        let more = format!("tls = \"{tls}\"\nusername = \"postern\"\npassword = \"password-canary\"\n");
        let (carrier, _db) = mailer(server.address().port(), &more);
        let outcome = carrier.send(&mail_to("jane@example.com")).await;
        assert_eq!(word(&outcome), "route provider.unreachable", "{tls}: {}", detail(&outcome));
    }
    assert!(server.letters().is_empty());
}

#[actix_web::test]
async fn a_bad_address_or_a_closed_port_is_a_refusal() {
    let server = FakeSmtp::start();
    let (carrier, _db) = plain(&server);
    for bad in ["jane", "jane@example.com\r\nRCPT TO:<x@example.com>", "jané@example.com"] {
        assert_eq!(word(&carrier.send(&mail_to(bad)).await), "final recipient.invalid", "{bad:?}");
    }
    assert!(server.letters().is_empty());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (carrier, _db) = mailer(closed.port(), "tls = \"none\"\n");
    assert_eq!(word(&carrier.send(&mail_to("jane@example.com")).await), "route provider.unreachable");
}
