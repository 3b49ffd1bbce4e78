//! The fake must be believed before what it says of others is.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::fake_carrier::{FakeCarrier, Script};

const CALL: &str = "POST /send?x=1 HTTP/1.1\r\nHost: h\r\nX-Ref: 7\r\nContent-Length: 9\r\n\r\na=1&b=%2B";

/// Calls, and gives back what came before the connection closed and how it closed.
fn call(carrier: &FakeCarrier) -> (String, Option<std::io::ErrorKind>) {
    let address = carrier.url("").replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    stream.write_all(CALL.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer).err().map(|error| error.kind());
    (String::from_utf8(answer).unwrap(), ended)
}

#[test]
fn it_accepts_and_remembers() {
    let carrier = FakeCarrier::start();
    let (answer, ended) = call(&carrier);
    assert!(answer.starts_with("HTTP/1.1 201 ") && answer.contains("\"sid\":\"SM0"), "{answer}");
    assert_eq!(ended, None);
    let taken = &carrier.hand_offs()[0];
    assert_eq!((taken.method.as_str(), taken.path.as_str()), ("POST", "/send?x=1"));
    assert_eq!((taken.header("x-ref"), taken.form()["b"].as_str()), (Some("7"), "+"));
}

#[test]
fn a_refusal_is_a_call_and_no_hand_off() {
    let carrier = FakeCarrier::start();
    carrier.always(Script::json(400, serde_json::json!({"code": 21211})));
    carrier.next(Script::throttled(7));
    carrier.next(Script::redirect("http://127.0.0.1:1/"));
    assert!(call(&carrier).0.contains("Retry-After: 7\r\n"));
    assert!(call(&carrier).0.contains("Location: http://127.0.0.1:1/\r\n"));
    assert!(call(&carrier).0.ends_with("{\"code\":21211}"));
    assert_eq!((carrier.calls(), carrier.hand_offs().len()), (3, 0));
}

#[test]
fn resets_tell_before_from_after() {
    let carrier = FakeCarrier::start();
    for (script, taken) in [(Script::ResetBefore, 0), (Script::ResetAfter, 1)] {
        carrier.next(script);
        assert_eq!(call(&carrier), (String::new(), Some(std::io::ErrorKind::ConnectionReset)));
        assert_eq!(carrier.hand_offs().len(), taken);
    }
}

#[test]
fn hangs_tell_before_from_after() {
    let carrier = FakeCarrier::start();
    for (script, taken) in [(Script::HangBefore, 0), (Script::HangAfter, 1)] {
        carrier.next(script);
        assert_eq!(call(&carrier), (String::new(), Some(std::io::ErrorKind::WouldBlock)));
        assert_eq!(carrier.hand_offs().len(), taken);
    }
}

#[test]
fn bad_answers_are_bad_and_the_message_is_taken() {
    let carrier = FakeCarrier::start();
    carrier.next(Script::Truncated);
    assert!(call(&carrier).0.ends_with("{\"sid\":\"SM"));
    carrier.next(Script::Huge(100_000));
    assert!(call(&carrier).0.len() > 100_000);
    carrier.next(Script::Drip(Duration::from_millis(1)));
    assert!(call(&carrier).0.ends_with("\"status\":\"queued\"}"));
    carrier.next(Script::After(Duration::from_millis(1), Box::new(Script::Accept)));
    assert!(call(&carrier).0.contains("201"));
    assert_eq!(carrier.hand_offs().len(), 4);
}

#[test]
fn a_body_in_json_or_in_chunks_is_read_whole() {
    let carrier = FakeCarrier::start();
    let mut stream = TcpStream::connect(carrier.url("").replace("http://", "")).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n")
        .unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(carrier.hand_offs()[0].json()["a"], 1);
}
