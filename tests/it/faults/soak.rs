//! A mixed load with one fault in its middle, in short form: nothing but the fault is felt, and nothing grows.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::dice::Dice;
use super::load::{Load, Shot, quantile, repeat_what_failed};
use super::{Ask, notice_to, number};
use crate::harness::fake_carrier::Script;
use crate::harness::oracle::Oracle;
use crate::harness::process::Server;
use crate::harness::town::Town;
use crate::harness::wait::{meanwhile, pause};

/// One request so often.
const EVERY: Duration = Duration::from_millis(25);
/// Before the fault, and after it.
const CALM: Duration = Duration::from_secs(7);

/// 70 of 100 send, 20 verify (start one, or check the one before with a wrong code), 5 send a bulk, 5 list.
fn mixed(town: Rc<Town>, mut dice: Dice) -> impl FnMut(usize) -> Ask {
    let checked = Rc::new(Cell::new(0_usize));
    move |n| {
        // Between 30 and 70 ms, as carriers are.
        let wait = Duration::from_millis(30 + dice.roll(40));
        town.acme.always(Script::After(wait, Box::new(Script::Accept)));
        match dice.roll(100) {
            0..70 => Ask::send(format!("soak-{n}"), notice_to(&number(n))),
            70..80 => Ask::post(format!("start-{n}"), "/v1/verifications", json!({"to": number(20_000 + n)})),
            80..90 => {
                let to = 40_000 + checked.replace(checked.get() + 1) % 50;
                Ask::post(format!("check-{n}"), "/v1/verifications/check", json!({"to": number(to), "code": "000000"}))
            }
            90..95 => {
                let messages: Vec<Value> = (0..10).map(|i| notice_to(&number(50_000 + n * 10 + i))).collect();
                Ask::bulk(format!("bulk-{n}"), &messages)
            }
            _ => Ask::get(format!("list-{n}"), "/v1/messages?limit=20"),
        }
    }
}

/// Answered as it should be: a check of a number without a verification is a 404, the one answer it may have.
fn is_good(shot: &Shot) -> bool {
    shot.is_served()
        || shot.reply.as_ref().is_some_and(|reply| shot.ask.key.starts_with("check-") && reply.status == 404)
}

async fn restarted(town: &Town, server: &mut Server) -> Server {
    server.kill();
    town.serve().await
}

#[actix_web::test]
async fn a_mixed_load_feels_one_crash_and_nothing_else() {
    let dice = Dice::seeded();
    let town = Rc::new(Town::found().await);
    let mut server = town.serve().await;
    let caller = Rc::new(RefCell::new(town.live(&server)));
    let load = Load::start(caller.clone(), EVERY, mixed(town.clone(), dice));
    pause(CALM).await;
    let fault = Instant::now();
    server = restarted(&town, &mut server).await;
    *caller.borrow_mut() = town.live(&server);
    let over = Instant::now();
    meanwhile("service", || async { (load.served_since(over) > 5).then_some(()) }).await;
    pause(CALM / 3).await;
    let warm = server.size();
    pause(CALM * 2 / 3).await;
    let shots = load.stop().await;

    let outside = |shot: &&Shot| shot.at + shot.took < fault || shot.at > over;
    let bad: Vec<_> = shots.iter().filter(outside).filter(|shot| !is_good(shot)).collect();
    let told: BTreeSet<_> =
        bad.iter().map(|shot| (&shot.ask.path, shot.reply.as_ref().map(|reply| &reply.text))).collect();
    assert!(bad.is_empty(), "{} of {} outside the fault: {told:?}", bad.len(), shots.len());
    println!("p50 {:?}, p99 {:?} of {}", quantile(&shots, 0.5), quantile(&shots, 0.99), shots.len());

    let mut oracle = Oracle::default();
    let sends: Vec<Shot> = shots.into_iter().filter(|shot| shot.ask.path.starts_with("/v1/messages")).collect();
    repeat_what_failed(&sends, &town.live(&server), &mut oracle).await;
    let messages = oracle.judge_at_rest(&town).await;
    let asked: usize = sends.iter().filter(|shot| shot.ask.method == "POST").map(messages_of).sum();
    let notices = messages.iter().filter(|message| message.is_notice()).count();
    assert_eq!((oracle.told(), notices), (asked, asked));

    // Idle connections of clients and carriers come and go by a few; what leaks goes only one way.
    let (fds, kib) = server.size();
    assert!(fds <= warm.0 + 10, "{fds} descriptors, {} when warm", warm.0);
    assert!(kib <= warm.1 + 64 * 1024, "{kib} KiB, {} when warm", warm.1);
}

fn messages_of(shot: &Shot) -> usize {
    shot.ask.body.as_ref().and_then(|body| body["messages"].as_array()).map_or(1, Vec::len)
}
