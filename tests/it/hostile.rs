//! Floods and slow clients: everything ends, in bounded time and space, while others are served.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use postern::error::Code;
use serde_json::json;

use crate::harness::app::TestApp;
use crate::harness::slow;

/// A server that waits a second where the default is several.
async fn hasty() -> TestApp {
    TestApp::start_with(|config| {
        config.server.body_timeout = Duration::from_secs(1);
        config.server.header_timeout = Duration::from_secs(1);
    })
    .await
}

fn connect(base: &str) -> TcpStream {
    let address: SocketAddr = base.trim_start_matches("http://").parse().unwrap();
    let stream = TcpStream::connect(address).unwrap();
    // Far above every time-out under test: only a server that never lets go meets it.
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// The head of a send with a good key, up to the body.
fn head(key: &str, length: &str) -> String {
    format!(
        "POST /v1/messages HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    )
}

/// Everything the server says until it closes, on a thread of its own.
async fn rest(mut stream: TcpStream) -> String {
    let reading = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        // A reset after the answer is as good as a close.
        drop(stream.read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    });
    reading.await.unwrap()
}

async fn secret(app: &TestApp) -> String {
    let org = app.tenant().await.org;
    let path = format!("/v1/admin/orgs/{org}/keys");
    app.operator().post(&path, json!({"name": "k", "mode": "test"})).await.expect(201).text_at("/secret")
}

#[actix_web::test]
async fn a_body_of_a_byte_at_a_time_ends() {
    let app = hasty().await;
    let key = secret(&app).await;
    let mut stream = connect(&app.base);
    stream.write_all(head(&key, "Content-Length: 500").as_bytes()).unwrap();
    slow::drip(stream.try_clone().unwrap());
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
}

#[actix_web::test]
async fn a_body_that_stalls_and_one_without_end_end() {
    let app = hasty().await;
    let key = secret(&app).await;
    let mut stalled = connect(&app.base);
    stalled.write_all(head(&key, "Content-Length: 50").as_bytes()).unwrap();
    stalled.write_all(b"{\"to\":").unwrap();
    assert!(rest(stalled).await.starts_with("HTTP/1.1 408 "));
    let endless = connect(&app.base);
    let mut writing = endless.try_clone().unwrap();
    let head = head(&key, "Transfer-Encoding: chunked");
    std::thread::spawn(move || {
        let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
        let mut next = writing.write_all(head.as_bytes());
        while next.is_ok() {
            next = writing.write_all(chunk.as_bytes());
        }
    });
    let answer = rest(endless).await;
    // The peer may reset before the answer is read; what matters is that it let go.
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[actix_web::test]
async fn what_is_too_large_too_deep_or_too_many_is_told_so() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let send = async |body: Vec<u8>| acme.test.send("POST", "/v1/messages", "application/json", body).await;
    send(vec![b' '; (1 << 20) + 1]).await.refused(Code::PayloadTooLarge);
    let deep = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    send(deep(129)).await.refused(Code::MalformedRequest);
    send(deep(100_000)).await.refused(Code::MalformedRequest);
    send(format!("[{}0]", "0,".repeat(100_001)).into_bytes()).await.refused(Code::MalformedRequest);
    send(format!("{{\"to\":{}}}", "9".repeat(900_000)).into_bytes()).await.refused(Code::MalformedRequest);
    send(br#"{"to":"+447400123456","to":"+447400123457","body":"x"}"#.to_vec()).await.refused(Code::MalformedRequest);
    let many = json!({"messages": vec![json!({}); 10_001]}).to_string().into_bytes();
    acme.test.send("POST", "/v1/messages/bulk", "application/json", many).await.refused(Code::BatchTooLargeForPlan);
    acme.test.get("/v1/messages?limit=1000000000").await.refused(Code::ValidationFailed);
    acme.test.send("POST", "/v1/messages", "text/plain", b"{}".to_vec()).await.refused(Code::UnsupportedMediaType);
    acme.test.get("/v1/account").await.expect(200);
}

/// What the connection answers before there is a request: actix-http writes it and offers no way to write it otherwise.
/// The page about limits (`templates/docs/limits.html`) says so.
#[actix_web::test]
async fn a_head_that_is_no_request_is_answered_with_a_bare_status_and_the_connection_ends() {
    let app = TestApp::start().await;
    let many: String = (0..97).map(|n| format!("X-H{n}: x\r\n")).collect();
    // As much as the connection reads before it gives up, and nothing after it: what is left unread would reset it.
    let start = "GET /v1/account HTTP/1.1\r\nHost: h\r\nX-Long: ";
    let long = format!("{start}{}", "x".repeat(131_072 - start.len()));
    for (what, status) in [
        (
            format!("GET /v1/account HTTP/1.1\r\nHost: h\r\n{many}\r\n").into_bytes(),
            "431 Request Header Fields Too Large",
        ),
        (long.into_bytes(), "431 Request Header Fields Too Large"),
        (format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(70_000)).into_bytes(), "400 Bad Request"),
        (b"GET /v1/account HTTP/1.1\r\nHost: h\r\nX-A: a\x01b\r\n\r\n".to_vec(), "400 Bad Request"),
        (b"\0\0\0\0\r\n\r\n".to_vec(), "400 Bad Request"),
    ] {
        let mut stream = connect(&app.base);
        stream.write_all(&what).unwrap();
        assert_bare(&rest(stream).await, status);
    }
}

#[actix_web::test]
async fn slow_headers_end() {
    let app = hasty().await;
    let mut stream = connect(&app.base);
    stream.write_all(b"GET /v1/account HTTP/1.1\r\nX-Slow: ").unwrap();
    assert_bare(&rest(stream).await, "408 Request Timeout");
}

/// A status line, a length of nought and a date: no request id, no body. That `rest` has ended says that the server has
/// closed the connection.
fn assert_bare(answer: &str, status: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{status}: {answer:?}"));
    let mut lines = head.split("\r\n");
    assert_eq!((lines.next(), body), (Some(format!("HTTP/1.1 {status}").as_str()), ""), "{answer}");
    let mut names: Vec<&str> = lines.filter_map(|line| line.split(':').next()).collect();
    names.sort_unstable();
    names.retain(|name| *name != "connection");
    assert_eq!(names, ["content-length", "date"], "{answer}");
}

#[actix_web::test]
async fn a_good_client_is_served_among_five_hundred_slow_ones() {
    let app = TestApp::start().await;
    let key = secret(&app).await;
    let acme = app.tenant().await;
    let mut held = Vec::new();
    for n in 0..500 {
        let mut stream = connect(&app.base);
        let begun = match n % 3 {
            0 => String::new(),
            1 => "GET /v1/account HTTP/1.1\r\nX-Slow: ".to_owned(),
            _ => head(&key, "Content-Length: 100"),
        };
        stream.write_all(begun.as_bytes()).unwrap();
        held.push(stream);
    }
    for n in 0..20 {
        let body = json!({"to": format!("+4474001230{n:02}"), "body": "x"});
        acme.test.post("/v1/messages", body).await.expect(202);
    }
    drop(held);
    acme.test.get("/v1/account").await.expect(200);
}

#[actix_web::test]
async fn strange_requests_are_never_a_fault_of_ours() {
    let app = TestApp::start().await;
    let corpus: [&[u8]; 12] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /v1/account HTTP/9.9\r\nHost: h\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
        b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        b"GET http://evil.example/v1/account HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"TRACE /v1/account HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"GET /v1/%ff%fe/%00 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        b"GET /v1/messages?%=%&&=& HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ];
    for request in corpus {
        let mut stream = connect(&app.base);
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = rest(stream).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(!line.contains(" 500 ") && !line.contains(" 2"), "{:?}: {answer}", String::from_utf8_lossy(request));
    }
}
