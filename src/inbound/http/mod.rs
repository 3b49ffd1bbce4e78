//! `/v1/inbound`, `/v1/opt-outs` and `/v1/sandbox/inbound`.

mod docs;
mod messages;
mod opt_outs;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

pub use docs::InboundDocs;

use crate::accounts::Caller;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::http::Body;
use crate::http::reply::Reply;
use crate::idempotency::{self, Claim, Keeping, Stored};

/// The routes under `/v1`, behind the tenants' guard.
pub fn configure(routes: &mut ServiceConfig) {
    routes
        .service(messages::list)
        .service(messages::show)
        .service(messages::make_up)
        .service(opt_outs::list)
        .service(opt_outs::add)
        .service(opt_outs::remove);
}

/// Does `work` once for a key.
async fn once<T>(
    app: &Data<App>,
    caller: &Caller,
    req: &HttpRequest,
    body: &Body<T>,
    work: impl FnOnce(&mut Conn, Millis) -> Result<Stored> + Send + 'static,
) -> Result<HttpResponse> {
    let key = body.key.as_ref();
    let claim = key.map(|key| Claim::new(caller.org_id().as_str(), caller.mode(), key.as_str(), body.fingerprint(req)));
    let (clock, ttl) = (app.clock.clone(), app.config.retention.idempotency);
    let answer = app
        .db
        .write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            idempotency::once(conn, claim.as_ref(), Keeping { now, ttl }, |conn| work(conn, now))
        })
        .await?;
    let Stored { status, body, location } = answer.stored;
    let reply = Reply { status, location, body: body.into() };
    Ok(if answer.replayed { reply.into_replay() } else { reply.into_response() })
}
