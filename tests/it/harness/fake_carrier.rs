//! A carrier on a real socket that does what it is told: takes, refuses, hangs, resets, lies.
//!
//! ```ignore
//! let carrier = FakeCarrier::start();
//! carrier.next(Script::HangAfter);               // the first call; later ones are accepted
//! … configure a carrier at carrier.url("/send") …
//! assert_eq!(carrier.hand_offs().len(), 1);      // what it took, in order
//! ```

use std::collections::VecDeque;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::http_wire::{self, Request};

/// A request that the carrier took, and may act on.
pub type HandOff = Request;

/// What the carrier does with one call.
#[derive(Debug, Clone)]
pub enum Script {
    /// 201 with a fresh `sid` and `id`, in the shape Twilio uses; the default.
    Accept,
    /// This status, these headers, this body. A hand-off only if the status is 2xx.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The other script, after a wait.
    After(Duration, Box<Script>),
    /// Connected, but nothing is ever read: it certainly did not take the message.
    HangBefore,
    /// Took the message and never answers.
    HangAfter,
    /// Closes with a reset before reading the request.
    ResetBefore,
    /// Took the message, then closes with a reset before answering.
    ResetAfter,
    /// Took the message; a 200 whose body ends before its announced length.
    Truncated,
    /// Took the message; a 200 with this many bytes of JSON text.
    Huge(usize),
    /// Took the message; a 200 whose body comes a byte at a time with this pause.
    Drip(Duration),
}

impl Script {
    /// A JSON answer.
    pub fn json(status: u16, body: serde_json::Value) -> Script {
        Script::Answer(status, vec![("Content-Type", "application/json".into())], body.to_string().into_bytes())
    }

    /// 429 with Retry-After.
    pub fn throttled(wait_s: u64) -> Script {
        Script::Answer(429, vec![("Retry-After", wait_s.to_string())], Vec::new())
    }

    /// A redirect that must not be followed.
    pub fn redirect(to: &str) -> Script {
        Script::Answer(307, vec![("Location", to.to_owned())], Vec::new())
    }

    fn takes(&self) -> bool {
        match self {
            Script::Answer(status, ..) => (200..300).contains(status),
            Script::After(_, then) => then.takes(),
            Script::HangBefore | Script::ResetBefore => false,
            _ => true,
        }
    }
}

/// The carrier; its threads end with the test's process, its socket when dropped.
pub struct FakeCarrier {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Script>>,
    always: Mutex<Option<Script>>,
    taken: Mutex<Vec<HandOff>>,
    calls: AtomicUsize,
    closed: AtomicBool,
}

impl FakeCarrier {
    /// Listens on a free port of the loopback and accepts everything until told otherwise.
    pub fn start() -> FakeCarrier {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let inner = shared.clone();
        std::thread::spawn(move || listen(&listener, &inner));
        FakeCarrier { address, shared }
    }

    /// `http://127.0.0.1:PORT` and the path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What it does with the next call that has no script yet.
    pub fn next(&self, script: Script) {
        self.shared.script.lock().unwrap().push_back(script);
    }

    /// What it does with every call that has no script of its own.
    pub fn always(&self, script: Script) {
        *self.shared.always.lock().unwrap() = Some(script);
    }

    /// The messages it took, in order.
    pub fn hand_offs(&self) -> Vec<HandOff> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// How often it was called, taken or not.
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Drop for FakeCarrier {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.closed.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(stream), shared) = (stream, shared.clone()) else { continue };
        // The script is drawn here, so that calls get theirs in the order they came.
        let number = shared.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let script = shared.script.lock().unwrap().pop_front();
        let script = script.or_else(|| shared.always.lock().unwrap().clone()).unwrap_or(Script::Accept);
        std::thread::spawn(move || serve(stream, &script, number, &shared));
    }
}

fn serve(mut stream: TcpStream, script: &Script, number: usize, shared: &Shared) {
    match script {
        Script::HangBefore => return park(&stream),
        Script::ResetBefore => return http_wire::wait_for_a_byte(&stream),
        _ => {}
    }
    let spare = usize::from(matches!(script, Script::ResetAfter));
    let Some(request) = http_wire::read_request(&stream, spare) else { return };
    if script.takes() {
        shared.taken.lock().unwrap().push(request);
    }
    // The peer may be gone by now, which is its right.
    drop(answer(&mut stream, script, number));
}

fn answer(stream: &mut TcpStream, script: &Script, number: usize) -> std::io::Result<()> {
    match script {
        Script::Accept => accept(stream, number),
        Script::Answer(status, headers, body) => whole(stream, *status, headers, body),
        Script::After(wait, then) => {
            std::thread::sleep(*wait);
            answer(stream, then, number)
        }
        Script::HangBefore | Script::HangAfter => {
            http_wire::drain(stream);
            Ok(())
        }
        Script::ResetBefore | Script::ResetAfter => {
            http_wire::wait_for_a_byte(stream);
            Ok(())
        }
        Script::Truncated => {
            let head = http_wire::head(200, &[("Content-Length", "500".into())]);
            stream.write_all(format!("{head}{{\"sid\":\"SM").as_bytes())
        }
        Script::Huge(bytes) => whole(stream, 200, &[], format!("{{\"sid\":\"{}\"}}", "x".repeat(*bytes)).as_bytes()),
        Script::Drip(pause) => drip(stream, *pause),
    }
}

fn accept(stream: &mut TcpStream, number: usize) -> std::io::Result<()> {
    let id = format!("SM{number:032x}");
    let body = serde_json::json!({"sid": id, "id": id, "status": "queued", "error_code": null});
    whole(stream, 201, &[("Content-Type", "application/json".into())], body.to_string().as_bytes())
}

fn whole(stream: &mut TcpStream, status: u16, extra: &[(&str, String)], body: &[u8]) -> std::io::Result<()> {
    let mut headers = extra.to_vec();
    headers.push(("Content-Length", body.len().to_string()));
    stream.write_all(http_wire::head(status, &headers).as_bytes())?;
    stream.write_all(body)
}

fn drip(stream: &mut TcpStream, pause: Duration) -> std::io::Result<()> {
    let body = br#"{"sid":"SMdrip","status":"queued"}"#;
    stream.write_all(http_wire::head(200, &[("Content-Length", body.len().to_string())]).as_bytes())?;
    for byte in body {
        stream.write_all(&[*byte])?;
        std::thread::sleep(pause);
    }
    Ok(())
}

/// Holds the connection without reading until the peer gives up.
fn park(stream: &TcpStream) {
    // Peeking twice would return at once; a closed peer shows as an error on the next write, so wait in small steps.
    while stream.take_error().is_ok_and(|error| error.is_none()) && !is_closed(stream) {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn is_closed(stream: &TcpStream) -> bool {
    stream.peek(&mut [0]).is_ok_and(|read| read == 0)
}
