//! Limits, keys and guesses over two processes on one database.

use std::time::Duration;

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::{Value, json};

use super::{Ask, code_to, notice_to, number};
use crate::harness::Backend;
use crate::harness::actor::Actor;
use crate::harness::oracle::{Kept, Oracle, due_stamps, fullest};
use crate::harness::process::Server;
use crate::harness::town::{OPENING, PRICE, Town};

/// Two servers of one town, and its live key at each.
async fn pair(town: &Town) -> ([Server; 2], [Actor; 2]) {
    let mut servers = [town.start(&[]), town.start(&[])];
    for server in &mut servers {
        server.ready().await;
    }
    let callers = [town.live(&servers[0]), town.live(&servers[1])];
    (servers, callers)
}

/// One number, as people write it.
fn spelled(n: usize, how: usize) -> Value {
    let e164 = number(n);
    match how % 4 {
        0 => json!({"to": e164}),
        1 => json!({"to": format!("+44 {} {}", &e164[3..7], &e164[7..])}),
        2 => json!({"to": format!("0{}", &e164[3..]), "country": "GB"}),
        _ => json!({"to": format!("0044{}", &e164[3..]), "country": "GB"}),
    }
}

fn code_as(n: usize, how: usize) -> Value {
    let mut body = code_to("");
    body.as_object_mut().unwrap().extend(spelled(n, how).as_object().unwrap().clone());
    body
}

/// How many of the replies, singles and bulks, accepted a message, and that the others were refused by `code`.
fn admitted(replies: &[crate::harness::actor::Reply], code: Code) -> usize {
    let mut count = 0;
    for reply in replies {
        match (reply.status, reply.json["results"].as_array()) {
            (202, Some(results)) => {
                for result in results {
                    assert!(result["id"].is_string() || result["error"]["code"] == code.as_str(), "{result}");
                    count += usize::from(result["id"].is_string());
                }
            }
            (202, None) => count += 1,
            _ => assert_eq!((reply.status, reply.json["code"].as_str()), (code.entry().status, Some(code.as_str()))),
        }
    }
    count
}

#[actix_web::test]
async fn a_number_gets_three_codes_in_five_minutes_whoever_asks_and_however_it_is_spelled() {
    let town = Town::found().await;
    let (_servers, callers) = pair(&town).await;
    let mut oracle = Oracle::default();
    let sends = (0..96usize).map(|n| {
        let (caller, to) = (&callers[n % 2], n % 8);
        async move {
            match n % 6 {
                0 => {
                    let bulk = Ask::bulk(format!("bulk-{n}"), &[code_as(to, n), code_as(to, n + 1)]);
                    bulk.once(caller).await.unwrap()
                }
                _ => Ask::send(format!("one-{n}"), code_as(to, n / 8)).once(caller).await.unwrap(),
            }
        }
    });
    let replies = join_all(sends).await;
    replies.iter().for_each(|reply| oracle.note(reply));
    assert_eq!(admitted(&replies, Code::OtpNumberLimit), 8 * 3);
    let messages = oracle.judge_at_rest(&town).await;
    for n in 0..8 {
        let to_it: Vec<&Kept> = messages.iter().filter(|message| message.recipient == number(n)).collect();
        assert_eq!(to_it.len(), 3, "{}", number(n));
    }
    // What was refused took from nothing else: no money, no hold, no place in the books.
    assert_eq!(balance(&town).await, (OPENING - 24 * PRICE, 0));
}

/// The live balance and what is held of it.
async fn balance(town: &Town) -> (i64, i64) {
    let org = town.org.parse().unwrap();
    let wallet = town.write(move |conn| postern::wallet::read(conn, org, postern::terms::Mode::Live)).await;
    (wallet.balance.0, wallet.held.0)
}

#[actix_web::test]
async fn the_plan_s_minute_is_filled_and_never_passed() {
    let town = Town::found_on(Backend::fresh(), json!({"sms.plan": "20/min"})).await;
    let (_servers, callers) = pair(&town).await;
    let mut oracle = Oracle::default();
    let sends = (0..48usize).map(|n| {
        let caller = &callers[n % 2];
        async move {
            match n % 12 {
                0 => {
                    let three: Vec<Value> = (0..3).map(|i| notice_to(&number(100 + n * 10 + i))).collect();
                    let body = json!({"pacing": "reject", "messages": three});
                    caller.attempt("POST", "/v1/messages/bulk", Some(body)).await.unwrap()
                }
                _ => caller.attempt("POST", "/v1/messages", Some(notice_to(&number(n)))).await.unwrap(),
            }
        }
    });
    let replies = join_all(sends).await;
    replies.iter().for_each(|reply| oracle.note(reply));
    assert_eq!(admitted(&replies, Code::SmsPlanCap), 20);
    let messages = oracle.judge_at_rest(&town).await;
    assert_eq!(fullest(&due_stamps(&messages), 60_000), 20);
    assert_eq!(balance(&town).await, (OPENING - 20 * PRICE, 0));
}

#[actix_web::test]
async fn the_platform_s_cap_on_a_number_counts_every_organization() {
    let policies = json!({"otp.number": "100/5m", "otp.number.hour": "100/h", "otp.number.day": "100/day", "platform.number": "7/day"});
    let town = Town::found_on(Backend::fresh(), policies).await;
    let (servers, callers) = pair(&town).await;
    let body = json!({"name": "Other", "country": "GB", "countries": ["*"], "plan": "enterprise"});
    let other = town.operator(&servers[0]).post("/v1/admin/orgs", body).await.expect(201).text_at("/id");
    let path = format!("/v1/admin/orgs/{other}/keys");
    let key = town.operator(&servers[0]).post(&path, json!({"name": "k", "mode": "live"})).await.expect(201);
    let money = json!({"amount": "10", "currency": "USD", "reason": "prepaid"});
    town.operator(&servers[0]).post(&format!("/v1/admin/orgs/{other}/wallet/adjustments"), money).await.expect(201);
    let theirs = callers.each_ref().map(|caller| caller.with_token(&key.text_at("/secret")));
    let sends = (0..32usize).map(|n| {
        let caller = if n % 4 < 2 { &callers[n % 2] } else { &theirs[n % 2] };
        async move { caller.attempt("POST", "/v1/messages", Some(code_as(1, n))).await.unwrap() }
    });
    assert_eq!(admitted(&join_all(sends).await, Code::OtpNumberLimit), 7);
}

#[actix_web::test]
async fn a_thousand_requests_with_one_key_are_one_message() {
    let town = Town::found().await;
    let (_servers, callers) = pair(&town).await;
    let mut oracle = Oracle::default();
    let ask = Ask::send("the-one-key", notice_to(&number(1)));
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..10 {
        for reply in join_all((0..100).map(|n| ask.once(&callers[n % 2]))).await {
            let reply = reply.expect("an answer");
            oracle.note(&reply);
            match reply.status {
                202 => drop(ids.insert(reply.text.clone())),
                _ => drop(reply.refused(Code::IdempotencyInFlight)),
            }
        }
    }
    assert_eq!(ids.len(), 1, "every answer is the first one");
    let messages = oracle.judge_at_rest(&town).await;
    assert_eq!((messages.len(), town.acme.hand_offs().len()), (1, 1));
    assert_eq!(balance(&town).await, (OPENING - PRICE, 0));
}

#[actix_web::test]
async fn of_two_hundred_guesses_over_two_processes_five_are_looked_at_and_one_is_right() {
    let town = Town::found().await;
    let (servers, callers) = pair(&town).await;
    let started = callers[0].post("/v1/verifications", json!({"to": number(1)})).await.expect(201).text_at("/id");
    let code = crate::harness::wait::meanwhile("the code", || async {
        let text = town.acme.hand_offs().first()?.json()["text"].as_str()?.to_owned();
        text.split(|c: char| !c.is_ascii_digit()).find(|run| run.len() == 6).map(str::to_owned)
    })
    .await;
    let path = format!("/v1/verifications/{started}/check");
    // The right one comes again and again among wrong ones, so that it is among those that are looked at.
    let guesses = (0..200usize).map(|n| {
        let wrong = format!("{:06}", (code.parse::<usize>().unwrap() + n + 1) % 1_000_000);
        let guess = if n % 3 == 1 { code.clone() } else { wrong };
        let (caller, path) = (&callers[n % 2], &path);
        async move { caller.attempt("POST", path, Some(json!({"code": guess}))).await.unwrap() }
    });
    let replies = join_all(guesses).await;
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)), "nothing but answers");
    let right = replies.iter().filter(|reply| reply.json["valid"] == json!(true)).count();
    let wrong = replies.iter().filter(|reply| reply.status == 200 && reply.json["valid"] == json!(false)).count();
    let left = callers[1].get(&format!("/v1/verifications/{started}")).await.expect(200).json["checks_left"].clone();
    assert!(right <= 1 && left.as_u64().is_some_and(|left| left <= 5 - right as u64), "{right} right, {wrong} wrong");
    assert!(right == 1 || left == 0, "{right} right, {left} left");
    drop(servers);
}

/// The wait that is told is the whole wait, on the manual clock and over two processes.
#[actix_web::test]
async fn exactly_the_wait_that_is_told_is_enough_at_the_other_process_too() {
    use crate::harness::app::TestApp;
    let app = TestApp::start().await;
    let other = app.another().await;
    let tenant = app.tenant().await;
    let here = tenant.live.clone();
    let there = here.at(&other.base);
    for _ in 0..3 {
        here.post("/v1/messages", code_to(&number(1))).await.expect(202);
    }
    for round in 0..6 {
        let (asked, tried) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let refused = asked.post("/v1/messages", code_to(&number(1))).await.refused(Code::OtpNumberLimit);
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        app.advance(Duration::from_millis(wait * 1_000 - 1_001));
        tried.post("/v1/messages", code_to(&number(1))).await.refused(Code::OtpNumberLimit);
        app.advance(Duration::from_millis(1_001));
        tried.post("/v1/messages", code_to(&number(1))).await.expect(202);
        for _ in 0..2 {
            drop(tried.post("/v1/messages", code_to(&number(1))).await);
        }
    }
}
