//! Who stands at the door, out of a request.

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};

use crate::app::App;
use crate::error::Result;
use crate::http::RequestId;
use crate::http::client_ip::client_ip;
use crate::secret::Secret;
use crate::signin::cookies::{Jar, Kind};
use crate::signin::devices;
use crate::signin::enter::{Entry, Visitor};
use crate::signin::sessions::Browser;

/// Letters of a browser's name that are kept.
const AGENT_MAX: usize = 200;

/// The visitor behind `req`.
pub(super) fn visitor(app: &App, req: &HttpRequest) -> Result<Visitor> {
    let jar = Jar::of(app);
    let client = client_ip(req);
    let agent = req.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("not said");
    let request_id = RequestId::extract(req).into_inner().map_err(crate::error::Error::internal)?;
    Ok(Visitor {
        client,
        browser: Browser { address: client.to_string(), agent: agent.chars().take(AGENT_MAX).collect() },
        device: jar.read(Kind::Device, req.headers()),
        session: jar.read(Kind::Session, req.headers()).map(Secret::new),
        request_id: request_id.to_string(),
    })
}

/// The cookies of a session that has begun.
pub(super) fn cookies(app: &App, entry: &Entry) -> Vec<String> {
    let jar = Jar::of(app);
    vec![jar.set(Kind::Session, entry.token.expose(), None), device_cookie(app, &entry.device), jar.drop(Kind::Pending)]
}

/// The cookie by which a device is known.
pub(super) fn device_cookie(app: &App, device: &str) -> String {
    Jar::of(app).set(Kind::Device, device, Some(devices::LASTS))
}

/// The device's cookie of a request.
pub(super) fn device_of(app: &App, req: &HttpRequest) -> Option<String> {
    Jar::of(app).read(Kind::Device, req.headers())
}
