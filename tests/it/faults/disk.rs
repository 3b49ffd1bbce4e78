//! A full disk: an operator is warned before, clients are told honestly, and service comes back with the room.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use postern::error::Code;
use serde_json::{Value, json};

use super::load::{Load, answers_are_honest, repeat_what_failed};
use super::{Ask, notice_to, number};
use crate::harness::Backend;
use crate::harness::actor::Actor;
use crate::harness::oracle::Oracle;
use crate::harness::tmpfs::Tmpfs;
use crate::harness::town::Town;
use crate::harness::wait::meanwhile;

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = diesel::sql_types::Text)]
    integrity_check: String,
}

/// Singles, and bulks that have a size to be torn at.
fn filling(n: usize) -> Ask {
    match n % 3 {
        0 => {
            let messages: Vec<Value> = (0..40).map(|i| notice_to(&number(10_000 + n * 40 + i))).collect();
            Ask::bulk(format!("bulk-{n}"), &messages)
        }
        _ => Ask::send(format!("single-{n}"), notice_to(&number(n))),
    }
}

#[actix_web::test]
async fn a_full_disk_is_told_of_and_survived() {
    if Backend::server().is_some() {
        // PostgreSQL's disk is its own affair; what it says of a full one is turned by the same words.
        return;
    }
    let Some(disk) = Tmpfs::of_mib(24) else { return };
    let town = Town::found_on(Backend::sqlite_in(&disk.folder), json!({})).await;
    let mut server = town.serve_with(&[("POSTERN_METRICS_BIND", "127.0.0.1:0")]).await;
    let probe = Actor::anonymous(&server.base);
    assert_eq!(probe.get("/readyz").await.json["checks"]["disk"], "ok");

    // Less than a tenth is left: the operator hears of it while everything still works.
    disk.fill_up_to(2 << 20);
    let live = town.live(&server);
    live.post("/v1/messages", notice_to(&number(1))).await.expect(202);
    assert_eq!(probe.get("/readyz").await.expect(200).json["checks"]["disk"], "low");
    meanwhile("the warning", || async { server.said().contains("the disk is nearly full").then_some(()) }).await;
    let metrics = Actor::anonymous(&server.metrics());
    let told = metrics.get("/metrics").await.expect(200).text;
    assert!(told.lines().any(|line| line.starts_with("postern_disk_free_bytes ")), "{told}");

    let full = Rc::new(Cell::new(0));
    let load = Load::start(Rc::new(RefCell::new(live.clone())), Duration::from_millis(20), filling);
    meanwhile("a full disk", || async {
        let reply = live.attempt("POST", "/v1/messages", Some(notice_to(&number(2)))).await.unwrap();
        full.set(full.get() + usize::from(reply.json["code"] == Code::StorageFull.as_str()));
        (full.get() > 5).then_some(())
    })
    .await;
    assert!(server.exit().is_none(), "it lives");
    live.get("/v1/messages?limit=5").await.expect(200);
    probe.get("/healthz").await.expect(200);
    disk.free();
    let freed = Instant::now();
    meanwhile("service", || async { (load.served_since(freed) > 10).then_some(()) }).await;
    let shots = load.stop().await;
    answers_are_honest(&shots, Duration::from_secs(3));
    let refused = shots.iter().filter(|shot| !shot.is_served()).count();
    assert!(refused > 0, "no client of the load met the full disk");

    let mut oracle = Oracle::default();
    repeat_what_failed(&shots, &live, &mut oracle).await;
    let messages = oracle.judge_at_rest(&town).await;
    let of_load = |message: &&crate::harness::oracle::Kept| ![number(1), number(2)].contains(&message.recipient);
    let wanted: usize = shots.iter().map(|shot| if shot.ask.key.starts_with("bulk") { 40 } else { 1 }).sum();
    let doubles = shots.iter().filter(|shot| ["single-1", "single-2"].contains(&shot.ask.key.as_str())).count();
    assert_eq!(messages.iter().filter(of_load).count(), wanted - doubles, "no bulk is torn");
    assert_eq!(probe.get("/readyz").await.json["checks"]["disk"], "ok");
    server.kill();
    let path = disk.folder.join("postern.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let found: Word = diesel::sql_query("PRAGMA integrity_check").get_result(&mut conn).unwrap();
    assert_eq!(found.integrity_check, "ok");
}
