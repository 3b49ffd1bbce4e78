//! Many at once, over two processes on one database.

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::json;

use super::*;
use crate::harness::app::Tenant;

/// The same tenant's test key, calling the other process.
fn at(other: &TestApp, caller: &Actor) -> Actor {
    caller.at(&other.base)
}

async fn checks_used(tenant: &Tenant, id: &str) -> i64 {
    5 - show(&tenant.test, id).await.json["checks_left"].as_i64().unwrap()
}

#[actix_web::test]
async fn of_two_hundred_guesses_at_once_five_are_looked_at() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    let callers = [tenant.test.clone(), at(&other, &tenant.test)];
    let guesses: Vec<String> = (0..200).map(|n| if n == 100 { code.clone() } else { wrong_by(&code, n + 1) }).collect();
    let calls = guesses.iter().enumerate().map(|(n, guess)| check(&callers[n % 2], &id, guess));
    let replies = join_all(calls).await;
    let looked_at = replies.iter().filter(|reply| reply.status == 200 && reply.text_at("/status") == "pending").count();
    let right = replies.iter().filter(|reply| reply.json["valid"] == json!(true)).count();
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)), "nothing but answers");
    assert!(right <= 1 && looked_at + right <= 5, "{right} right, {looked_at} wrong and open");
    let used = checks_used(&tenant, &id).await;
    assert!(used <= 5 && (right == 1 || used == 5), "{used} used");
    // Whoever was not among the five learned nothing: the code no longer opens anything.
    assert!(check(&tenant.test, &id, &code).await.json["valid"] != json!(true));
}

#[actix_web::test]
async fn of_two_right_codes_at_once_one_succeeds() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    let (here, there) = (tenant.test.clone(), at(&other, &tenant.test));
    let replies = join_all([check(&here, &id, &code), check(&there, &id, &code)]).await;
    let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 1));
    won.into_iter().for_each(|reply| assert_eq!(told(reply), ("approved".into(), true, 4)));
    lost.into_iter().for_each(|reply| drop(reply.refused(Code::VerificationAlreadyDecided)));
}

#[actix_web::test]
async fn one_key_is_one_check_however_often_it_is_sent_at_once() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let tenant = app.tenant().await;
    let (id, code) = started(&app, &tenant.test, json!({})).await;
    let keyed =
        [tenant.test.clone(), at(&other, &tenant.test)].map(|caller| caller.with_header("Idempotency-Key", "c"));
    let typed = wrong(&code);
    let replies = join_all((0..20).map(|n| check(&keyed[n % 2], &id, &typed))).await;
    for reply in replies {
        match reply.status {
            200 => assert_eq!(told(reply), ("pending".into(), false, 4)),
            _ => drop(reply.refused(Code::IdempotencyInFlight)),
        }
    }
    assert_eq!(checks_used(&tenant, &id).await, 1);
}

#[actix_web::test]
async fn starts_at_once_are_one_verification_and_as_many_sends_as_the_guard_lets_by() {
    let app = TestApp::start().await;
    let other = app.another().await;
    let tenant = app.tenant().await;
    let callers = [tenant.test.clone(), at(&other, &tenant.test)];
    let replies = join_all((0..12).map(|n| start(&callers[n % 2], json!({})))).await;
    let (made, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 201);
    assert_eq!((made.len(), refused.len()), (3, 9));
    refused.into_iter().for_each(|reply| drop(reply.refused(Code::OtpNumberLimit)));
    let id = made[0].text_at("/id");
    assert!(made.iter().all(|reply| reply.text_at("/id") == id));
    assert_eq!((sends(&show(&tenant.test, &id).await), app.step().await), (3, 3));
}

/// `code` moved by `n`: another code of the same length.
fn wrong_by(code: &str, n: usize) -> String {
    let moved = (code.parse::<usize>().unwrap() + n) % 1_000_000;
    format!("{moved:06}")
}
