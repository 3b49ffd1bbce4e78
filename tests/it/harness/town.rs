//! What stands around server processes and outlives them: a database, a folder, a carrier, and an organization with
//! keys, prices and money. One town may have several servers at once.

use std::path::PathBuf;

use postern::accounts::{
    self, Countries, KybStatus, NewKey, NewOrg, PlanName, create_key, create_org, ensure_first_owner, update_plan,
};
use postern::audit::{Actor as Who, By};
use postern::clock::Clock;
use postern::db::{Conn, Db};
use postern::error::Result;
use postern::ids::RouteId;
use postern::limits::Policies;
use postern::money::{Currency, Micros};
use postern::routing::{self, Route};
use postern::secret::Secret;
use postern::terms::{Channel, Mode};
use postern::wallet::{self, ChargedAt, Entry, EntryKind, Price};
use serde_json::{Value, json};

use super::actor::Actor;
use super::backend::Backend;
use super::fake_carrier::FakeCarrier;
use super::process::Server;

/// An operator's token.
pub const OPERATOR: &str = "an owner's token that no log may show";
/// What `acme` signs its receipts with.
const ACME_SECRET: &str = "a secret of acme's that no log may show";
/// The organization's live money at first.
pub const OPENING: i64 = 1_000_000_000;
/// What an SMS costs.
pub const PRICE: i64 = 7_500;

/// See the module.
pub struct Town {
    /// The database.
    pub backend: Backend,
    /// The route of every live SMS.
    pub acme: FakeCarrier,
    /// The organization's id.
    pub org: String,
    /// Its live and its test key.
    pub keys: [String; 2],
    folder: PathBuf,
    db: Db,
}

impl Town {
    /// A town whose limits stay out of the way, but for those of codes.
    pub async fn found() -> Town {
        Town::found_on(Backend::fresh(), json!({})).await
    }

    /// A town on this database with these policies instead of unlimited ones.
    pub async fn found_on(backend: Backend, policies: Value) -> Town {
        let folder = std::env::temp_dir().join(format!("postern-town-{}", postern::secret::random_token::<12>()));
        std::fs::create_dir(&folder).unwrap();
        let acme = FakeCarrier::start();
        std::fs::write(folder.join("postern.toml"), carriers(&acme)).unwrap();
        let db = backend.open(Clock::System);
        let (org, keys) = db.write(move |conn| settle_in(conn, policies)).await.unwrap();
        Town { backend, acme, org, keys, folder, db }
    }

    /// A server that is still starting, with these variables besides the town's.
    pub fn start(&self, env: &[(&str, &str)]) -> Server {
        let data = self.folder.join("data").display().to_string();
        let own = [
            ("POSTERN_BIND", "127.0.0.1:0"),
            ("POSTERN_METRICS_BIND", "off"),
            ("POSTERN_DATA_DIR", &data),
            ("POSTERN_DATABASE_URL", &self.backend.url),
            ("POSTERN_SECRET_KEY", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="),
            ("POSTERN_OPERATOR_TOKEN", OPERATOR),
            // Several at once, and the next at once after one that was killed. The door's limits are far away; those of
            // messages are counted in the database.
            ("POSTERN_LIMITS_SEVERAL_NODES", "divide"),
            ("POSTERN_SERVER_WORKERS", "1"),
            ("POSTERN_SERVER_DRAIN_DELAY", "0s"),
            ("POSTERN_DATABASE_READERS", "2"),
            ("POSTERN_DATABASE_WRITERS", "2"),
            ("POSTERN_OUTBOUND_CONNECT_TIMEOUT", "1s"),
            ("POSTERN_OUTBOUND_TOTAL_TIMEOUT", "2s"),
            ("POSTERN_DISPATCH_LEASE", "5s"),
            ("POSTERN_DISPATCH_POLL_INTERVAL", "100ms"),
        ];
        let all = own.iter().chain(env).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        // The last of a name wins.
        let all: std::collections::BTreeMap<_, _> = all.collect();
        let all: Vec<_> = all.into_iter().collect();
        Server::spawn(&self.folder, &self.folder.join("log"), &all)
    }

    /// A server that takes requests.
    pub async fn serve(&self) -> Server {
        self.serve_with(&[]).await
    }

    /// A server that takes requests, with these variables besides the town's.
    pub async fn serve_with(&self, env: &[(&str, &str)]) -> Server {
        let mut server = self.start(env);
        server.ready().await;
        server
    }

    /// Calls with the live key.
    pub fn live(&self, server: &Server) -> Actor {
        Actor::anonymous(&server.base).with_token(&self.keys[0])
    }

    /// The owner among the operators.
    pub fn operator(&self, server: &Server) -> Actor {
        Actor::anonymous(&server.base).with_token(OPERATOR)
    }

    /// `acme` reports that it delivered everything it was ever called for; the status it was answered with.
    pub async fn deliver_all(&self, server: &Server) -> reqwest::Result<u16> {
        let rows: Vec<Value> =
            (1..=self.acme.calls()).map(|n| json!({"id": format!("SM{n:032x}"), "status": "DELIVRD"})).collect();
        let body = Value::from(rows);
        let mac = postern::secret::hmac_sha256(ACME_SECRET.as_bytes(), body.to_string().as_bytes());
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let caller = Actor::anonymous(&server.base).with_header("X-Signature", &hex);
        Ok(caller.attempt("POST", "/hooks/acme/status", Some(body)).await?.status)
    }

    /// Everything that its servers have said so far.
    pub fn log(&self) -> String {
        std::fs::read(self.folder.join("log")).map(|log| String::from_utf8_lossy(&log).into_owned()).unwrap_or_default()
    }

    /// What must not stand in the log.
    pub fn secrets(&self) -> Vec<&str> {
        vec![&self.keys[0], &self.keys[1], OPERATOR, ACME_SECRET]
    }

    /// Writes to the database, past the servers.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T> + Clone + Send + 'static,
    ) -> T {
        // A connection that the database cut off is noticed by its first use.
        for _ in 0..4 {
            if let Ok(done) = self.db.write(work.clone()).await {
                return done;
            }
        }
        self.db.write(work).await.unwrap()
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let last: Vec<_> = log.lines().rev().take(40).collect();
            eprintln!("the end of the servers' log:");
            last.iter().rev().for_each(|line| eprintln!("  {line}"));
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The organization, its keys, a price, a route and money, as an operator would make them.
fn settle_in(conn: &mut Conn, policies: Value) -> Result<(String, [String; 2])> {
    let now = Clock::System.now();
    let by = By::local(Who::Cli, now);
    accounts::seed(conn, now)?;
    ensure_first_owner(conn, now, &Secret::new(OPERATOR.to_owned()))?;
    update_plan(conn, &by, PlanName::Enterprise, roomy(policies))?;
    let plain = NewOrg::named("ACME", PlanName::Enterprise, "GB".parse().unwrap());
    let org = create_org(
        conn,
        &by,
        NewOrg { countries: Some(Countries::Every), kyb_status: Some(KybStatus::Verified), ..plain },
    )?
    .id;
    let (_, live) = create_key(conn, &by, org, NewKey::named("live", Mode::Live))?;
    let (_, test) = create_key(conn, &by, org, NewKey::named("test", Mode::Test))?;
    let price = Price {
        channel: Channel::Sms,
        country: None,
        prefix: None,
        category: None,
        segment: 1,
        amount: Micros(PRICE),
        currency: Currency::USD,
        valid_from: now,
        charged_at: ChargedAt::HandOff,
    };
    wallet::replace_prices(conn, &[price], now)?;
    let route = Route {
        id: RouteId::new(now),
        channel: Channel::Sms,
        country: None,
        prefix: None,
        org_id: None,
        carrier: "acme".to_owned(),
        priority: 1,
        weight: 1,
        price: None,
        paused: false,
    };
    routing::replace(conn, &[route], now)?;
    let money = Entry::new(EntryKind::TopUp, (org, Mode::Live), Micros(OPENING), Currency::USD, now);
    wallet::adjust(conn, &money, now)?;
    Ok((org.to_string(), [live.expose().clone(), test.expose().clone()]))
}

/// Every limit of requests and of the plan far away, unless told otherwise; those of codes as they are.
fn roomy(over: Value) -> Policies {
    let mut policies = Policies::plan_defaults("enterprise").unwrap();
    let all: Vec<_> = policies.iter().map(|(policy, _)| policy).collect();
    let far = "1000000/min".parse().unwrap();
    for policy in all {
        let name = policy.to_string();
        let is_own = ["otp.", "platform.", "check.", "whatsapp."].iter().any(|room| name.starts_with(room));
        if !is_own {
            policies.set(policy, far);
        }
    }
    policies.merged(&serde_json::from_value(over).unwrap())
}

fn carriers(acme: &FakeCarrier) -> String {
    format!(
        r#"
        [[carriers]]
        name = "acme"
        kind = "http"
        url = "{url}"
        body = '{{"to":"{{to}}","text":"{{text}}","ref":"{{id}}"}}'
        id_pointer = "/id"
        [carriers.receipt]
        secret = "{ACME_SECRET}"
        status_map = {{ SENT = "sent", DELIVRD = "delivered" }}
        "#,
        url = acme.url("/send"),
    )
}
