//! T25 and what belongs to it: the ledger under a crowd, under chance, and what it says.

use futures_util::future::join_all;
use postern::error::Code;
use serde_json::{Value, json};

use super::{account, balanced, pay_in, paying, purse};
use crate::faults::dice::Dice;
use crate::harness::app::TestApp;
use crate::harness::fake_carrier::Script;
use crate::messages::{accepted, carrier_id, drain, notice_to, number, post, receipt, secs};

#[actix_web::test]
async fn money_for_k_lets_exactly_k_of_4k_through_while_all_else_moves() {
    const K: usize = 40;
    let app = TestApp::start().await;
    let acme = paying(&app, "0.40").await;
    let stop = std::cell::Cell::new(false);
    let sending = async {
        let replies = join_all((0..4 * K).map(|n| post(&acme.live, notice_to(&number(n))))).await;
        stop.set(true);
        replies
    };
    let looking = async {
        while !stop.get() {
            let all = purse(&acme).await;
            assert!(all.iter().all(|amount| !amount.starts_with('-')), "{all:?}");
        }
    };
    // Other wallets and the plan move meanwhile; this one's money is neither more nor less.
    let moving = async {
        let other = app.tenant().await;
        for n in 0..4 {
            pay_in(&app, &other.org, "1", &format!("{n}")).await.expect(201);
            let plan = json!({"plan": if n % 2 == 0 { "enterprise" } else { "pro" }});
            app.operator().patch(&format!("/v1/admin/orgs/{}", other.org), plan).await.expect(200);
        }
    };
    let (replies, (), ()) = tokio::join!(sending, looking, moving);
    let taken = replies.iter().filter(|reply| reply.status == 202).count();
    assert_eq!((taken, purse(&acme).await), (K, ["0.40", "0.40", "0.00"].map(str::to_owned)));
    for reply in replies.into_iter().filter(|reply| reply.status != 202) {
        let reply = reply.refused(Code::InsufficientBalance);
        assert!(reply.text_at("/detail").contains("0.01 USD is missing"), "{}", reply.text);
    }
    balanced(&app).await;
    drain(&app).await;
    balanced(&app).await;
    assert_eq!(purse(&acme).await, ["0.00", "0.00", "0.00"].map(str::to_owned));
    assert_eq!(account(&app, &acme.org, "revenue").await, "0.40");
}

/// The same while this very wallet moves: what is let through at last is what all of its money was for.
#[actix_web::test]
async fn money_that_comes_and_goes_meanwhile_is_spent_once() {
    // Few enough for the limits of every plan that it is on meanwhile.
    const K: usize = 8;
    const PAID: usize = 6;
    let app = TestApp::start().await;
    let acme = paying(&app, "0.08").await;
    let sending = join_all((0..4 * K).map(|n| post(&acme.live, notice_to(&number(n)))));
    let parts: Vec<String> = (0..PAID).map(|n| format!("part {n}")).collect();
    let paying_in = join_all(parts.iter().map(|part| pay_in(&app, &acme.org, "0.01", part)));
    let adjust = format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org);
    let operator = app.operator();
    let taking = join_all(
        (0..3).map(|_| operator.post(&adjust, json!({"amount": "-0.01", "currency": "USD", "reason": "taken back"}))),
    );
    let planning = async {
        for plan in ["pro", "enterprise", "pro", "enterprise"] {
            app.operator().patch(&format!("/v1/admin/orgs/{}", acme.org), json!({"plan": plan})).await.expect(200);
            assert!(purse(&acme).await.iter().all(|amount| !amount.starts_with('-')));
        }
    };
    let (replies, paid, taken, ()) = tokio::join!(sending, paying_in, taking, planning);
    assert!(paid.iter().all(|reply| reply.status == 201));
    // An adjustment that would go below the holds is refused, and then took nothing.
    let taken = taken.iter().filter(|reply| reply.status == 201).count();
    let mut sent = replies.iter().filter(|reply| reply.status == 202).count();
    assert!(replies.iter().all(|reply| reply.status == 202 || reply.status == 402));
    balanced(&app).await;
    for n in 4 * K.. {
        app.advance(secs(60));
        let reply = post(&acme.live, notice_to(&number(n))).await;
        if reply.status != 202 {
            reply.refused(Code::InsufficientBalance);
            break;
        }
        sent += 1;
    }
    assert_eq!(sent, K + PAID - taken);
    drain(&app).await;
    balanced(&app).await;
    assert_eq!(purse(&acme).await, ["0.00", "0.00", "0.00"].map(str::to_owned));
}

#[actix_web::test]
async fn a_payment_reported_many_times_at_once_is_booked_once() {
    let app = TestApp::start().await;
    let acme = paying(&app, "1").await;
    let replies = join_all((0..12).map(|_| pay_in(&app, &acme.org, "5", "wire 7"))).await;
    let ids: std::collections::BTreeSet<String> =
        replies.into_iter().map(|reply| reply.expect(201).text_at("/id")).collect();
    assert_eq!((ids.len(), purse(&acme).await[0].clone()), (1, "6.00".to_owned()));
    pay_in(&app, &acme.org, "6", "wire 7").await.refused(Code::ValidationFailed);
    balanced(&app).await;
}

/// Any order of sends, answers of the carrier, receipts, cancellations, adjustments and time: the books agree after each.
#[actix_web::test]
async fn whatever_happens_the_books_agree() {
    let mut dice = Dice::seeded();
    let app = TestApp::start().await;
    let lists = [
        json!([{"channel": "sms", "amount": "0.01"}]),
        json!([{"channel": "sms", "amount": "0.03", "charged_at": "delivery"}]),
    ];
    let acme = paying(&app, "0.50").await;
    let adjust = format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org);
    let mut sent: Vec<String> = Vec::new();
    for step in 0..70 {
        match dice.roll(9) {
            0 | 1 => {
                let reply = post(&acme.live, notice_to(&number(step))).await;
                assert!(reply.status == 202 || reply.status == 402, "{}", reply.text);
                sent.extend(reply.json["id"].as_str().map(str::to_owned));
            }
            2 => app.acme.next(Script::json(400, json!({}))),
            3 | 4 => drop(app.step().await),
            5 if app.acme.calls() > 0 => {
                let nth = 1 + usize::try_from(dice.roll(app.acme.calls() as u64)).unwrap();
                let word = ["SENT", "DELIVRD", "UNDELIV", "REJECTD"][usize::try_from(dice.roll(4)).unwrap()];
                receipt(&app, &carrier_id(nth), word).await.expect(204);
            }
            6 => {
                if let Some(id) = sent.pop() {
                    acme.live.call("POST", &format!("/v1/messages/{id}/cancel"), None).await;
                }
            }
            7 => {
                let amount = ["0.05", "-0.05"][usize::try_from(dice.roll(2)).unwrap()];
                let body = json!({"amount": amount, "currency": "USD", "reason": "chance"});
                app.operator().post(&adjust, body).await;
            }
            _ => {
                super::price(&app, lists[usize::try_from(dice.roll(2)).unwrap()].clone()).await;
                app.advance(secs(dice.roll(400)));
            }
        }
        balanced(&app).await;
    }
}

#[actix_web::test]
async fn what_is_charged_at_delivery_is_free_until_then() {
    let app = TestApp::start().await;
    let acme = paying(&app, "1").await;
    super::price(&app, json!([{"channel": "sms", "amount": "0.10", "charged_at": "delivery"}])).await;
    for n in 1..=3 {
        accepted(&acme.live, notice_to(&number(n))).await;
    }
    drain(&app).await;
    assert_eq!(purse(&acme).await, ["1.00", "0.30", "0.70"].map(str::to_owned));
    receipt(&app, &carrier_id(1), "DELIVRD").await.expect(204);
    receipt(&app, &carrier_id(2), "UNDELIV").await.expect(204);
    assert_eq!(purse(&acme).await, ["0.90", "0.10", "0.80"].map(str::to_owned));
    balanced(&app).await;
    // Of the third no word comes: after a week it is free.
    app.advance(secs(7 * 86_400 + 60));
    postern::worker::sweep(&app.app).await.unwrap();
    assert_eq!(purse(&acme).await, ["0.90", "0.00", "0.90"].map(str::to_owned));
    receipt(&app, &carrier_id(3), "DELIVRD").await.expect(204);
    assert_eq!(purse(&acme).await[0], "0.90");
    balanced(&app).await;
}

#[actix_web::test]
async fn what_a_carrier_charges_is_posted_beside_the_price() {
    let app = TestApp::start().await;
    let acme = paying(&app, "1").await;
    let routes = json!([{"channel": "sms", "carrier": "acme", "price": {"amount": "0.004", "currency": "USD"}}]);
    app.operator().put("/v1/admin/routes", routes).await.expect(200);
    app.acme.next(Script::json(400, json!({})));
    for n in 1..=3 {
        accepted(&acme.live, notice_to(&number(n))).await;
        drain(&app).await;
    }
    // The refused one costs nobody anything.
    assert_eq!(account(&app, &acme.org, "carrier:acme").await, "0.008");
    assert_eq!(account(&app, &acme.org, "cost").await, "-0.008");
    assert_eq!(account(&app, &acme.org, "revenue").await, "0.02");
    assert_eq!(account(&app, &acme.org, "funding").await, "-1.00");
    assert_eq!(account(&app, &acme.org, "available").await, "0.98");
    balanced(&app).await;
    let ledger = app.operator().get("/v1/admin/ledger").await.expect(200);
    assert_eq!((&ledger.json["balanced"], &ledger.json["faults"]), (&json!(true), &json!([])));
}

#[actix_web::test]
async fn a_tampered_wallet_is_found() {
    let app = TestApp::start().await;
    let acme = paying(&app, "1").await;
    app.write(|conn| {
        let sql = diesel::sql_query("UPDATE wallets SET balance_micros = balance_micros + 1");
        postern::both!(conn, c => diesel::RunQueryDsl::execute(sql, c))?;
        Ok(())
    })
    .await;
    let ledger = app.operator().get("/v1/admin/ledger").await.expect(200);
    assert_eq!(ledger.json["balanced"], false);
    assert!(ledger.text_at("/faults/0").contains(&acme.org), "{}", ledger.text);
}

#[actix_web::test]
async fn transactions_come_in_pages_and_as_csv_without_formulas() {
    let app = TestApp::start().await;
    let acme = paying(&app, "1").await;
    for n in 1..=3 {
        accepted(&acme.live, notice_to(&number(n))).await;
    }
    drain(&app).await;
    let adjust = format!("/v1/admin/orgs/{}/wallet/adjustments", acme.org);
    let body = json!({"amount": "-0.25", "currency": "USD", "reason": "=1+1, \"so\""});
    app.operator().post(&adjust, body).await.expect(201);
    let first = acme.live.get("/v1/wallet/transactions?limit=2").await.expect(200);
    assert_eq!((first.text_at("/data/0/kind"), first.text_at("/data/1/kind")), ("adjustment".into(), "settle".into()));
    assert_eq!(first.json["data"][1]["amount"], json!({"amount": "-0.01", "currency": "USD"}));
    let next = format!("/v1/wallet/transactions?limit=2&cursor={}", first.text_at("/next_cursor"));
    let second = acme.live.get(&next).await.expect(200);
    assert_eq!((second.json["data"].as_array().unwrap().len(), &second.json["has_more"]), (2, &json!(true)));
    let one = format!("/v1/wallet/transactions/{}", first.text_at("/data/1/id"));
    assert_eq!(acme.live.get(&one).await.expect(200).text_at("/channel"), "sms");
    acme.test.get(&one).await.refused(Code::NotFound);
    let csv = acme.live.with_header("Accept", "text/csv").get("/v1/wallet/transactions").await.expect(200);
    let lines: Vec<&str> = csv.text.lines().collect();
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    assert_eq!(lines.len(), 6);
    assert!(lines[0].starts_with("id,created_at,kind,amount,currency"), "{}", lines[0]);
    assert!(lines[1].contains(",adjustment,-0.25,USD,") && lines[1].ends_with("\"'=1+1, \"\"so\"\"\""), "{}", lines[1]);
    let kinds: Vec<Value> =
        acme.live.get("/v1/wallet/transactions?kind=topup").await.expect(200).json["data"].as_array().unwrap().clone();
    assert_eq!(kinds.len(), 1);
}
