//! `kill -9` in the middle of bulks, and the second life of the same data.

use std::time::Duration;

use super::dice::Dice;
use super::{Ask, notice_to, number};
use crate::harness::oracle::{Oracle, count};
use crate::harness::town::Town;
use crate::harness::wait::pause;

const ROUNDS: usize = 5;
/// Messages of one bulk.
const BULK: usize = 200;
/// Hand-offs under way at once.
const CONCURRENCY: usize = 16;

#[actix_web::test]
async fn bulks_under_kill_9_are_all_there_and_go_once() {
    let mut dice = Dice::seeded();
    let town = Town::found().await;
    let concurrency = CONCURRENCY.to_string();
    let env = [("POSTERN_DISPATCH_CONCURRENCY", concurrency.as_str())];
    let mut server = town.serve_with(&env).await;
    let (mut oracle, mut asks) = (Oracle::default(), Vec::new());
    for round in 0..ROUNDS {
        let live = town.live(&server);
        let wave: Vec<Ask> = (0..2).map(|n| bulk(asks.len() + n)).collect();
        wave[0].until_accepted(&live, &mut oracle).await;
        let second = wave[1].clone();
        let sent = actix_web::rt::spawn(async move { second.once(&live).await });
        pause(Duration::from_millis(dice.roll(400))).await;
        server.kill();
        if let Some(reply) = sent.await.unwrap() {
            oracle.note(&reply);
        }
        asks.extend(wave);
        server = town.start(&env);
        let took = server.ready().await;
        assert!(took < Duration::from_secs(5), "round {round}: ready after {took:?}");
        // Every client repeats everything it ever asked for: what is there already is answered as before.
        let live = town.live(&server);
        for ask in &asks[asks.len() - 2..] {
            ask.until_accepted(&live, &mut oracle).await;
        }
        oracle.judge(&town, &format!("round {round}")).await;
    }
    let messages = oracle.judge_at_rest(&town).await;
    assert_eq!((messages.len(), oracle.told()), (asks.len() * BULK, asks.len() * BULK));
    let unknown = count(&messages, "unknown");
    assert!(unknown <= ROUNDS * CONCURRENCY, "{unknown} unknown");
    assert_eq!(count(&messages, "sent") + unknown, messages.len());
}

fn bulk(n: usize) -> Ask {
    let messages: Vec<_> = (n * BULK..(n + 1) * BULK).map(|to| notice_to(&number(to))).collect();
    Ask::bulk(format!("bulk-{n}"), &messages)
}
