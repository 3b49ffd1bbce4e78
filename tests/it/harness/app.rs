//! Postern as a test sees it: the real server on a free port, a database and carriers of its own, the clock in hand,
//! the worker stepped by hand.
//!
//! ```ignore
//! let app = TestApp::start().await;
//! let acme = app.tenant().await;
//! acme.live.post("/v1/messages", json!({"to": "+447911123456", "body": "hello"})).await.expect(202);
//! app.step().await;                                   // hands over what is due
//! assert_eq!(app.acme.hand_offs().len(), 1);          // what the carrier saw
//! app.advance(Duration::from_secs(60));
//! ```

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use postern::app::App;
use postern::clock::{Clock, Millis};
use postern::config::{CarrierConfig, Config, DatabaseUrl, RedisUrl, Source};
use postern::db::{Address, Conn};
use postern::error::Result;
use postern::ids::RouteId;
use postern::routing::{self, Route};
use postern::secret::Secret;
use postern::{messages, server, start};
use serde_json::{Value, json};

use super::actor::Actor;
use super::backend::Backend;
use super::fake_carrier::FakeCarrier;
use super::fake_smtp::FakeSmtp;

/// The token of the first owner, as an operator would choose it.
const OWNER_TOKEN: &str = "an owner's token of my own choice";

/// Half past two in the afternoon (UTC) of a Saturday, far from any turn of a calendar.
pub const START: Millis = Millis(1_774_708_200_000);

/// A running server; stops when dropped.
pub struct TestApp {
    /// The application inside, for what has no door.
    pub app: Data<App>,
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    /// The carrier `acme`: generic HTTP, the route of every live SMS unless a test says otherwise.
    pub acme: FakeCarrier,
    /// The carrier `twilio`: of Twilio's shape, without a route at first.
    pub twilio: FakeCarrier,
    /// The carrier `post`: the route of every live email.
    pub post: FakeSmtp,
    handle: ServerHandle,
    backend: Arc<Backend>,
}

/// An organization with a key of each mode that may do everything.
pub struct Tenant {
    /// The organization's id.
    pub org: String,
    /// Calls with the test key.
    pub test: Actor,
    /// Calls with the live key.
    pub live: Actor,
}

impl TestApp {
    /// A server on a fresh database.
    pub async fn start() -> TestApp {
        TestApp::start_with(|_| {}).await
    }

    /// A server on a fresh database, with the configuration changed before.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> TestApp {
        let app = TestApp::beside(&Arc::new(Backend::fresh()), Clock::manual(START), change).await;
        app.route(&[("sms", "acme", 1), ("email", "post", 1)]).await;
        app
    }

    /// Another process on the same database and clock; its carriers are its own.
    pub async fn another(&self) -> TestApp {
        self.another_with(|_| {}).await
    }

    /// Another process on the same database and clock, with the configuration changed before.
    pub async fn another_with(&self, change: impl FnOnce(&mut Config)) -> TestApp {
        TestApp::beside(&self.backend, self.app.clock.clone(), change).await
    }

    async fn beside(backend: &Arc<Backend>, clock: Clock, change: impl FnOnce(&mut Config)) -> TestApp {
        let (acme, twilio, post) = (FakeCarrier::start(), FakeCarrier::start(), FakeSmtp::start());
        let mut config = Config::for_tests();
        config.database.url = Some(match backend.settings().address {
            Address::Sqlite(path) => DatabaseUrl::Sqlite(path),
            Address::Postgres(url) => DatabaseUrl::Postgres(Secret::new(url)),
        });
        config.node.operator_token = Some(Secret::new(OWNER_TOKEN.to_owned()));
        config.carriers = carriers(&acme, &twilio, &post);
        config.node.redis_url = redis_of_this_run();
        // A busy machine is no outage; tests of outages set their own.
        config.limits.redis_timeout = Duration::from_secs(5);
        change(&mut config);
        let app = start::wire(config, clock).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = server::bind(app.clone(), listener).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        TestApp { app, base, acme, twilio, post, handle, backend: backend.clone() }
    }

    /// Where the database is.
    pub fn url(&self) -> String {
        self.backend.url.clone()
    }

    /// Somebody without a key.
    pub fn anonymous(&self) -> Actor {
        Actor::anonymous(&self.base)
    }

    /// The first owner among the operators.
    pub fn operator(&self) -> Actor {
        self.anonymous().with_token(OWNER_TOKEN)
    }

    /// An organization that may send everywhere, on a plan that stays out of the way.
    pub async fn tenant(&self) -> Tenant {
        self.tenant_with(json!({"plan": "enterprise"})).await
    }

    /// An organization with these members beside or instead of the usual ones.
    pub async fn tenant_with(&self, members: Value) -> Tenant {
        let mut body = json!({"name": "ACME", "country": "GB", "countries": ["*"], "kyb_status": "verified"});
        let wanted = members.as_object().cloned().unwrap_or_default();
        body.as_object_mut().unwrap().extend(wanted);
        let org = self.operator().post("/v1/admin/orgs", body).await.expect(201).text_at("/id");
        self.register_number(&org).await;
        let test = self.key(&org, json!({"mode": "test"})).await;
        let live = self.key(&org, json!({"mode": "live"})).await;
        Tenant { org, test, live }
    }

    /// Where there is a carrier of Meta's, its number is the first organization's own, at a tier without bounds.
    async fn register_number(&self, org: &str) {
        if self.app.config.carrier("meta").is_none() {
            return;
        }
        let number = json!({"org_id": org, "phone_number": "+447400900100", "portfolio": "all",
            "phone_number_id": "800100200300401", "tier": 4});
        let reply = self.operator().post("/v1/admin/whatsapp/numbers", number).await;
        assert!(matches!(reply.status, 201 | 409), "{}", reply.text);
    }

    /// A caller with a new key of this organization.
    pub async fn key(&self, org: &str, members: Value) -> Actor {
        let mut body = json!({"name": "key"});
        body.as_object_mut().unwrap().extend(members.as_object().cloned().unwrap_or_default());
        let path = format!("/v1/admin/orgs/{org}/keys");
        let secret = self.operator().post(&path, body).await.expect(201).text_at("/secret");
        self.anonymous().with_token(&secret)
    }

    /// Replaces all routes by these: channel, carrier, priority.
    pub async fn route(&self, routes: &[(&str, &str, i32)]) {
        let now = self.app.clock.now();
        let route = |(channel, carrier, priority): &(&str, &str, i32)| Route {
            id: RouteId::new(now),
            channel: channel.parse().unwrap(),
            country: None,
            prefix: None,
            org_id: None,
            carrier: (*carrier).to_owned(),
            priority: *priority,
            weight: 1,
            price: None,
            paused: false,
        };
        let list: Vec<Route> = routes.iter().map(route).collect();
        self.write(move |conn| routing::replace(conn, &list, now)).await;
        messages::forget_tables(&self.app);
    }

    /// One step of dispatch: hands over everything that is due; how many messages that was.
    pub async fn step(&self) -> usize {
        messages::dispatch_once(&self.app, 1000).await.unwrap()
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// Reads the database, for what no route shows.
    pub async fn read<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> T {
        self.app.db.read(work).await.unwrap()
    }

    /// Writes the database, for what no route does.
    pub async fn write<T: Send + 'static>(&self, work: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> T {
        self.app.db.write(work).await.unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        drop(std::fs::remove_dir_all(&self.app.config.node.data_dir));
    }
}

/// The Redis that this run counts requests in, if it is about one.
#[expect(clippy::disallowed_methods, reason = "the run's own switch, not configuration of the product")]
fn redis_of_this_run() -> Option<RedisUrl> {
    let url = std::env::var("POSTERN_TEST_REDIS").ok().filter(|url| !url.is_empty())?;
    Some(redis_url(&url))
}

/// A Redis as configuration names it.
pub fn redis_url(url: &str) -> RedisUrl {
    let env = [("POSTERN_REDIS_URL".to_owned(), url.to_owned())].into();
    let source = Source { name: "tests".to_owned(), env, ..Source::default() };
    Config::load(source).unwrap().node.redis_url.unwrap()
}

/// The sandbox and three carriers on real sockets, as `postern.toml` would name them.
fn carriers(acme: &FakeCarrier, twilio: &FakeCarrier, post: &FakeSmtp) -> Vec<CarrierConfig> {
    let text = format!(
        r#"
        [[carriers]]
        name = "acme"
        kind = "http"
        url = "{acme}"
        body = '{{"to":"{{to}}","from":"{{from}}","text":"{{text}}","ref":"{{id}}"}}'
        id_pointer = "/id"
        [carriers.receipt]
        secret = "{ACME_SECRET}"
        status_map = {{ SENT = "sent", DELIVRD = "delivered", UNDELIV = "undelivered", REJECTD = "failed" }}

        [[carriers]]
        name = "twilio"
        kind = "twilio"
        base_url = "{twilio}"
        account_sid = "AC00000000000000000000000000000000"
        auth_token = "{TWILIO_TOKEN}"
        from = "+15005550006"

        [[carriers]]
        name = "post"
        kind = "smtp"
        host = "{host}"
        port = {port}
        tls = "none"
        username = "postern"
        password = "a mail password"
        from = "Postern <no-reply@example.com>"
        "#,
        acme = acme.url("/send"),
        twilio = twilio.url(""),
        host = post.address().ip(),
        port = post.address().port(),
    );
    let source = Source { name: "tests".to_owned(), text, ..Source::default() };
    Config::load(source).unwrap_or_else(|faults| panic!("{faults}")).carriers
}

/// What `acme` signs its receipts with.
pub const ACME_SECRET: &str = "a secret of acme's own";
/// What `twilio` is called with and signs with.
pub const TWILIO_TOKEN: &str = "a token of twilio's own";

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_live_message_reaches_its_carrier_at_the_next_step() {
        let app = TestApp::start().await;
        let tenant = app.tenant().await;
        let body = json!({"to": "+447911123456", "body": "hello", "kind": "transactional"});
        let sent = tenant.live.post("/v1/messages", body).await.expect(202);
        assert_eq!((sent.text_at("/status"), app.acme.calls()), ("queued".to_owned(), 0));
        assert_eq!(app.step().await, 1);
        assert_eq!(app.acme.hand_offs()[0].json()["to"], "+447911123456");
        let path = format!("/v1/messages/{}", sent.text_at("/id"));
        assert_eq!(tenant.live.get(&path).await.expect(200).text_at("/status"), "sent");
        assert_eq!(app.twilio.calls(), 0);
    }

    #[actix_web::test]
    async fn a_test_message_stays_in_the_sandbox() {
        let app = TestApp::start().await;
        let tenant = app.tenant().await;
        tenant.test.post("/v1/messages", json!({"to": "+15005550000", "body": "481516"})).await.expect(202);
        assert_eq!(app.step().await, 1);
        let inbox = tenant.test.get("/v1/sandbox/messages?to=%2B15005550000").await.expect(200);
        assert_eq!((inbox.text_at("/data/0/body"), app.acme.calls()), ("481516".to_owned(), 0));
        let account = tenant.live.get("/v1/account").await.expect(200);
        assert_eq!(account.text_at("/organization/id"), tenant.org);
    }

    #[actix_web::test]
    async fn live_mail_is_posted() {
        let app = TestApp::start().await;
        let tenant = app.tenant().await;
        let body = json!({"to": "ann@example.com", "channel": "email", "body": "Your code is 481516"});
        tenant.live.post("/v1/messages", body).await.expect(202);
        app.step().await;
        assert_eq!(app.post.letters()[0].to, ["ann@example.com"]);
    }

    #[actix_web::test]
    async fn two_processes_share_a_database_and_a_clock() {
        let app = TestApp::start().await;
        let other = app.another().await;
        let tenant = app.tenant().await;
        tenant.live.post("/v1/messages", json!({"to": "+447911123456", "body": "1"})).await.expect(202);
        assert_eq!((other.step().await, app.step().await), (1, 0));
        assert_eq!((other.acme.calls(), app.acme.calls()), (1, 0));
        app.advance(Duration::from_secs(1));
        assert_eq!(other.app.clock.now(), START.plus(Duration::from_secs(1)));
        assert_eq!(other.read(|conn| Ok(routing::load(conn)?.len())).await, 2);
    }
}
