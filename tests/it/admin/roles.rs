//! Which role may do what, over every operators' route.

use postern::error::Code;
use serde_json::{Value, json};

use crate::accounts::house::House;
use crate::harness::actor::Actor;

/// Every route with a body it takes, and the roles that may call it; `ORG`, `KEY`, `OPR`, `TOK`, `ALR`, `LST`, `WAN`, `WHE`, `NUM` and `MSG` stand for ids.
const TABLE: &[(&str, &str, &str, &[&str])] = &[
    ("POST", "/orgs", r#"{"name":"n","country":"GB"}"#, RUN),
    ("GET", "/orgs", "", ALL),
    ("GET", "/orgs/ORG", "", ALL),
    ("PATCH", "/orgs/ORG", r#"{"locale":"de"}"#, RUN),
    ("POST", "/orgs/ORG/keys", r#"{"name":"n","mode":"test"}"#, RUN),
    ("GET", "/orgs/ORG/keys", "", ALL),
    ("GET", "/keys", "", ALL),
    ("POST", "/keys/KEY/rotate", r#"{"overlap":"30d"}"#, RUN),
    ("GET", "/plans", "", ALL),
    ("PUT", "/plans/pro", r#"{"policies":{}}"#, OWN),
    ("GET", "/plans/pro/fees", "", ALL),
    ("PUT", "/plans/pro/fees", r#"{"fees":[]}"#, OWN),
    ("GET", "/orgs/ORG/limits", "", ALL),
    ("PUT", "/orgs/ORG/limits/sms.plan", r#"{"limit":"9/min"}"#, RUN),
    ("DELETE", "/orgs/ORG/limits/sms.plan", "", RUN),
    ("GET", "/keys/KEY/limits", "", ALL),
    ("PUT", "/keys/KEY/limits/key.minute", r#"{"limit":"9/min"}"#, RUN),
    ("DELETE", "/keys/KEY/limits/key.minute", "", RUN),
    ("GET", "/orgs/ORG/caps", "", ALL),
    ("PUT", "/orgs/ORG/caps", "[]", RUN),
    ("GET", "/orgs/ORG/wallet", "", ALL),
    ("GET", "/orgs/ORG/accounts", "", ALL),
    ("GET", "/orgs/ORG/billing", "", ALL),
    ("PUT", "/orgs/ORG/billing", r#"{"name":"n"}"#, RUN),
    ("GET", "/topups?status=pending&org_id=ORG", "", ALL),
    ("GET", "/orgs/ORG/wallet/transactions", "", ALL),
    ("GET", "/orgs/ORG/invoices", "", ALL),
    ("POST", "/orgs/ORG/invoices", r#"{"month":"2026-01"}"#, RUN),
    ("POST", "/orgs/ORG/wallet/topups", r#"{"amount":"1","reference":"r NAME"}"#, RUN),
    ("GET", "/ledger", "", ALL),
    ("GET", "/prices", "", ALL),
    ("GET", "/prices/history", "", ALL),
    ("GET", "/prices/margins", "", ALL),
    ("GET", "/inbound", "", ALL),
    ("GET", "/fraud/lists", "", ALL),
    ("POST", "/fraud/lists", r#"{"action":"block","kind":"device","value":"d","reason":"r"}"#, RUN),
    ("DELETE", "/fraud/lists/LST", "", RUN),
    ("GET", "/fraud/rules", "", ALL),
    ("PUT", "/fraud/rules", r#"{"rules":{}}"#, RUN),
    ("PUT", "/fraud/rules/prefix.hold", r#"{"mode":"enforce"}"#, RUN),
    ("GET", "/fraud/holds", "", ALL),
    ("GET", "/fraud/simulations", "", ALL),
    ("POST", "/fraud/simulations", r#"{"from":"2026-12-01T00:00:00Z","to":"2026-12-02T00:00:00Z"}"#, RUN),
    ("GET", "/pauses", "", ALL),
    ("POST", "/pause", r#"{"scope":"country","value":"AQ"}"#, RUN),
    ("POST", "/resume", r#"{"scope":"country","value":"AQ"}"#, RUN),
    ("GET", "/operators", "", ALL),
    ("POST", "/operators", r#"{"name":"n NAME","role":"viewer"}"#, OWN),
    ("GET", "/operators/OPR", "", ALL),
    ("PATCH", "/operators/OPR", r#"{"role":"support"}"#, OWN),
    ("POST", "/operators/OPR/invitations", "{}", OWN),
    ("DELETE", "/operators/OPR/second-factor?reason=lost", "", OWN),
    ("GET", "/sessions", "", ALL),
    ("GET", "/sessions?operator_id=OPR", "", OWN),
    ("POST", "/operators/OPR/tokens", "{}", OWN),
    ("GET", "/operators/OPR/tokens", "", ALL),
    ("DELETE", "/operators/OPR/tokens/TOK", "", OWN),
    ("GET", "/audit", "", &["owner", "auditor"]),
    ("GET", "/audit/verify", "", &["owner", "auditor"]),
    ("GET", "/audit/checkpoints", "", &["owner", "auditor"]),
    ("POST", "/audit/checkpoints", "{}", &["owner", "auditor"]),
    ("GET", "/audit/key", "", &["owner", "auditor"]),
    // Somebody has made a checkpoint by then: the row of the owner's own, above, or of the auditor's.
    ("GET", "/audit/proof?from=1", "", &["owner", "auditor"]),
    ("GET", "/system", "", ALL),
    ("GET", "/system/backups", "", ALL),
    ("GET", "/system/support-bundle", "", OWN),
    ("GET", "/jobs?state=due", "", ALL),
    ("GET", "/requests", "", ALL),
    ("GET", "/requests/summary?org_id=ORG", "", ALL),
    ("GET", "/webhooks", "", ALL),
    ("GET", "/webhooks/WHE", "", ALL),
    ("GET", "/webhooks/WHE/deliveries", "", ALL),
    ("POST", "/webhooks/WHE/test", "{}", RUN),
    ("POST", "/webhooks/WHE/replay", r#"{"failed_since":"2026-01-01T00:00:00Z"}"#, RUN),
    ("POST", "/webhooks/WHE/rotate", "{}", RUN),
    ("POST", "/webhooks/WHE/disable", "{}", RUN),
    ("POST", "/webhooks/WHE/enable", "{}", RUN),
    ("GET", "/hooks", "", ALL),
    ("GET", "/routes", "", ALL),
    ("GET", "/routes/conversion", "", ALL),
    ("GET", "/carriers", "", ALL),
    ("POST", "/carriers/acme/drain", "{}", RUN),
    ("POST", "/carriers/acme/resume", "{}", RUN),
    ("POST", "/carriers/acme/test", r#"{"to":"PHONE","reason":"a test"}"#, RUN),
    ("GET", "/carrier-tests", "", ALL),
    ("GET", "/activity", "", ALL),
    ("GET", "/senders", "", ALL),
    ("GET", "/senders?org_id=ORG", "", ALL),
    ("POST", "/senders", r#"{"channel":"sms","address":"NAME","org_id":"ORG"}"#, RUN),
    ("GET", "/whatsapp/numbers", "", ALL),
    ("GET", "/whatsapp/numbers/WAN", "", ALL),
    ("POST", "/whatsapp/numbers", r#"{"org_id":"ORG","phone_number":"PHONE","portfolio":"NAME"}"#, RUN),
    ("PATCH", "/whatsapp/numbers/WAN", r#"{"quality":"yellow"}"#, RUN),
    ("GET", "/services", "", ALL),
    ("PUT", "/services/ot", r#"{"name":"n"}"#, RUN),
    ("GET", "/numbers", "", ALL),
    ("POST", "/numbers", r#"[{"phone_number":"PHONE"}]"#, RUN),
    ("GET", "/numbers/NUM", "", ALL),
    ("PATCH", "/numbers/NUM", r#"{"status":"blocked"}"#, RUN),
    ("GET", "/templates", "", ALL),
    ("GET", "/templates?org_id=ORG&status=pending", "", ALL),
    ("GET", "/messages", "", ALL),
    ("GET", "/decisions", "", ALL),
    ("GET", "/messages/histogram", "", ALL),
    ("GET", "/messages/MSG", "", ALL),
    ("GET", "/messages/MSG/related", "", ALL),
    ("POST", "/messages/MSG/block", r#"{"reason":"r"}"#, HELP),
    ("POST", "/messages/MSG/reveal", r#"{"reason":"ticket"}"#, RUN),
    ("POST", "/messages/MSG/cancel", "{}", HELP),
    ("POST", "/erasures", r#"{"to":"+447400199999","reason":"ticket"}"#, OWN),
    ("GET", "/erasures", "", &["owner", "auditor"]),
    ("GET", "/overview", "", ALL),
    ("GET", "/overview?mode=test", "", ALL),
    ("GET", "/alerts", "", ALL),
    ("GET", "/alerts/ALR", "", ALL),
    ("POST", "/alerts/ALR/acknowledge", r#"{"reason":"seen"}"#, HELP),
    ("GET", "/fraud/summary", "", ALL),
    ("GET", "/fraud/heat?since=7d", "", ALL),
    ("GET", "/fraud/top?by=number", "", ALL),
    ("GET", "/fraud/rule-stats", "", ALL),
    ("POST", "/fraud/rules/prefix.hold/replay", r#"{"mode":"enforce"}"#, RUN),
    ("DELETE", "/keys/KEY", "", RUN),
];

const ALL: &[&str] = &["viewer", "support", "operator", "owner", "auditor"];
const RUN: &[&str] = &["operator", "owner"];
const HELP: &[&str] = &["support", "operator", "owner"];
const OWN: &[&str] = &["owner"];

/// What the words of the table stand for.
struct Words {
    org: String,
    key: String,
    operator: String,
    token: String,
    listed: String,
    number: String,
    rented: String,
    hook: String,
    message: String,
    alert: String,
    name: &'static str,
}

impl Words {
    async fn of(house: &House, name: &'static str) -> Words {
        let org = house.org("ACME").await;
        let made = house.made_key(&org, json!({"name": "k", "mode": "live"})).await;
        let key = made.text_at("/id");
        let body = json!({"to": phone_of(name, 4), "body": "x", "kind": "transactional"});
        let sender = house.anonymous().with_token(&made.text_at("/secret"));
        let message = sender.post("/v1/messages", body).await.expect(202).text_at("/id");
        let body = json!({"name": format!("helper of {name}"), "role": "viewer"});
        let operator = house.owner().post("/v1/admin/operators", body).await.expect(201).text_at("/id");
        let path = format!("/v1/admin/operators/{operator}/tokens");
        let token = house.owner().post(&path, json!({})).await.expect(201).text_at("/id");
        let entry = json!({"action": "block", "kind": "device", "value": "d", "reason": "r"});
        let listed = house.owner().post("/v1/admin/fraud/lists", entry).await.expect(201).text_at("/id");
        let number = json!({"org_id": org, "phone_number": phone_of(name, 1), "portfolio": name});
        let number = house.owner().post("/v1/admin/whatsapp/numbers", number).await.expect(201).text_at("/id");
        let rented = json!([{"phone_number": phone_of(name, 3)}]);
        let rented = house.owner().post("/v1/admin/numbers", rented).await.expect(201).text_at("/data/0/id");
        let hook = json!({"url": "https://example.com/hooks"});
        let hook = house.caller(&org).await.post("/v1/webhooks", hook).await.expect(201).text_at("/id");
        let pause = json!({"scope": "country", "value": "AQ"});
        house.owner().post("/v1/admin/pause", pause).await.expect(200);
        let alert = house.owner().get("/v1/admin/alerts?kind=pause").await.expect(200).text_at("/data/0/id");
        Words { org, key, operator, token, listed, number, rented, hook, message, alert, name }
    }

    fn fill(&self, text: &str) -> String {
        let filled = text.replace("ORG", &self.org).replace("KEY", &self.key);
        filled
            .replace("OPR", &self.operator)
            .replace("ALR", &self.alert)
            .replace("TOK", &self.token)
            .replace("PHONE", &phone_of(self.name, 2))
            .replace("NAME", self.name)
            .replace("WAN", &self.number)
            .replace("WHE", &self.hook)
            .replace("NUM", &self.rented)
            .replace("LST", &self.listed)
            .replace("MSG", &self.message)
    }
}

/// A number of its own for each role.
fn phone_of(name: &str, which: usize) -> String {
    let place = ALL.iter().position(|role| *role == name).unwrap_or(ALL.len());
    format!("+44740012{:04}", place * 10 + which)
}

async fn call(actor: &Actor, words: &Words, row: &(&str, &str, &str, &[&str])) -> crate::harness::actor::Reply {
    let (method, path, body, _) = row;
    let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(&words.fill(body)).unwrap());
    actor.call(method, &format!("/v1/admin{}", words.fill(path)), body).await
}

#[actix_web::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let house = House::fresh().await;
    for role in ALL {
        let actor = house.with_role(role).await;
        let words = Words::of(&house, role).await;
        for row in TABLE {
            let reply = call(&actor, &words, row).await;
            if row.3.contains(role) {
                assert!((200..300).contains(&reply.status), "{role} {} {}: {}", row.0, row.1, reply.text);
            } else {
                let reply = reply.refused(Code::PermissionDenied);
                assert_eq!(reply.json["field_errors"]["required_role"], json!([row.3.join(", ")]), "{}", row.1);
            }
        }
    }
}

#[actix_web::test]
async fn nobody_else_gets_in_and_a_role_is_checked_before_the_body() {
    let house = House::fresh().await;
    let words = Words::of(&house, "nobody").await;
    let tenant = house.caller(&words.org).await;
    for (index, row) in TABLE.iter().enumerate() {
        // Strangers have thirty calls a minute.
        if index % 20 == 19 {
            house.advance(std::time::Duration::from_secs(61));
        }
        call(&tenant, &words, row).await.refused(Code::Unauthenticated);
    }
    let viewer = house.with_role("viewer").await;
    let body = json!({"no such field": 1});
    viewer.post("/v1/admin/orgs", body.clone()).await.refused(Code::PermissionDenied);
    house.owner().post("/v1/admin/orgs", body).await.refused(Code::ValidationFailed);
    viewer.get("/v1/account").await.refused(Code::Unauthenticated);
}

#[actix_web::test]
async fn a_revoked_token_is_refused_at_once() {
    let house = House::fresh().await;
    let id = house.owner().post("/v1/admin/operators", json!({"name": "Ada", "role": "owner"})).await.expect(201);
    let path = format!("/v1/admin/operators/{}/tokens", id.text_at("/id"));
    let made = house.owner().post(&path, json!({})).await.expect(201);
    let ada = house.anonymous().with_token(&made.text_at("/secret"));
    ada.get("/v1/admin/orgs").await.expect(200);
    house.owner().delete(&format!("{path}/{}", made.text_at("/id"))).await.expect(200);
    ada.get("/v1/admin/orgs").await.refused(Code::KeyRevoked);
    house.owner().delete(&format!("{path}/tok_01h455vb4pex5vsknk084sn02q")).await.refused(Code::NotFound);
}
