//! A server with the guards, the account and the operators' routes, on a port and a database of its own.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, HttpServer, get, web};
use postern::accounts::{self, Caller, Scope};
use postern::app::{App, Ground};
use postern::clock::{Clock, Millis};
use postern::config::Config;
use postern::db::{Conn, Db};
use postern::error::Result;
use postern::http::{self, path_part};
use postern::providers::Carriers;
use postern::secret::{Keyring, Secret};
use serde_json::{Value, json};

use crate::harness::Backend;
use crate::harness::actor::{Actor, Reply};

/// The token of the first owner, as an operator would choose it.
const OWNER_TOKEN: &str = "an owner's token of my own choice";

/// Two in the afternoon on a day far from any turn of a calendar.
pub const START: Millis = Millis(1_774_708_200_000);

/// A running server; stops when dropped.
pub struct House {
    pub app: web::Data<App>,
    base: String,
    handle: ServerHandle,
}

impl House {
    /// A house on a fresh database.
    pub async fn fresh() -> (House, Backend) {
        let backend = Backend::fresh();
        let house = House::on(&backend).await;
        (house, backend)
    }

    /// A house on this database; two on one are two processes.
    pub async fn on(backend: &Backend) -> House {
        let clock = Clock::manual(START);
        let house = House::over(backend.open(clock.clone()), clock);
        let seeded = house.app.db.write(|conn| {
            accounts::seed(conn, START)?;
            accounts::ensure_first_owner(conn, START, &Secret::new(OWNER_TOKEN.to_owned()))
        });
        seeded.await.unwrap();
        house
    }

    /// A house whose database need not answer.
    pub fn over(db: Db, clock: Clock) -> House {
        let keyring = Keyring::new([7; 32]);
        let ground = Ground { config: Config::for_tests(), clock, db, keyring, carriers: Carriers::default() };
        let app = web::Data::from(Arc::new(App::new(ground)));
        let shared = app.clone();
        let server = HttpServer::new(move || {
            actix_web::App::new()
                .app_data(shared.clone())
                .service(
                    web::scope("/v1/admin")
                        .configure(postern::admin::configure)
                        .wrap(from_fn(accounts::operator_guard)),
                )
                .service(
                    web::scope("/v1").service(accounts::show_account).service(probe).wrap(from_fn(accounts::guard)),
                )
                .wrap(from_fn(http::frame))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let base = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        House { app, base, handle }
    }

    /// Somebody without a credential.
    pub fn anonymous(&self) -> Actor {
        Actor::anonymous(&self.base)
    }

    /// The first owner.
    pub fn owner(&self) -> Actor {
        self.anonymous().with_token(OWNER_TOKEN)
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// Reads the database.
    pub async fn read<T: Send + 'static>(&self, read: fn(&mut Conn) -> Result<T>) -> T {
        self.app.db.read(read).await.unwrap()
    }

    /// An organization on the enterprise plan, so that door limits stay out of the way.
    pub async fn org(&self, name: &str) -> String {
        let body = json!({"name": name, "plan": "enterprise", "country": "GB"});
        self.owner().post("/v1/admin/orgs", body).await.expect(201).text_at("/id")
    }

    /// A key of an organization: the answer that made it.
    pub async fn key(&self, org: &str, body: Value) -> Reply {
        self.owner().post(&format!("/v1/admin/orgs/{org}/keys"), body).await.expect(201)
    }

    /// A caller with a new live key that may do everything.
    pub async fn caller(&self, org: &str) -> Actor {
        let made = self.key(org, json!({"name": "all", "mode": "live"})).await;
        self.anonymous().with_token(&made.text_at("/secret"))
    }

    /// An operator of this role.
    pub async fn operator(&self, role: &str) -> Actor {
        let body = json!({"name": format!("a {role}"), "role": role});
        let id = self.owner().post("/v1/admin/operators", body).await.expect(201).text_at("/id");
        let made = self.owner().post(&format!("/v1/admin/operators/{id}/tokens"), json!({})).await.expect(201);
        self.anonymous().with_token(&made.text_at("/secret"))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// Needs the scope that its path names.
#[get("/probe/{scope}")]
async fn probe(req: actix_web::HttpRequest, caller: Caller) -> Result<HttpResponse> {
    caller.require(path_part::<Scope>(&req, "scope")?)?;
    http::reply::ok(&json!({}))
}
