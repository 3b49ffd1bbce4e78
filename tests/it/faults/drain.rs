//! SIGTERM and SIGINT: nobody who looks where he goes is turned away, and what is under way ends.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{Ask, notice_to, number};
use crate::harness::actor::Actor;
use crate::harness::fake_carrier::Script;
use crate::harness::oracle::{Oracle, count};
use crate::harness::process::Server;
use crate::harness::town::Town;
use crate::harness::wait::pause;

/// A client on a connection of its own for every request, until a probe of readiness says no; its requests and how
/// they were answered.
async fn client(caller: Actor, mine: usize, stop: Rc<Cell<bool>>) -> Vec<(Ask, Option<crate::harness::actor::Reply>)> {
    let mut told = Vec::new();
    while !stop.get() {
        let n = mine * 1_000 + told.len();
        let ask = Ask::send(format!("drain-{n}"), notice_to(&number(n)));
        let reply = ask.once(&caller.afresh()).await;
        told.push((ask, reply));
    }
    told
}

/// Asks for readiness on new connections; when it first said no, and that it could be asked until the door closed.
async fn probe(base: String, stop: Rc<Cell<bool>>) -> (Instant, Instant) {
    let mut first_no = None;
    loop {
        let asked = Instant::now();
        match (Actor::anonymous(&base).attempt("GET", "/readyz", None).await, first_no) {
            (Ok(reply), None) if reply.status == 503 => {
                first_no = Some(asked);
                stop.set(true);
            }
            (Ok(_), _) => {}
            (Err(_), Some(no)) => return (no, Instant::now()),
            (Err(fault), None) => panic!("the door closed before readiness said no: {fault}"),
        }
        pause(Duration::from_millis(10)).await;
    }
}

async fn drained(signal: &str) {
    let town = Town::found().await;
    town.acme.always(Script::After(Duration::from_millis(300), Box::new(Script::Accept)));
    let delay = ("POSTERN_SERVER_DRAIN_DELAY", "2s");
    let mut server = town.serve_with(&[delay, ("POSTERN_SERVER_SHUTDOWN_TIMEOUT", "5s")]).await;
    let stop = Rc::new(Cell::new(false));
    let caller = town.live(&server);
    let clients: Vec<_> = (0..6).map(|mine| actix_web::rt::spawn(client(caller.clone(), mine, stop.clone()))).collect();
    let probing = actix_web::rt::spawn(probe(server.base.clone(), stop.clone()));
    pause(Duration::from_millis(400)).await;
    let signaled = Instant::now();
    server.signal(signal);
    let (first_no, closed) = probing.await.unwrap();
    assert!(first_no - signaled < Duration::from_millis(1_000), "{signal}: no after {:?}", first_no - signaled);
    let open = closed - signaled;
    assert!(open >= Duration::from_millis(1_900), "{signal}: the door closed after {open:?}");
    let mut oracle = Oracle::default();
    for client in clients {
        for (ask, reply) in client.await.unwrap() {
            let reply = reply.unwrap_or_else(|| panic!("{signal}: {} was refused or cut off", ask.key));
            oracle.note(&reply.expect(202));
        }
    }
    assert_eq!(server.end().await, 0, "{signal}");
    assert!(signaled.elapsed() < Duration::from_secs(8), "{signal}: ended after {:?}", signaled.elapsed());
    // Nothing was in hand at the end: what had not gone is still queued, and goes from the next process.
    let left = oracle.judge(&town, signal).await;
    assert_eq!(count(&left, "sending"), 0, "{signal}");
    let _next = town.serve().await;
    let messages = oracle.judge_at_rest(&town).await;
    assert_eq!(count(&messages, "sent"), messages.len(), "{signal}");
}

#[actix_web::test]
async fn a_client_that_looks_at_readiness_meets_no_closed_door_on_sigterm_or_sigint() {
    tokio::join!(drained("TERM"), drained("INT"));
}

#[actix_web::test]
async fn a_second_signal_ends_it_at_once() {
    let town = Town::found().await;
    for signals in [["TERM", "TERM"], ["INT", "TERM"]] {
        let mut server: Server = town.serve_with(&[("POSTERN_SERVER_DRAIN_DELAY", "60s")]).await;
        server.signal(signals[0]);
        let probe = Actor::anonymous(&server.base);
        while probe.get("/readyz").await.status != 503 {}
        server.signal(signals[1]);
        let from = Instant::now();
        assert_eq!(server.end().await, 1);
        assert!(from.elapsed() < Duration::from_secs(2), "{:?}", from.elapsed());
    }
}

#[actix_web::test]
async fn a_hand_off_that_hangs_holds_the_end_up_no_longer_than_allowed_and_is_unknown() {
    let town = Town::found().await;
    town.acme.always(Script::HangAfter);
    let times = [("POSTERN_SERVER_SHUTDOWN_TIMEOUT", "1s"), ("POSTERN_OUTBOUND_TOTAL_TIMEOUT", "4s")];
    let mut server = town.serve_with(&times).await;
    let mut oracle = Oracle::default();
    Ask::send("hang", notice_to(&number(1))).until_accepted(&town.live(&server), &mut oracle).await;
    crate::harness::wait::meanwhile("the hand-off", || async { town.acme.hand_offs().pop() }).await;
    server.signal("TERM");
    let from = Instant::now();
    assert_eq!(server.end().await, 0);
    assert!(from.elapsed() < Duration::from_secs(3), "{:?}", from.elapsed());
    town.acme.always(Script::Accept);
    let _next = town.serve().await;
    let messages = oracle.judge_at_rest(&town).await;
    assert_eq!(count(&messages, "unknown"), 1);
}
