//! A code is where a person reads it, and nowhere else: not in the database, an answer, an error or a log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use postern::db::{Address, Conn};
use serde_json::json;

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Everything that this process logs from now on, at the most talkative level.
fn listen() -> Log {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // Under a runner with one process for all tests another one may have been first; the database still counts then.
    drop(tracing::subscriber::set_global_default(subscriber));
    log
}

#[actix_web::test]
async fn a_code_is_on_the_wire_to_the_carrier_and_nowhere_else() {
    let log = listen();
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let mut said = Vec::new();
    let keyed = tenant.live.with_header("Idempotency-Key", "once");
    let made = start(&keyed, json!({"code_length": 10, "web_origin": "example.com"})).await.expect(201);
    let id = made.text_at("/id");
    app.step().await;
    let handed_over = app.acme.hand_offs()[0].json()["text"].as_str().unwrap().to_owned();
    let code = code_in(&handed_over);
    assert!(code.len() == 10 && handed_over.ends_with(&format!("@example.com #{code}")));
    said.push(check(&keyed.with_header("Idempotency-Key", "twice"), &id, &wrong(&code)).await.text);
    said.push(check(&tenant.live, &id, &format!("x{code}")).await.text);
    said.push(tenant.live.post(&format!("/v1/verifications/{id}/check"), json!({"code": code, "x": code})).await.text);
    said.push(tenant.live.post(&format!("/v1/verifications/{id}/resend"), json!({})).await.text);
    app.step().await;
    said.push(check(&tenant.live, &id, &code).await.expect(200).text);
    said.push(check(&tenant.live, &id, &code).await.text);
    said.push(tenant.live.get("/v1/verifications").await.text);
    let message = made.text_at("/sends/0/message_id");
    said.push(tenant.live.get(&format!("/v1/messages/{message}")).await.expect(200).text);
    said.push(tenant.live.get(&format!("/v1/messages/{message}/events")).await.expect(200).text);
    said.push(made.text);
    assert!(said.iter().all(|text| !text.contains(&code)), "an answer tells the code");
    let stored = everything_stored(&app).await;
    assert!(contains(&stored, id.as_bytes()), "the search does find what is there");
    assert!(!contains(&stored, code.as_bytes()), "the database holds the code");
    let hex: String = code.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert!(!contains(&stored, hex.as_bytes()), "the database holds the code in hexadecimal");
    let logged = log.0.lock().unwrap().clone();
    assert!(!contains(&logged, code.as_bytes()), "the log holds the code");
    assert!(!contains(&logged, NUMBER.as_bytes()), "the log holds the number");
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// The files of SQLite, write-ahead log and all; every row of every table on PostgreSQL.
async fn everything_stored(app: &TestApp) -> Vec<u8> {
    let address = Address::parse(&app.url()).unwrap();
    match address {
        Address::Sqlite(path) => {
            let beside = |suffix: &str| std::fs::read(format!("{}{suffix}", path.display())).unwrap_or_default();
            [beside(""), beside("-wal")].concat()
        }
        Address::Postgres(_) => app.read(|conn| Ok(every_row(conn)?)).await.into_bytes(),
    }
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

fn every_row(conn: &mut Conn) -> diesel::QueryResult<String> {
    use diesel::RunQueryDsl;
    let Conn::Pg(c) = conn else { return Ok(String::new()) };
    let tables = "SELECT tablename::text AS line FROM pg_tables WHERE schemaname = 'public'";
    let tables: Vec<Line> = diesel::sql_query(tables).load(c)?;
    let mut all = String::new();
    for table in tables {
        let rows: Vec<Line> = diesel::sql_query(format!("SELECT t::text AS line FROM {} t", table.line)).load(c)?;
        rows.iter().for_each(|row| all.push_str(&row.line));
    }
    Ok(all)
}

#[actix_web::test]
async fn a_live_code_is_hidden_in_the_inbox_that_shows_a_test_code() {
    let app = TestApp::start().await;
    app.route(&[("sms", "sandbox", 1), ("email", "sandbox", 1)]).await;
    let tenant = app.tenant().await;
    for caller in [&tenant.live, &tenant.test] {
        start(caller, json!({})).await.expect(201);
        let mail =
            json!({"to": "ann@example.com", "channel": "email", "subject": "481516 is it", "body": "It is 481516"});
        caller.post("/v1/messages", mail).await.expect(202);
    }
    app.step().await;
    let inbox = async |caller: &Actor| caller.get("/v1/sandbox/messages").await.expect(200);
    let (live, test) = (inbox(&tenant.live).await, inbox(&tenant.test).await);
    assert_eq!((live.json["data"].as_array().unwrap().len(), test.json["data"].as_array().unwrap().len()), (2, 2));
    for row in live.json["data"].as_array().unwrap() {
        let shown = format!("{}{}", row["body"], row["subject"]);
        assert!(!shown.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() >= 4), "{shown}");
    }
    assert!(test.text.contains("481516"), "{}", test.text);
    code_in(&test.text);
}
