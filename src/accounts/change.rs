//! A change that a caller asks for: done once per idempotency key and answered, in one transaction.

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use crate::accounts::caller::Caller;
use crate::app::App;
use crate::audit::{Actor, By};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::idempotency_key::{IdempotencyKey, fingerprint};
use crate::http::reply::Reply;
use crate::http::{Body, RequestId};
use crate::idempotency::{self, Answer, Claim, Keeping, Seal, Stored};

/// Does `work` once for the key of `body`; a repeat gets the stored answer. Errors: those of idempotency and the work's.
pub async fn change_once<T>(
    app: &Data<App>,
    caller: &Caller,
    (req, body): (&HttpRequest, &Body<T>),
    work: impl FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
) -> Result<HttpResponse> {
    Ok(respond(commit(app, caller, req, claim_of(caller, req, body), work).await?))
}

/// The same for a request without a body, whose key is in its headers.
pub async fn change_bare(
    app: &Data<App>,
    caller: &Caller,
    req: &HttpRequest,
    work: impl FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
) -> Result<HttpResponse> {
    let key = IdempotencyKey::find(req, None)?;
    let claim = key.map(|key| claim(caller, key.as_str(), fingerprint(req, None)));
    Ok(respond(commit(app, caller, req, claim, work).await?))
}

/// The same for an answer that holds a secret: what is kept for a replay is sealed.
pub async fn change_sealed<T>(
    app: &Data<App>,
    caller: &Caller,
    (req, body): (&HttpRequest, &Body<T>),
    work: impl FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
) -> Result<HttpResponse> {
    let seal = Seal::new(&app.keyring, caller.org_id().as_str());
    let kept = seal.clone();
    let shut = move |conn: &mut Conn, by: &By| work(conn, by).map(|stored| kept.shut(stored));
    Ok(respond(seal.open(commit(app, caller, req, claim_of(caller, req, body), shut).await?)?))
}

fn claim_of<T>(caller: &Caller, req: &HttpRequest, body: &Body<T>) -> Option<Claim> {
    body.key.as_ref().map(|key| claim(caller, key.as_str(), body.fingerprint(req)))
}

fn claim(caller: &Caller, key: &str, fingerprint: [u8; 32]) -> Claim {
    Claim::new(caller.org_id().as_str(), caller.mode(), key, fingerprint)
}

async fn commit(
    app: &Data<App>,
    caller: &Caller,
    req: &HttpRequest,
    claim: Option<Claim>,
    work: impl FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
) -> Result<Answer> {
    let request_id = RequestId::from_request(req, &mut Payload::None).into_inner().map_err(Error::internal)?;
    let by = By {
        actor: Actor::Key(caller.key_id()),
        now: Millis(0),
        reason: None,
        request_id: Some(request_id.to_string()),
    };
    let (clock, ttl) = (app.clock.clone(), app.config.retention.idempotency);
    app.db
        .write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            let by = By { now, ..by };
            idempotency::once(conn, claim.as_ref(), Keeping { now, ttl }, |conn| work(conn, &by))
        })
        .await
}

/// JSON under `status`, to be stored.
pub fn stored(status: u16, body: &impl serde::Serialize) -> Result<Stored> {
    Ok(Stored { status, body: serde_json::to_vec(body).map_err(Error::internal)?, location: None })
}

/// 204, to be stored.
pub fn stored_nothing() -> Stored {
    Stored { status: 204, body: Vec::new(), location: None }
}

/// An answer, or its replay.
pub fn respond(answer: Answer) -> HttpResponse {
    let Stored { status, body, location } = answer.stored;
    let reply = Reply { status, location, body: body.into() };
    let mut response = if answer.replayed { reply.into_replay() } else { reply.into_response() };
    if status == 204 {
        response.headers_mut().remove(CONTENT_TYPE);
    }
    response
}
