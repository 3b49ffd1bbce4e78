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
use crate::http::reply::Reply;
use crate::http::{Body, RequestId};
use crate::idempotency::{self, Answer, Claim, Keeping, Stored};
use crate::secret::Purpose;

/// Does `work` once for the key of `body`; a repeat gets the stored answer. Errors: those of idempotency and the work's.
pub async fn change_once<T>(
    app: &Data<App>,
    caller: &Caller,
    (req, body): (&HttpRequest, &Body<T>),
    work: impl FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
) -> Result<HttpResponse> {
    Ok(respond(once(app, caller, (req, body), work).await?))
}

/// The same for an answer that holds what is sealed elsewhere: what is kept for a replay is sealed as well.
pub async fn change_once_sealed<T>(
    app: &Data<App>,
    caller: &Caller,
    (req, body): (&HttpRequest, &Body<T>),
    work: impl FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
) -> Result<HttpResponse> {
    let (keyring, org) = (app.keyring.clone(), caller.org_id());
    let sealed = move |conn: &mut Conn, by: &By| {
        let stored = work(conn, by)?;
        Ok(Stored { body: keyring.seal(Purpose::Reply, org.as_str().as_bytes(), &stored.body), ..stored })
    };
    let mut answer = once(app, caller, (req, body), sealed).await?;
    let open = app.keyring.open(Purpose::Reply, org.as_str().as_bytes(), &answer.stored.body);
    answer.stored.body =
        open.ok_or_else(|| Error::internal("a sealed answer does not open; was the secret key changed?"))?;
    Ok(respond(answer))
}

async fn once<T>(
    app: &Data<App>,
    caller: &Caller,
    (req, body): (&HttpRequest, &Body<T>),
    work: impl FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
) -> Result<Answer> {
    let key = body.key.as_ref();
    let claim = key.map(|key| Claim::new(caller.org_id().as_str(), caller.mode(), key.as_str(), body.fingerprint(req)));
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
