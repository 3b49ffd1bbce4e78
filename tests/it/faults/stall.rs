//! A database that goes away, comes back, or only stands still: honest 503s meanwhile, service at once afterwards.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use postern::db::Address;
use serde_json::json;

use super::load::{Load, answers_are_honest, first_served, repeat_what_failed};
use super::{Ask, notice_to, number};
use crate::harness::Backend;
use crate::harness::oracle::Oracle;
use crate::harness::postgres::Postgres;
use crate::harness::process::Server;
use crate::harness::town::Town;
use crate::harness::wait::{meanwhile, pause};

/// The longest an answer may take.
const SOON: Duration = Duration::from_secs(3);

/// Two sends to one read.
fn mixed(n: usize) -> Ask {
    match n % 3 {
        0 => Ask::get(format!("read-{n}"), "/v1/messages?limit=5"),
        _ => Ask::send(format!("stall-{n}"), notice_to(&number(n))),
    }
}

fn load(town: &Town, server: &Server) -> Load {
    Load::start(Rc::new(RefCell::new(town.live(server))), Duration::from_millis(50), mixed)
}

/// Waits until what is asked from now on is served, so that the next fault meets a server that works.
async fn service(load: &Load) {
    let from = Instant::now();
    meanwhile("service", || async { (load.served_since(from) > 5).then_some(()) }).await;
}

/// Everything is as if nothing had been.
async fn close(town: &Town, server: &Server, load: Load, back: &[Instant]) {
    let shots = load.stop().await;
    answers_are_honest(&shots, SOON);
    let waits: Vec<_> = back.iter().map(|from| first_served(&shots, *from)).collect();
    println!("served again after {waits:?}");
    assert!(waits.iter().all(|wait| *wait < Duration::from_secs(2)), "served again after {waits:?}");
    assert!(shots.iter().any(|shot| !shot.is_served()), "no fault was felt");
    let mut oracle = Oracle::default();
    repeat_what_failed(&shots, &town.live(server), &mut oracle).await;
    let messages = oracle.judge_at_rest(town).await;
    let asked = shots.iter().filter(|shot| shot.ask.method == "POST").count();
    assert_eq!((messages.len(), oracle.told()), (asked, asked));
    assert!(messages.iter().all(|message| ["sent", "unknown"].contains(&message.status.as_str())));
}

#[actix_web::test]
async fn a_lock_that_somebody_else_holds_is_waited_for_and_no_longer_than_told() {
    if Backend::server().is_some() {
        // SQLite's own; PostgreSQL has the test below.
        return;
    }
    let town = Town::found().await;
    let server = town.serve().await;
    let load = load(&town, &server);
    let Address::Sqlite(path) = town.backend.settings().address else { panic!("no file") };
    let mut foreign = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let mut back = Vec::new();
    for begin in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        service(&load).await;
        foreign.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        foreign.batch_execute(begin).unwrap();
        // Longer than two waits for the lock: the second begins and fails within it.
        pause(Duration::from_secs(5)).await;
        foreign.batch_execute("ROLLBACK").unwrap();
        back.push(Instant::now());
    }
    service(&load).await;
    close(&town, &server, load, &back).await;
}

#[actix_web::test]
async fn a_postgres_that_crashes_twice_and_stands_still_once_costs_honest_503s_and_nothing_else() {
    if Backend::server().is_none() {
        return;
    }
    let postgres = Postgres::start();
    let town = Town::found_on(Backend::on(&postgres.url()), json!({})).await;
    let server = town.serve().await;
    let load = load(&town, &server);
    let mut back = Vec::new();
    for down in [1, 5] {
        service(&load).await;
        postgres.crash();
        pause(Duration::from_secs(down)).await;
        postgres.resume_service();
        back.push(Instant::now());
    }
    service(&load).await;
    postgres.signal("STOP");
    pause(Duration::from_secs(4)).await;
    postgres.signal("CONT");
    back.push(Instant::now());
    service(&load).await;
    close(&town, &server, load, &back).await;
    drop((server, town));
}
