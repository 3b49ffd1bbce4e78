//! What is scheduled counts in the moment it is due: in the number's windows and in the plan's.

use postern::clock::Millis;
use postern::db::Conn;
use postern::error::Code;
use postern::messages::purge_guards;
use postern::worker;
use serde_json::{Value, json};

use super::{accepted, code_to, drain, notice_to, number, post, secs};
use crate::harness::app::{START, TestApp};

fn at(mut body: Value, due: Millis) -> Value {
    body["scheduled_for"] = json!(due.rfc3339());
    body
}

#[actix_web::test]
async fn a_number_takes_three_codes_of_one_instant_however_early_they_are_ordered() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let due = START.plus(secs(86_400));
    let mut passed = 0;
    for n in 0..12 {
        let near = due.plus(secs(n * 20));
        passed += usize::from(post(&acme.live, at(code_to(&number(1)), near)).await.status == 202);
        app.advance(secs(330));
    }
    assert_eq!(passed, 3);
    let now = app.app.clock.now();
    let refused = post(&acme.live, at(code_to(&number(1)), due)).await.refused(Code::OtpNumberLimit);
    let opens = due.plus(secs(300));
    assert!(refused.text_at("/detail").contains(&opens.rfc3339()), "{}", refused.text);
    assert_eq!(refused.json["retry_after"].as_u64(), Some(opens.since(now).as_secs()));
    accepted(&acme.live, code_to(&number(1))).await;
    assert_eq!(drain(&app).await, 1);
    accepted(&acme.live, at(code_to(&number(1)), opens)).await;
    app.advance(opens.since(now));
    assert_eq!(drain(&app).await, 4);
    // Three of the last five minutes: at 20, 40 and 300 s.
    post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
    app.advance(secs(20));
    accepted(&acme.live, code_to(&number(1))).await;
}

#[actix_web::test]
async fn bulks_for_one_minute_never_exceed_the_plan() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let due = START.plus(secs(3_600));
    let mut taken = 0;
    for (n, late) in [(0, 0), (1, 30), (2, 59)] {
        let messages: Vec<Value> = (0..40).map(|m| notice_to(&number(n * 40 + m))).collect();
        let defaults = json!({"scheduled_for": due.plus(secs(late)).rfc3339()});
        let body = json!({"pacing": "reject", "defaults": defaults, "messages": messages});
        taken += acme.live.post("/v1/messages/bulk", body).await.expect(202).json["accepted"].as_u64().unwrap();
        app.advance(secs(120));
    }
    assert_eq!(taken, 60);
    post(&acme.live, at(notice_to(&number(500)), due)).await.refused(Code::SmsPlanCap);
    accepted(&acme.live, at(notice_to(&number(500)), due.plus(secs(90)))).await;
}

#[actix_web::test]
async fn a_bulk_for_tomorrow_is_paced_from_its_hour_on_and_leaves_today_alone() {
    let app = TestApp::start().await;
    let acme = app.tenant_with(json!({"plan": "pro"})).await;
    let due = START.plus(secs(86_400));
    for n in 0..60 {
        accepted(&app.key(&acme.org, json!({"mode": "live"})).await, at(notice_to(&number(n)), due)).await;
    }
    accepted(&acme.live, notice_to(&number(60))).await;
    let messages: Vec<Value> = (100..150).map(|n| notice_to(&number(n))).collect();
    let body = json!({"messages": messages, "defaults": {"scheduled_for": due.rfc3339(), "ttl": "1h"}});
    let reply = acme.live.post("/v1/messages/bulk", body).await.expect(202);
    let goes = |n: usize| reply.json["results"][n]["scheduled_for"].as_str().unwrap().to_owned();
    let minute = |n: u64| due.plus(secs(60 * n)).rfc3339();
    assert_eq!((goes(0), goes(47), goes(48)), (minute(1), minute(1), minute(2)));
}

#[actix_web::test]
async fn a_sweep_forgets_no_appointment() {
    let app = TestApp::start().await;
    let acme = app.tenant().await;
    let due = START.plus(secs(3 * 86_400));
    for _ in 0..3 {
        accepted(&acme.live, at(code_to(&number(1)), due)).await;
    }
    accepted(&acme.live, code_to(&number(2))).await;
    assert_eq!(drain(&app).await, 1);
    let purge = |conn: &mut Conn| purge_guards(conn, START.plus(secs(86_500)), 500);
    assert_eq!(app.write(purge).await, 2);
    assert_eq!(app.write(purge).await, 0, "what counts nothing is gone, the other is young again");
    app.advance(secs(2 * 86_400));
    worker::sweep(&app.app).await.unwrap();
    app.advance(secs(86_400));
    assert_eq!(drain(&app).await, 3);
    post(&acme.live, code_to(&number(1))).await.refused(Code::OtpNumberLimit);
    app.advance(secs(300));
    accepted(&acme.live, code_to(&number(1))).await;
}
