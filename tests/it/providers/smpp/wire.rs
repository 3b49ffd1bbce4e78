//! The link octet by octet: a centre that is played by the test answers late, wrongly or not at all.

use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{Linked, accepted, link, word};

const BIND: u32 = 9;
const SUBMIT: u32 = 4;
const DELIVER: u32 = 5;
const UNBIND: u32 = 6;
const ENQUIRE: u32 = 0x15;
const NACK: u32 = 0x8000_0000;
const ANSWER: u32 = 0x8000_0000;

/// A centre that the test plays.
struct Played {
    listener: TcpListener,
}

/// One connection to it.
struct Line(TcpStream);

/// id, status, sequence and body of a frame.
type Frame = (u32, u32, u32, Vec<u8>);

impl Played {
    async fn start() -> Played {
        Played { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn link(&self, more: &str) -> Linked {
        link(self.listener.local_addr().unwrap().port(), more)
    }

    /// The next connection, bound.
    async fn bound(&self) -> Line {
        let (stream, _) = timeout(Duration::from_secs(20), self.listener.accept()).await.unwrap().unwrap();
        let mut line = Line(stream);
        let (id, _, sequence, _) = line.hear().await;
        assert_eq!(id, BIND);
        line.say(BIND | ANSWER, 0, sequence, b"PLAYED\0").await;
        line
    }
}

impl Line {
    async fn hear(&mut self) -> Frame {
        timeout(Duration::from_secs(20), self.try_hear()).await.expect("a frame").expect("an open line")
    }

    async fn try_hear(&mut self) -> std::io::Result<Frame> {
        let length = self.0.read_u32().await?;
        let (id, status, sequence) = (self.0.read_u32().await?, self.0.read_u32().await?, self.0.read_u32().await?);
        let mut body = vec![0; usize::try_from(length).unwrap() - 16];
        self.0.read_exact(&mut body).await?;
        Ok((id, status, sequence, body))
    }

    async fn say(&mut self, id: u32, status: u32, sequence: u32, body: &[u8]) {
        let length = u32::try_from(body.len() + 16).unwrap();
        let mut octets: Vec<u8> = [length, id, status, sequence].iter().flat_map(|word| word.to_be_bytes()).collect();
        octets.extend(body);
        self.0.write_all(&octets).await.unwrap();
    }

    /// The next submit_sm's sequence number.
    async fn submit(&mut self) -> u32 {
        let (id, _, sequence, _) = self.hear().await;
        assert_eq!(id, SUBMIT);
        sequence
    }

    /// Whether the other side hangs up, whatever it still says.
    async fn ends(&mut self) -> bool {
        timeout(Duration::from_secs(20), async { while self.try_hear().await.is_ok() {} }).await.is_ok()
    }
}

/// Answers to one submit_sm: status and body, and what we make of it.
const ANSWERS: [(u32, u32, &[u8], &str); 7] = [
    (SUBMIT | ANSWER, 0x45, b"", "route provider.rejected"),
    (SUBMIT | ANSWER, 0x45, b"\0", "route provider.rejected"),
    (SUBMIT | ANSWER, 0x0B, b"id without an end", "final recipient.invalid"),
    (SUBMIT | ANSWER, 0x1234, b"", "route provider.rejected"),
    (NACK, 0x03, b"", "route provider.rejected"),
    (NACK, 0, b"", "route provider.unavailable"),
    (SUBMIT | ANSWER, 0, b"", "accepted"),
];

#[actix_web::test]
async fn answers_without_a_body_and_nacks_are_answers() {
    let centre = Played::start().await;
    let linked = centre.link("");
    let mut line = centre.bound().await;
    for (id, status, body, expected) in ANSWERS {
        let answer = async {
            let sequence = line.submit().await;
            // An answer to nobody comes first, and changes nothing.
            line.say(SUBMIT | ANSWER, 0, sequence + 1_000, b"other\0").await;
            line.say(id, status, sequence, body).await;
        };
        let (outcome, ()) = futures_util::join!(linked.send("x"), answer);
        assert_eq!(word(&outcome), expected, "{id:#x} {status:#x}");
    }
    let answer = async {
        let sequence = line.submit().await;
        line.say(SUBMIT | ANSWER, 0, sequence, b"without-an-end").await;
    };
    assert_eq!(futures_util::join!(linked.send("x"), answer).0, accepted("without-an-end"));
}

#[actix_web::test]
async fn a_lost_link_leaves_what_was_unanswered_unknown_and_is_made_again() {
    let centre = Played::start().await;
    let (linked, mut line) = centre.link("").bound_by(&centre).await;
    let lose = async {
        line.submit().await;
        line.submit().await;
        drop(line);
    };
    let (one, two, ()) = futures_util::join!(linked.send("1"), linked.send("2"), lose);
    assert_eq!((word(&one).as_str(), word(&two).as_str()), ("unknown provider.reset", "unknown provider.reset"));
    let mut line = centre.bound().await;
    let answer = async {
        let sequence = line.submit().await;
        line.say(SUBMIT | ANSWER, 0, sequence, b"again\0").await;
    };
    let linked = linked.bound(1).await;
    assert_eq!(futures_util::join!(linked.send("3"), answer).0, accepted("again"));
}

impl Linked {
    async fn bound_by(self, centre: &Played) -> (Linked, Line) {
        let line = centre.bound().await;
        (self.bound(1).await, line)
    }
}

#[actix_web::test]
async fn a_silent_centre_is_asked_and_left() {
    let centre = Played::start().await;
    let (_linked, mut line) = centre.link("enquire_every = \"100ms\"").bound_by(&centre).await;
    let (id, _, sequence, _) = line.hear().await;
    assert_eq!(id, ENQUIRE);
    line.say(ENQUIRE | ANSWER, 0, sequence, b"").await;
    let (id, _, _, _) = line.hear().await;
    assert_eq!(id, ENQUIRE);
    assert!(line.ends().await);
    centre.bound().await;
}

#[actix_web::test]
async fn the_centres_own_requests_are_answered() {
    let centre = Played::start().await;
    let (linked, mut line) = centre.link("").bound_by(&centre).await;
    line.say(ENQUIRE, 0, 71, b"").await;
    assert_eq!(line.hear().await, (ENQUIRE | ANSWER, 0, 71, vec![]));
    line.say(0x0000_0777, 0, 72, b"what").await;
    assert_eq!(line.hear().await, (NACK, 3, 72, vec![]));
    line.say(DELIVER, 0, 73, b"no deliver_sm").await;
    assert_eq!(line.hear().await, (DELIVER | ANSWER, 0x65, 73, vec![0]));
    line.say(0x8000_0777, 0, 74, b"an answer to nothing").await;
    line.say(UNBIND, 0, 75, b"").await;
    assert_eq!(line.hear().await, (UNBIND | ANSWER, 0, 75, vec![]));
    assert_eq!(word(&linked.send("x").await), "route provider.unreachable");
    drop(line);
    centre.bound().await;
    assert!(linked.reports.lock().unwrap().is_empty());
}

#[actix_web::test]
async fn a_frame_of_an_impossible_length_ends_the_link() {
    let centre = Played::start().await;
    let (_linked, mut line) = centre.link("").bound_by(&centre).await;
    line.0.write_all(&[0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 5]).await.unwrap();
    assert!(line.ends().await);
    centre.bound().await;
}

#[actix_web::test]
async fn a_stop_waits_for_answers_and_says_good_bye() {
    let centre = Played::start().await;
    let (linked, mut line) = centre.link("").bound_by(&centre).await;
    let play = async {
        let sequence = line.submit().await;
        linked.stop.send(true).unwrap();
        assert!(timeout(Duration::from_millis(200), line.try_hear()).await.is_err(), "no good-bye yet");
        line.say(SUBMIT | ANSWER, 0, sequence, b"late\0").await;
        let (id, _, sequence, _) = line.hear().await;
        assert_eq!(id, UNBIND);
        line.say(UNBIND | ANSWER, 0, sequence, b"").await;
        assert!(line.ends().await);
    };
    let (outcome, ()) = futures_util::join!(linked.send("x"), play);
    assert_eq!(outcome, accepted("late"));
    linked.ended.await.unwrap();
}

/// A port where TLS ends and everything goes on to `port`.
pub async fn tls_in_front_of(port: u16) -> u16 {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/smpp");
    let certificate = CertificateDer::from_pem_file(folder.join("tls_certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("tls_key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    actix_web::rt::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            actix_web::rt::spawn(async move {
                let Ok(mut inner) = acceptor.accept(stream).await else { return };
                let mut outer = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                drop(copy_bidirectional(&mut inner, &mut outer).await);
            });
        }
    });
    own
}
