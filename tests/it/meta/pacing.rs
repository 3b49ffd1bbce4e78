//! Meta's limits: Postern waits where Meta would refuse. The simulator counts by itself and refuses what is over.

use std::time::Duration;

use diesel::prelude::*;
use postern::db::schema::pairs;
use postern::error::Code;
use serde_json::json;

use super::{send_code, text_to};
use crate::harness::meta::{MetaSim, carrier};
use crate::messages::{accepted, message, number, secs, status};

#[actix_web::test]
async fn one_person_is_written_to_at_metas_pace_and_nothing_fails() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    meta.hears_from(&number(1)).await;
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(accepted(&acme.live, text_to(&number(1))).await);
    }
    app.step().await;
    assert_eq!(meta.sent().await.len(), 40, "five of the burst are left to codes");
    let code = send_code(&acme.live, &number(1)).await;
    app.step().await;
    assert_eq!(status(&acme.live, &code).await, "sent", "a code does not wait behind them");
    let other = send_code(&acme.live, &number(2)).await;
    app.step().await;
    assert_eq!(status(&acme.live, &other).await, "sent");
    // The code took a turn of theirs.
    let mut each = Vec::new();
    let mut before = meta.sent().await.len();
    for _ in 0..12 {
        app.advance(secs(6));
        app.step().await;
        let now = meta.sent().await.len();
        each.push(now - before);
        before = now;
    }
    assert_eq!(each, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
    for id in ids {
        let seen = message(&acme.live, &id).await;
        assert_eq!((&seen["status"], &seen["error_code"]), (&json!("sent"), &json!(null)), "none was refused");
    }
}

#[actix_web::test]
async fn a_message_whose_turn_comes_after_its_time_fails_as_what_it_is() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    meta.hears_from(&number(1)).await;
    let mut ids = Vec::new();
    for _ in 0..44 {
        let mut body = text_to(&number(1));
        body["ttl"] = json!("30s");
        ids.push(accepted(&acme.live, body).await);
    }
    // The code goes first, and takes the last one's turn.
    let code = send_code(&acme.live, &number(1)).await;
    app.step().await;
    assert_eq!(status(&acme.live, &code).await, "sent");
    for _ in 0..5 {
        app.advance(secs(6));
        app.step().await;
    }
    let mut ended = std::collections::BTreeMap::new();
    for id in &ids {
        let seen = message(&acme.live, id).await;
        let word = seen["error_code"].as_str().unwrap_or("-").to_owned();
        *ended.entry((seen["status"].as_str().unwrap().to_owned(), word)).or_insert(0) += 1;
    }
    let expected = [(("failed", "whatsapp.pair_limit"), 1), (("sent", "-"), 43)];
    let expected = expected.map(|((status, word), count)| ((status.to_owned(), word.to_owned()), count));
    assert_eq!(ended, expected.into());
}

#[actix_web::test]
async fn a_number_goes_at_its_throughput_and_codes_go_first() {
    let (app, meta) = MetaSim::at_its_pace(|_| {}).await;
    let acme = app.tenant().await;
    for n in 0..100 {
        meta.set("inbound", json!({"from": number(n), "text": "hello"})).await;
    }
    meta.flush().await;
    app.advance(secs(2));
    for n in 0..100 {
        accepted(&acme.live, text_to(&number(n))).await;
    }
    let code = send_code(&acme.live, &number(500)).await;
    app.step().await;
    assert_eq!(status(&acme.live, &code).await, "sent");
    let mut seconds = vec![meta.sent().await.len()];
    for _ in 0..200 {
        app.advance(Duration::from_millis(10));
        app.step().await;
        seconds.push(meta.sent().await.len());
    }
    assert_eq!(seconds.last(), Some(&101));
    assert!((70..=80).contains(&seconds[99]), "in the first second: {}", seconds[99]);
    // Meta raises it, and so does the pace.
    app.app.carriers.note_pace("meta", 1_000);
    meta.set("limits", json!({"per_second": 1_000})).await;
    for n in 0..100 {
        accepted(&acme.live, text_to(&number(n))).await;
    }
    for _ in 0..15 {
        app.advance(Duration::from_millis(10));
        app.step().await;
    }
    assert_eq!(meta.sent().await.len(), 201);
}

#[actix_web::test]
async fn two_processes_keep_one_pace() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let base = meta.base.clone();
    let other = app.another_with(|config| config.carriers.push(carrier(&base))).await;
    other.app.carriers.note_pace("meta", 100_000);
    let acme = app.tenant().await;
    meta.hears_from(&number(1)).await;
    for _ in 0..60 {
        accepted(&acme.live, text_to(&number(1))).await;
    }
    let mut each = Vec::new();
    for _ in 0..6 {
        let (ours, theirs) = (app.step().await, other.step().await);
        each.push(ours + theirs);
        app.advance(secs(6));
    }
    assert_eq!(each, [40, 1, 1, 1, 1, 1]);
    assert_eq!(meta.sent().await.len(), 45);
}

#[actix_web::test]
async fn pairs_that_are_not_ahead_any_more_are_forgotten() {
    let (app, _meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    send_code(&acme.live, &number(1)).await;
    app.step().await;
    let rows = || app.read(|conn| Ok(pairs::table.count().get_result::<i64>(conn)?));
    // One counts what was accepted, one what was handed over.
    assert_eq!(rows().await, 2);
    app.advance(secs(5));
    postern::worker::sweep(&app.app).await.unwrap();
    assert_eq!(rows().await, 2);
    app.advance(secs(1));
    postern::worker::sweep(&app.app).await.unwrap();
    assert_eq!(rows().await, 0);
}

#[actix_web::test]
async fn what_could_never_go_in_its_time_is_refused_with_the_true_wait() {
    let (app, meta) = MetaSim::beside(|_| {}).await;
    let acme = app.tenant().await;
    meta.hears_from(&number(1)).await;
    let mut body = text_to(&number(1));
    body["ttl"] = json!("30s");
    let send = async || acme.live.post("/v1/messages", body.clone()).await;
    // Forty at once, and one every six seconds: the last comes after 24 s.
    for _ in 0..44 {
        send().await.expect(202);
    }
    let refused = send().await.refused(Code::WhatsappPairLimit);
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(refused.json["policy"], "whatsapp.pair");
    // A longer life has time to wait, another recipient has none of it, and a code has its own five.
    accepted(&acme.live, text_to(&number(1))).await;
    meta.hears_from(&number(2)).await;
    accepted(&acme.live, text_to(&number(2))).await;
    assert_eq!(send().await.status, 429);
    let wait: u64 = send().await.header("retry-after").unwrap().parse().unwrap();
    app.advance(secs(wait));
    send().await.expect(202);
}
