//! T25 under `kill -9`: a wallet that is spent and paid into while its server dies has neither more nor less than it was
//! given.

use std::time::Duration;

use futures_util::future::join_all;
use postern::money::Micros;
use serde_json::json;

use super::dice::Dice;
use super::{Ask, notice_to, number};
use crate::harness::actor::{Actor, Reply};
use crate::harness::oracle::Oracle;
use crate::harness::town::{OPENING, PRICE, Town};
use crate::harness::wait::{meanwhile, pause};

const ROUNDS: usize = 3;
/// Messages that the wallet has money for at first.
const K: usize = 20;
/// Messages asked for in each round.
const ASKED: usize = 30;
/// Payments of each round.
const PAID: usize = 5;
/// Messages that a payment is for.
const EACH: usize = 2;

/// Messages that all of the money is for.
const GIVEN: usize = K + ROUNDS * PAID * EACH;

#[actix_web::test]
async fn a_wallet_under_kill_9_lets_through_exactly_what_it_was_given() {
    let mut dice = Dice::seeded();
    let town = Town::found().await;
    let mut server = town.serve().await;
    let wallet = format!("/v1/admin/orgs/{}/wallet", town.org);
    let spare = Micros(PRICE * i64::try_from(K).unwrap() - OPENING).to_string();
    let adjustment = json!({"amount": spare, "currency": "USD", "reason": "little is left"});
    town.operator(&server).post(&format!("{wallet}/adjustments"), adjustment).await.expect(201);
    let mut oracle = Oracle::default();
    for round in 0..ROUNDS {
        let sends: Vec<Ask> = (0..ASKED).map(|n| send(round * ASKED + n)).collect();
        let pays: Vec<Ask> = (0..PAID).map(|n| pay(&wallet, round * PAID + n)).collect();
        let (live, operator) = (town.live(&server), town.operator(&server));
        let storm = {
            let (sends, pays) = (sends.clone(), pays.clone());
            actix_web::rt::spawn(async move {
                let sent = join_all(sends.iter().map(|ask| ask.once(&live)));
                let paid = join_all(pays.iter().map(|ask| ask.once(&operator)));
                futures_util::join!(sent, paid).0
            })
        };
        pause(Duration::from_millis(dice.roll(150))).await;
        server.kill();
        storm.await.unwrap().iter().flatten().for_each(|reply| oracle.note(reply));
        server = town.start(&[]);
        server.ready().await;
        oracle.judge(&town, &format!("round {round}, after the kill")).await;
        // Every client repeats what it asked for, whatever became of it.
        let (live, operator) = (town.live(&server), town.operator(&server));
        for ask in &pays {
            answered(ask, &operator, &[201]).await;
        }
        for ask in &sends {
            oracle.note(&answered(ask, &live, &[202, 402]).await);
        }
        oracle.judge(&town, &format!("round {round}")).await;
    }
    let live = town.live(&server);
    for n in ROUNDS * ASKED.. {
        let reply = answered(&send(n), &live, &[202, 402]).await;
        oracle.note(&reply);
        if reply.status == 402 {
            break;
        }
    }
    let messages = oracle.judge_at_rest(&town).await;
    assert_eq!((messages.len(), oracle.told()), (GIVEN, GIVEN));
}

fn send(n: usize) -> Ask {
    Ask::send(format!("send-{n}"), notice_to(&number(n)))
}

/// A payment for so many messages: one alone is less than a cent, which is the least there is to pay.
fn pay(wallet: &str, n: usize) -> Ask {
    let body = json!({"amount": Micros(PRICE * i64::try_from(EACH).unwrap()).to_string(), "reference": format!("payment {n}")});
    Ask::post(format!("pay-{n}"), format!("{wallet}/topups"), body)
}

/// Asks until it gets one of these answers.
async fn answered(ask: &Ask, caller: &Actor, wanted: &[u16]) -> Reply {
    meanwhile(&format!("an answer to {}", ask.key), || async {
        ask.once(caller).await.filter(|reply| wanted.contains(&reply.status))
    })
    .await
}
