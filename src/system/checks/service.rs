//! The service: database, public address, routes, operators.

use std::sync::Arc;

use super::Finding;
use crate::accounts::list_operators;
use crate::app::App;
use crate::clock::{Clock, Millis};
use crate::config::{CarrierKind, Config, DatabaseUrl};
use crate::db::{Conn, Db, Settings, migrate};
use crate::error::{Error, Result};
use crate::limits::Door;
use crate::nodes::Nodes;
use crate::routing::{self, Route};
use crate::wallet::{self, Books};

/// A difference of clocks that shows in time-outs and resets.
const SKEW_MS: i64 = 2_000;

/// Looks at everything that is not the machine.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![public_url(config), checkpoints(config)];
    findings.extend(database(config).await);
    findings.extend(redis(config).await);
    findings
}

/// Looks at the same by the database and the links that the process has open.
pub async fn examine_running(app: &App) -> Result<Vec<Finding>> {
    let mut findings = vec![public_url(&app.config), checkpoints(&app.config)];
    let db = app.db.clone();
    // The books are left to `GET /v1/admin/ledger`: they are read as a whole.
    let seen = app.db.read(move |conn| look(conn, &db, false)).await?;
    findings.extend(seen.findings(&app.config, app.clock.now()));
    Ok(findings)
}

fn checkpoints(config: &Config) -> Finding {
    const ABOUT: &str = "audit checkpoints";
    let kept = [config.audit.checkpoint_file.is_some(), config.audit.checkpoint_url.is_some()];
    if kept.contains(&true) {
        return Finding::ok(ABOUT, "are kept outside the database");
    }
    Finding::ok(ABOUT, "in the database and the log only; audit.checkpoint_file and checkpoint_url keep them elsewhere")
}

fn public_url(config: &Config) -> Finding {
    const ABOUT: &str = "public URL";
    let url = config.public_url();
    if config.server.public_url.is_none() {
        let hint = "set POSTERN_PUBLIC_URL to the address the world reaches this server by";
        return match expects_callbacks(config) {
            // A proxy is there for TLS: then browsers see https where this server believes itself on plain http.
            None if !config.server.trusted_proxies.is_empty() => Finding::warn(
                ABOUT,
                "not set, though server.trusted_proxies names a proxy: the console's cookies go without Secure and \
                 __Host-, and links begin with http",
                "set POSTERN_PUBLIC_URL to the https address of the proxy, such as https://otp.example.com",
            ),
            Some(name) => Finding::fail(ABOUT, format!("not set, and {name} sends receipts to it"), hint),
            None => Finding::warn(ABOUT, format!("not set; {url} stands in"), hint),
        };
    }
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|at| url.as_str().starts_with(at));
    if url.is_https() || local {
        return Finding::ok(ABOUT, url.to_string());
    }
    Finding::warn(ABOUT, format!("{url} is not https"), "put a proxy with TLS in front")
}

/// A carrier whose receipts come to the public URL.
fn expects_callbacks(config: &Config) -> Option<&str> {
    let calls_back = |kind: &CarrierKind| match kind {
        CarrierKind::Twilio(_) => true,
        CarrierKind::Http(keys) => keys.receipt.is_some(),
        CarrierKind::Plivo(_) | CarrierKind::Meta(_) => true,
        CarrierKind::VonageSms(account) => account.callback_token.is_some() || account.signature_secret.is_some(),
        CarrierKind::Vonage(account) => account.signature_secret.is_some(),
        CarrierKind::Infobip(account) => account.callback_token.is_some(),
        CarrierKind::Kannel(account) => account.callback_token.is_some(),
        CarrierKind::Bird(account) => account.webhook_secret.is_some(),
        CarrierKind::Sandbox | CarrierKind::Smpp(_) | CarrierKind::Smtp(_) | CarrierKind::Sns(_) => false,
    };
    config.carriers.iter().find(|carrier| calls_back(&carrier.kind)).map(|carrier| carrier.name.as_str())
}

async fn redis(config: &Config) -> Option<Finding> {
    const ABOUT: &str = "Redis";
    let url = config.node.redis_url.as_ref()?;
    if config.database_url().is_sqlite() {
        return Some(Finding::warn(ABOUT, "is not used: SQLite has one node", "remove redis_url"));
    }
    let clock = Clock::System;
    let opened = Door::new(config, &clock, Arc::new(Nodes::unknown(config.node.role, &clock)));
    let answers = match opened {
        Ok(door) => {
            door.connect().await;
            !door.is_degraded()
        }
        Err(_) => false,
    };
    Some(if answers {
        Finding::ok(ABOUT, format!("{url:?} runs the limits' script in time"))
    } else {
        let hint = "check POSTERN_REDIS_URL, and that its user may run scripts and write keys postern:*";
        Finding::fail(ABOUT, format!("{url:?} does not run the limits' script in time"), hint)
    })
}

async fn database(config: &Config) -> Vec<Finding> {
    const ABOUT: &str = "database";
    let url = config.database_url();
    if let DatabaseUrl::Sqlite(path) = &url
        && !path.exists()
    {
        return vec![Finding::ok(ABOUT, format!("{} will be made at first start", path.display()))];
    }
    let clock = Clock::System;
    let opened = Db::open(&Settings::of(config), clock.clone());
    let looked = match opened {
        Ok(db) => {
            let asked = db.clone();
            db.read(move |conn| look(conn, &asked, true)).await
        }
        Err(error) => Err(error),
    };
    match looked {
        Ok(seen) => seen.findings(config, clock.now()),
        Err(error) => {
            let cause = error.cause_text().unwrap_or(error.sentence()).to_owned();
            vec![Finding::fail(ABOUT, format!("{url} does not answer: {cause}"), "check POSTERN_DATABASE_URL")]
        }
    }
}

/// What the database shows.
struct Seen {
    pending: Vec<String>,
    now: Millis,
    rows: Option<Rows>,
}

/// What its tables show, once they are there.
struct Rows {
    routes: Vec<Route>,
    has_operator: bool,
    books: Option<Books>,
}

fn look(conn: &mut Conn, db: &Db, with_books: bool) -> Result<Seen> {
    let pending = migrate::pending(conn)?;
    let now = db.now(conn)?;
    let rows = if pending.is_empty() { Some(look_at_rows(conn, with_books)?) } else { None };
    Ok(Seen { pending, now, rows })
}

fn look_at_rows(conn: &mut Conn, with_books: bool) -> Result<Rows, Error> {
    Ok(Rows {
        routes: routing::load(conn)?,
        has_operator: !list_operators(conn, None, 1)?.is_empty(),
        books: if with_books { Some(wallet::check_books(conn)?) } else { None },
    })
}

impl Seen {
    fn findings(&self, config: &Config, here: Millis) -> Vec<Finding> {
        let mut findings = vec![self.schema(config), skew(self.now, here)];
        if let Some(rows) = &self.rows {
            findings.push(routes(&rows.routes, config));
            findings.push(operators(rows.has_operator));
            findings.extend(rows.books.as_ref().map(ledger));
        }
        findings
    }

    fn schema(&self, config: &Config) -> Finding {
        let url = config.database_url();
        match self.pending.len() {
            0 => Finding::ok("database", format!("{url} answers, its schema is up to date")),
            count => {
                let found = format!("{url} answers; migrations pending: {count}");
                Finding::warn("database", found, "run: postern migrate (serve does it at start, too)")
            }
        }
    }
}

fn skew(there: Millis, here: Millis) -> Finding {
    let apart = there.0.abs_diff(here.0);
    if apart <= SKEW_MS.unsigned_abs() {
        return Finding::ok("database clock", "agrees with this machine's");
    }
    Finding::warn("database clock", format!("is {apart} ms from this machine's"), "keep both by NTP")
}

fn routes(routes: &[Route], config: &Config) -> Finding {
    const ABOUT: &str = "routes";
    let hint = "add one with PUT /v1/admin/routes";
    if let Some(lost) = routes.iter().find(|route| config.carrier(&route.carrier).is_none()) {
        let found = format!("{} names the carrier {}, which is not configured", lost.id, lost.carrier);
        return Finding::fail(ABOUT, found, "configure that carrier, or change the route");
    }
    match routes.iter().filter(|route| !route.paused).count() {
        0 => Finding::warn(ABOUT, "none in use: live keys are answered 503", hint),
        count => Finding::ok(ABOUT, format!("{count} in use")),
    }
}

fn operators(any: bool) -> Finding {
    if any {
        return Finding::ok("operators", "there is at least one");
    }
    let hint = "run: postern operator create NAME --role owner, or set POSTERN_OPERATOR_TOKEN";
    Finding::warn("operators", "none: nobody can use /v1/admin", hint)
}

fn ledger(books: &Books) -> Finding {
    const ABOUT: &str = "ledger";
    match books.faults.split_first() {
        None => Finding::ok(ABOUT, format!("balances; wallets: {}", books.wallets)),
        Some((first, rest)) => {
            let found = format!("{first}; further faults: {}", rest.len());
            Finding::fail(
                ABOUT,
                found,
                "GET /v1/admin/ledger tells all of them; correct by adjustments, not in the tables",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::config::{SANDBOX, Source};
    use crate::ids::RouteId;
    use crate::terms::Channel;

    fn route(carrier: &str, paused: bool) -> Route {
        Route {
            id: RouteId::new(Millis(0)),
            channel: Channel::Sms,
            country: None,
            prefix: None,
            org_id: None,
            carrier: carrier.to_owned(),
            priority: 1,
            weight: 1,
            price: None,
            paused,
        }
    }

    #[test]
    fn a_route_to_nowhere_is_a_failure_and_no_route_a_warning() {
        let config = Config::for_tests();
        assert_eq!(routes(&[], &config).state, State::Warn);
        assert_eq!(routes(&[route(SANDBOX, true)], &config).state, State::Warn);
        assert_eq!(routes(&[route(SANDBOX, false)], &config).state, State::Ok);
        assert_eq!(routes(&[route("gone", false)], &config).state, State::Fail);
    }

    #[test]
    fn behind_a_proxy_the_public_address_is_asked_for_and_what_for() {
        let mut config = Config::for_tests();
        config.server.public_url = None;
        assert!(!public_url(&config).found.contains("Secure"));
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let found = public_url(&config);
        assert!(found.state == State::Warn && found.found.contains("Secure"), "{found:?}");
        assert!(found.hint.contains("POSTERN_PUBLIC_URL") && found.hint.contains("https://"));
        let source = Source::default().with_variable("POSTERN_PUBLIC_URL", "https://otp.example.com");
        config.server.public_url = Some(Config::load(source).unwrap().public_url());
        assert_eq!(public_url(&config).state, State::Ok);
    }

    #[test]
    fn clocks_may_differ_a_little() {
        assert_eq!(skew(Millis(10_000), Millis(11_000)).state, State::Ok);
        assert_eq!(skew(Millis(10_000), Millis(13_000)).state, State::Warn);
    }
}
