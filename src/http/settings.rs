//! What the ground under the routes needs to know of the configuration.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, web};

use super::witness::Witness;
use crate::clock::Clock;
use crate::config::Config;
use crate::limits::View;

/// Settings of this room; registered as `web::Data<Settings>` on the actix application.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients reach this server, e.g. `https://otp.example.com`; the Host header stands in where it is absent.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Largest body of a route that says nothing else, bytes.
    pub max_body_bytes: usize,
    /// Longest time a whole body may take to arrive; actix itself sets none.
    pub body_timeout: Duration,
    /// Where the rate headers take the present moment from.
    pub clock: Clock,
    /// The limits of a request that no guard has looked at.
    pub strangers: Strangers,
    /// Who is told of every request of the API.
    pub witness: Witness,
}

/// How the limits stand for a client address, for the headers of responses outside every guard; nothing is taken.
#[derive(Clone)]
pub struct Strangers(Arc<dyn Fn(IpAddr) -> View + Send + Sync>);

impl Strangers {
    /// As `look` sees it.
    pub fn seen_by(look: impl Fn(IpAddr) -> View + Send + Sync + 'static) -> Strangers {
        Strangers(Arc::new(look))
    }

    pub(super) fn view(&self, client: IpAddr) -> View {
        (self.0)(client)
    }
}

impl Default for Strangers {
    fn default() -> Strangers {
        Strangers::seen_by(|_| View::new())
    }
}

impl std::fmt::Debug for Strangers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Strangers")
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            public_url: None,
            trusted_proxies: Vec::new(),
            max_body_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(8),
            clock: Clock::System,
            strangers: Strangers::default(),
            witness: Witness::default(),
        }
    }
}

impl Settings {
    /// What `config` says, with `clock` and `strangers` for the rate headers.
    pub fn from_config(config: &Config, clock: Clock, strangers: Strangers) -> Self {
        let server = &config.server;
        Settings {
            public_url: server.public_url.as_ref().map(|url| url.as_str().to_owned()),
            trusted_proxies: server.trusted_proxies.clone(),
            max_body_bytes: server.max_body.0,
            body_timeout: server.body_timeout,
            clock,
            strangers,
            witness: Witness::default(),
        }
    }

    /// The same, with somebody who is told of every request of the API.
    #[must_use]
    pub fn witnessed(self, witness: Witness) -> Self {
        Settings { witness, ..self }
    }

    /// Where clients reach this server: as configured, else as the request's own Host header says.
    pub(super) fn base(&self, host: Option<&HeaderValue>) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = host.and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
        host.map(|host| format!("http://{host}")).unwrap_or_default()
    }

    /// The settings in force for a request; the defaults where none were registered.
    pub fn of(req: &HttpRequest) -> &Settings {
        static DEFAULTS: LazyLock<Settings> = LazyLock::new(Settings::default);
        req.app_data::<web::Data<Settings>>().map_or(&DEFAULTS, |data| data.get_ref())
    }
}

/// Where the sender of `req` reaches this server, without a slash at the end.
pub fn base_url(req: &HttpRequest) -> String {
    Settings::of(req).base(req.headers().get(header::HOST))
}

fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b);
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

/// A route's own body limit in bytes: `.app_data(MaxBody(64 * 1024))` on a resource or scope.
#[derive(Debug, Clone, Copy)]
pub struct MaxBody(pub usize);
