//! The frame around real handlers, in process and over real sockets.

use std::time::Duration;

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, read_body, try_call_service};
use actix_web::{App, HttpResponse, HttpServer, web};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::body::{Body, OptionalBody};
use super::fault::no_such_route;
use super::frame::frame;
use super::query::Id;
use super::request_id::RequestId;
use super::settings::{MaxBody, Settings};
use crate::error::{Code, Error, Result};
use crate::ids::MessageId;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {}

async fn send(body: Body<Send>) -> HttpResponse {
    HttpResponse::Accepted()
        .json(serde_json::json!({"to": body.value.to, "key": body.key.map(|k| k.as_str().to_owned())}))
}

async fn cancel(_: Id<MessageId>, _: OptionalBody<Cancel>, id: RequestId) -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"request_id": id.to_string()}))
}

async fn fall_over() -> HttpResponse {
    panic!("with the number +14155550123");
}

async fn fail() -> Result<HttpResponse> {
    Err(Error::internal("UNIQUE constraint failed: messages.id"))
}

async fn wait() -> Result<HttpResponse> {
    Err(Error::new(Code::OtpNumberLimit).retry_after(Duration::from_millis(136_001)))
}

async fn not_ready() -> HttpResponse {
    HttpResponse::ServiceUnavailable().json(serde_json::json!({"status": "draining"}))
}

fn routes(config: &mut web::ServiceConfig) {
    let settings = Settings { body_timeout: Duration::from_millis(300), max_body_bytes: 1000, ..Settings::default() };
    config
        .app_data(web::Data::new(settings))
        .service(web::resource("/v1/messages").post(send))
        .service(web::resource("/v1/messages/{id}/cancel").post(cancel))
        .service(web::resource("/v1/small").app_data(MaxBody(10)).post(send))
        .service(web::resource("/simcoal/send").post(send))
        .service(web::resource("/panic").get(fall_over))
        .service(web::resource("/fail").get(fail))
        .service(web::resource("/wait").get(wait))
        .service(web::resource("/readyz").get(not_ready))
        .default_service(web::to(no_such_route));
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// What a client sees, also where the answer travelled as an error.
async fn call(req: TestRequest) -> Answer {
    let app = init_service(App::new().configure(routes).wrap(from_fn(frame))).await;
    let response = match try_call_service(&app, req.to_request()).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => ServiceResponse::new(TestRequest::default().to_http_request(), error.error_response()),
    };
    let text = |value: &actix_web::http::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: serde_json::from_slice(&read_body(response).await).unwrap_or_default(),
    }
}

fn post(uri: &str, body: &'static str) -> TestRequest {
    TestRequest::post().uri(uri).insert_header(("content-type", "application/json")).set_payload(body)
}

#[actix_web::test]
async fn a_success_carries_an_id_and_is_not_cached() {
    let answer = call(post("/v1/messages", r#"{"to":"x","idempotency_key":"k-1"}"#)).await;
    assert_eq!((answer.status, &answer.body["key"]), (202, &Value::from("k-1")));
    assert_eq!(answer.header("x-request-id").len(), 36);
    assert_eq!((answer.header("cache-control"), answer.header("x-content-type-options")), ("no-store", "nosniff"));
}

#[actix_web::test]
async fn a_body_may_be_left_out_where_the_route_says_so() {
    let uri = "/v1/messages/msg_01h455vb4pex5vsknk084sn02q/cancel";
    let answer = call(TestRequest::post().uri(uri)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["request_id"], answer.header("x-request-id"));
    assert_eq!(call(post(uri, r#"{"reason":1}"#)).await.code(), "validation_failed");
    assert_eq!(call(TestRequest::post().uri("/v1/messages/42/cancel")).await.code(), "not_found");
}

#[actix_web::test]
async fn every_error_is_a_problem_with_the_id_of_its_request() {
    let cases = [
        (post("/v1/messages", r#"{"to":1}"#), 400, "validation_failed"),
        (post("/v1/messages", "{"), 400, "malformed_request"),
        (post("/v1/messages", "{}").insert_header(("content-type", "text/plain")), 415, "unsupported_media_type"),
        (post("/v1/messages", "{}").insert_header(("content-encoding", "gzip")), 415, "unsupported_media_type"),
        (post("/v1/small", r#"{"to":"12345"}"#), 413, "payload_too_large"),
        (TestRequest::get().uri("/nowhere"), 404, "not_found"),
        (TestRequest::get().uri("/v1/messages"), 405, "method_not_allowed"),
        (TestRequest::get().uri("/wait"), 429, "otp.number_limit"),
        (TestRequest::get().uri("/fail"), 500, "internal"),
        (TestRequest::get().uri("/panic"), 500, "internal"),
    ];
    for (req, status, code) in cases {
        let answer = call(req.insert_header(("host", "otp.example.com"))).await;
        assert_eq!((answer.status, answer.code()), (status, code));
        assert_eq!(answer.header("content-type"), "application/problem+json", "{code}");
        assert_eq!(answer.body["type"], format!("http://otp.example.com/docs/errors#{code}"));
        assert_eq!(answer.body["request_id"], answer.header("x-request-id"), "{code}");
        assert_eq!(answer.header("x-request-id").len(), 36, "{code}");
    }
}

#[actix_web::test]
async fn an_error_keeps_what_http_wants_beside_the_body() {
    assert_eq!(call(TestRequest::get().uri("/v1/messages")).await.header("allow"), "POST");
    let wait = call(TestRequest::get().uri("/wait")).await;
    assert_eq!((wait.header("retry-after"), &wait.body["retry_after"]), ("137", &Value::from(137)));
}

#[actix_web::test]
async fn no_cause_and_no_panic_text_reaches_a_client() {
    for uri in ["/fail", "/panic"] {
        let answer = call(TestRequest::get().uri(uri)).await;
        let text = answer.body.to_string();
        assert!(!text.contains("UNIQUE") && !text.contains("4155"), "{text}");
        assert_eq!(answer.body["detail"], Code::Internal.entry().sentence);
    }
}

#[actix_web::test]
async fn the_coals_route_speaks_its_dialect() {
    let answer = call(post("/simcoal/send", "{}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/json"));
    let want =
        serde_json::json!({"success": false, "error": {"code": "VALIDATION_ERROR", "message": "to is required"}});
    assert_eq!(answer.body, want);
}

#[actix_web::test]
async fn an_answer_with_a_body_of_its_own_is_left_alone() {
    let answer = call(TestRequest::get().uri("/readyz")).await;
    assert_eq!((answer.status, &answer.body["status"]), (503, &Value::from("draining")));
}

#[actix_web::test]
async fn a_hosts_name_is_not_believed_blindly() {
    let answer = call(TestRequest::get().uri("/nowhere").insert_header(("host", "a\"b/c"))).await;
    assert_eq!(answer.body["type"], "/docs/errors#not_found");
}

/// A server on a free port; it ends with the test's runtime.
async fn serve() -> std::net::SocketAddr {
    let server = HttpServer::new(|| App::new().configure(routes).wrap(from_fn(frame)))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

/// Reads until the server closes; the test's own time-out would be the failure of a server that does not.
async fn to_the_end(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut bytes)).await.expect("still open");
    String::from_utf8_lossy(&bytes).into_owned()
}

const HEAD: &str = "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

#[actix_web::test]
async fn a_body_that_drips_or_stalls_is_ended_with_408() {
    let address = serve().await;
    let mut stalled = TcpStream::connect(address).await.unwrap();
    stalled.write_all(format!("{HEAD}content-length: 500\r\n\r\n{{").as_bytes()).await.unwrap();
    let answer = to_the_end(&mut stalled).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    writer.write_all(format!("{HEAD}content-length: 500\r\n\r\n").as_bytes()).await.unwrap();
    let drip = actix_web::rt::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await
        }
    });
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), reader.read_to_end(&mut bytes)).await.expect("still open");
    assert!(bytes.starts_with(b"HTTP/1.1 408"));
    drip.abort();
}

#[actix_web::test]
async fn a_body_too_large_is_refused_announced_or_not() {
    let address = serve().await;
    let mut announced = TcpStream::connect(address).await.unwrap();
    announced.write_all(format!("{HEAD}content-length: 1073741824\r\n\r\n").as_bytes()).await.unwrap();
    let answer = to_the_end(&mut announced).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("at most 1000 bytes"), "{answer}");
    let mut chunked = TcpStream::connect(address).await.unwrap();
    let chunk = format!("{HEAD}transfer-encoding: chunked\r\n\r\n7d0\r\n{}\r\n", "x".repeat(2000));
    chunked.write_all(chunk.as_bytes()).await.unwrap();
    let answer = to_the_end(&mut chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[actix_web::test]
async fn an_endless_body_that_nobody_reads_does_not_keep_its_connection() {
    let address = serve().await;
    for (uri, status) in [("/nowhere", 404), ("/readyz", 503), ("/panic", 500)] {
        let mut endless = TcpStream::connect(address).await.unwrap();
        let head = format!("GET {uri} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n");
        endless.write_all(head.as_bytes()).await.unwrap();
        let answer = to_the_end(&mut endless).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[actix_web::test]
async fn a_refusal_of_a_whole_request_keeps_the_connection() {
    let mut socket = TcpStream::connect(serve().await).await.unwrap();
    let head = HEAD.replace("/v1/messages", "/nowhere");
    socket.write_all(format!("{head}content-length: 2\r\n\r\n{{}}").as_bytes()).await.unwrap();
    let mut first = vec![0; 4096];
    let read = socket.read(&mut first).await.unwrap();
    assert!(String::from_utf8_lossy(&first[..read]).starts_with("HTTP/1.1 404"));
    socket.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(to_the_end(&mut socket).await.starts_with("HTTP/1.1 503"));
}

#[actix_web::test]
async fn a_panic_is_answered_and_the_worker_lives() {
    let address = serve().await;
    for _ in 0..3 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(b"GET /panic HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let answer = to_the_end(&mut socket).await;
        assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("x-request-id: "), "{answer}");
    }
    assert_eq!(call(TestRequest::get().uri("/nowhere")).await.status, StatusCode::NOT_FOUND.as_u16());
}
