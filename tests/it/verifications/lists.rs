//! Lists and the summary.

use std::time::Duration;

use postern::verifications::purge_verifications;
use serde_json::json;

use super::*;

async fn ids(caller: &Actor, query: &str) -> Vec<String> {
    let page = caller.get(&format!("/v1/verifications{query}")).await.expect(200);
    page.json["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// One approved, one out of checks, one canceled, one expired, one pending; in this order.
async fn one_of_each(app: &TestApp, caller: &Actor) -> Vec<String> {
    let mut made = Vec::new();
    for last in 0..5 {
        let to = format!("+44740012320{last}");
        let body = json!({"to": to, "max_checks": 1, "ttl": if last == 3 { "1m" } else { "10m" }});
        let id = start(caller, body).await.expect(201).text_at("/id");
        let code = latest_code(app, caller, &to).await;
        match last {
            0 => drop(check(caller, &id, &code).await.expect(200)),
            1 => drop(check(caller, &id, &wrong(&code)).await.expect(200)),
            2 => drop(caller.post(&format!("/v1/verifications/{id}/cancel"), json!({})).await.expect(200)),
            _ => {}
        }
        app.advance(Duration::from_secs(1));
        made.push(id);
    }
    app.advance(Duration::from_secs(60));
    made
}

#[actix_web::test]
async fn a_list_is_narrowed_by_what_is_true_now() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    let made = one_of_each(&app, &tenant.test).await;
    let caller = &tenant.test;
    let newest_first: Vec<String> = made.iter().rev().cloned().collect();
    assert_eq!(ids(caller, "").await, newest_first);
    for (at, status) in ["approved", "max_checks", "canceled", "expired", "pending"].iter().enumerate() {
        assert_eq!(ids(caller, &format!("?status={status}")).await, [made[at].clone()], "{status}");
    }
    assert_eq!(ids(caller, "?to=%2B447400123202").await, [made[2].clone()]);
    assert_eq!(ids(caller, "?to=+447400123202").await, [made[2].clone()]);
    assert_eq!(ids(caller, "?channel=email").await, Vec::<String>::new());
    assert_eq!(ids(&tenant.live, "").await, Vec::<String>::new());
    let first = caller.get("/v1/verifications?limit=2").await.expect(200);
    assert_eq!(first.json["has_more"], json!(true));
    let cursor = first.text_at("/next_cursor");
    assert_eq!(ids(caller, &format!("?limit=2&cursor={cursor}")).await, newest_first[2..4]);
    let created = first.text_at("/data/1/created_at");
    assert_eq!(ids(caller, &format!("?created_before={created}")).await, newest_first[2..]);
    assert_eq!(ids(caller, &format!("?created_after={created}")).await, newest_first[..2]);
    assert_eq!(tenant.live.get(&format!("/v1/verifications?limit=2&cursor={cursor}")).await.status, 400);
}

#[actix_web::test]
async fn a_summary_counts_by_country_prefix_and_channel() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    one_of_each(&app, &tenant.test).await;
    let summary = async |query: &str| {
        let path = format!("/v1/verifications/summary{query}");
        let json = tenant.test.get(&path).await.expect(200).json;
        ["verifications", "sent", "approved", "pending", "conversion_rate"].map(|name| json[name].clone())
    };
    let all = [json!(5), json!(5), json!(1), json!(1), json!(0.25)];
    for query in ["", "?country=GB", "?prefix=%2B4474", "?prefix=4474", "?channel=sms"] {
        assert_eq!(summary(query).await, all, "{query}");
    }
    let none = [json!(0), json!(0), json!(0), json!(0), json!(null)];
    for query in ["?country=US", "?prefix=1", "?channel=email", "?created_before=2020-01-01T00:00:00Z"] {
        assert_eq!(summary(query).await, none, "{query}");
    }
    assert_eq!(tenant.live.get("/v1/verifications/summary").await.expect(200).json["verifications"], json!(0));
    assert_eq!(tenant.test.get("/v1/verifications/summary?prefix=44%25").await.status, 400);
}

#[actix_web::test]
async fn the_old_are_dropped_in_batches_with_their_sends() {
    let app = TestApp::start().await;
    let tenant = app.tenant().await;
    one_of_each(&app, &tenant.test).await;
    app.advance(Duration::from_secs(86_400));
    let (id, _) = started(&app, &tenant.test, json!({})).await;
    let edge = app.app.clock.now().minus(Duration::from_secs(3_600));
    let mut gone = Vec::new();
    for _ in 0..3 {
        gone.push(app.write(move |conn| purge_verifications(conn, edge, 3)).await);
    }
    assert_eq!((gone, ids(&tenant.test, "").await), (vec![3, 2, 0], vec![id]));
}
