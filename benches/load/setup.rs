//! What a run needs to exist: made by the admin API, as an operator would.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::nodes::{Node, Stage};
use crate::wire::Wire;

/// An organization that may send as fast as it can, and its key.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// The organization, org_….
    pub org: String,
    /// Its live key.
    pub key: String,
}

/// The policies that a plan can raise, and how far: each still counts every request and every message. Those of a
/// number (three in five minutes) stay as they are.
const RAISED: [(&str, &str); 11] = [
    ("key.burst.short", "1000000/1s"),
    ("key.burst.medium", "10000000/10s"),
    ("key.burst.long", "60000000/min"),
    ("key.minute", "60000000/min"),
    ("org.minute", "60000000/min"),
    ("key.window", "1000000000/1h"),
    ("key.daily", "4000000000/day"),
    ("band.send", "60000000/min"),
    ("band.read", "60000000/min"),
    ("band.manage", "60000000/min"),
    ("sms.plan", "60000000/min"),
];

/// Countries of the price list.
const COUNTRIES: &str = "AE AR AT AU BE BG BR CA CH CL CN CO CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IT JP KE KR \
                         LT LU LV MA MX MY NG NL NO NZ PE PH PK PL PT RO RS SA SE SG SI SK TH TR TW UA US VN ZA";

/// Makes the organization, its plan, prices, money, key and route.
pub async fn tenant(stage: &Stage, node: &Node) -> anyhow::Result<Tenant> {
    let mut desk = Desk::open(node.address, &stage.operator).await?;
    let policies: serde_json::Map<String, Value> =
        RAISED.iter().map(|(policy, rate)| (String::from(*policy), json!(rate))).collect();
    let plan = json!({"policies": policies, "reason": "load"});
    desk.ask("PUT /v1/admin/plans/enterprise", &plan).await?;
    let countries = json!({"name": "Load", "plan": "enterprise", "country": "GB", "countries": ["GB"]});
    let org = text(&desk.ask("POST /v1/admin/orgs", &countries).await?, "id")?;
    desk.ask("PUT /v1/admin/prices", &prices()).await?;
    let money = json!({"amount": "900000000.00", "currency": "USD", "reason": "load"});
    desk.ask(&format!("POST /v1/admin/orgs/{org}/wallet/adjustments"), &money).await?;
    desk.ask("PUT /v1/admin/routes", &json!([{"channel": "sms", "carrier": "load"}])).await?;
    let key = json!({"name": "load", "mode": "live"});
    let made = desk.ask(&format!("POST /v1/admin/orgs/{org}/keys"), &key).await?;
    Ok(Tenant { org, key: text(&made, "secret")? })
}

/// A line for everything, one for each country, and some for parts of the country that is sent to.
fn prices() -> Value {
    let line = |country: Option<&str>, prefix: Option<&str>, amount: &str| json!({"channel": "sms", "country": country, "prefix": prefix, "amount": amount, "currency": "USD"});
    let mut lines = vec![line(None, None, "0.05")];
    lines.extend(COUNTRIES.split_whitespace().map(|country| line(Some(country), None, "0.0312")));
    lines.extend((70..80).map(|part| line(Some("GB"), Some(&format!("+44{part}")), "0.0401")));
    Value::Array(lines)
}

struct Desk {
    wire: Wire,
    operator: String,
}

impl Desk {
    async fn open(address: SocketAddr, operator: &str) -> anyhow::Result<Desk> {
        Ok(Desk { wire: Wire::open(address).await?, operator: String::from(operator) })
    }

    async fn ask(&mut self, line: &str, body: &Value) -> anyhow::Result<Value> {
        let body = body.to_string();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.operator,
            body.len()
        );
        let answer = self.wire.call(request.as_bytes()).await?;
        let shown = String::from_utf8_lossy(answer.body);
        ensure!((200..300).contains(&answer.status), "{line}: {} {shown}", answer.status);
        Ok(serde_json::from_str(&shown)?)
    }
}

fn text(body: &Value, name: &str) -> anyhow::Result<String> {
    Ok(String::from(body.get(name).and_then(Value::as_str).with_context(|| format!("the answer has no {name}"))?))
}
