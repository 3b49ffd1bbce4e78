//! A change ordered by an operator: done once per idempotency key, told to the audit log and answered, in one
//! transaction; then every cached standing is forgotten.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::accounts::{Directory, respond};
use crate::app::App;
use crate::audit::{self, Actor, By};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::fraud::forget_guards;
use crate::http::reply::Reply;
use crate::idempotency::{self, Answer, Claim, Keeping, Seal, Stored};
use crate::ids::OperatorId;
use crate::messages::forget_tables;
use crate::terms::Mode;

/// A change on its way: by whom, why, for which request, under which key.
pub(super) struct Order {
    app: web::Data<App>,
    by: By,
    owner: String,
    claim: Option<Claim>,
}

impl Order {
    /// An order of `operator`. Errors: `validation_failed` where the reason is too long, or names somebody.
    pub(super) fn new(
        app: web::Data<App>,
        operator: OperatorId,
        request_id: String,
        reason: Option<String>,
    ) -> Result<Order> {
        let reason = audit::reason(reason)?;
        let by = By { actor: Actor::Operator(operator), now: Millis(0), reason, request_id: Some(request_id) };
        Ok(Order { app, by, owner: operator.to_string(), claim: None })
    }

    /// The same, done once for `key`.
    pub(super) fn once(self, key: &str, fingerprint: [u8; 32]) -> Order {
        // Operators have no test world; their keys meet nobody else's.
        let claim = Claim::new(self.owner.clone(), Mode::Live, key, fingerprint);
        Order { claim: Some(claim), ..self }
    }

    /// Does the change and answers it.
    pub(super) async fn run<F>(self, work: F) -> Result<HttpResponse>
    where
        F: FnOnce(&mut Conn, &By) -> Result<Reply> + Send + 'static,
    {
        let answer = self.commit(move |conn, by| work(conn, by).map(stored)).await?;
        Ok(respond(answer))
    }

    /// The same for an answer that holds a secret: what is kept for a replay is sealed, so that the database never
    /// holds a key in the clear.
    pub(super) async fn run_sealed<F>(self, work: F) -> Result<HttpResponse>
    where
        F: FnOnce(&mut Conn, &By) -> Result<Reply> + Send + 'static,
    {
        let seal = Seal::new(&self.app.keyring, self.owner.clone());
        let kept = seal.clone();
        let answer = self.commit(move |conn, by| work(conn, by).map(|reply| kept.shut(stored(reply)))).await?;
        Ok(respond(seal.open(answer)?))
    }

    /// Does a change whose answer is not kept at all: a repeat is answered anew, as things stand then.
    pub(super) async fn run_unkept<F, S>(self, work: F, show: S) -> Result<HttpResponse>
    where
        F: FnOnce(&mut Conn, &By) -> Result<()> + Send + 'static,
        S: FnOnce(&mut Conn) -> Result<Reply> + Send + 'static,
    {
        let app = self.app.clone();
        let Answer { replayed, .. } = self.commit(move |conn, by| work(conn, by).map(|()| stored(gone()))).await?;
        let stored = stored(app.db.read(show).await?);
        Ok(respond(Answer { stored, replayed }))
    }

    async fn commit<F>(self, work: F) -> Result<Answer>
    where
        F: FnOnce(&mut Conn, &By) -> Result<Stored> + Send + 'static,
    {
        let Order { app, by, claim, .. } = self;
        let (clock, ttl) = (app.clock.clone(), app.config.retention.idempotency);
        let done = app.db.write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            let by = By { now, ..by };
            idempotency::once(conn, claim.as_ref(), Keeping { now, ttl }, |conn| work(conn, &by))
        });
        let answer = done.await?;
        app.room::<Directory>().forget();
        forget_tables(&app);
        forget_guards(&app);
        Ok(answer)
    }
}

/// 200 with JSON, to be stored.
pub(super) fn done(body: &impl Serialize) -> Result<Reply> {
    Reply::json(StatusCode::OK, body)
}

/// 202 with JSON, to be stored.
pub(super) fn accepted(body: &impl Serialize) -> Result<Reply> {
    Reply::json(StatusCode::ACCEPTED, body)
}

/// 201 with JSON and a Location, to be stored.
pub(super) fn made(location: String, body: &impl Serialize) -> Result<Reply> {
    Ok(Reply::json(StatusCode::CREATED, body)?.at(location))
}

/// 204, to be stored.
pub(super) fn gone() -> Reply {
    Reply { status: StatusCode::NO_CONTENT.as_u16(), location: None, body: web::Bytes::new() }
}

/// The reason of a change that must have one. Errors: `validation_failed` where it says too little.
pub(super) fn said_why(reason: &str) -> Result<String> {
    let reason = reason.trim();
    match reason.chars().count() < REASON_MIN_CHARS {
        true => Err(Error::field("reason", "must say why, in 3 to 500 characters")),
        false => Ok(String::from(reason)),
    }
}

const REASON_MIN_CHARS: usize = 3;

fn stored(reply: Reply) -> Stored {
    Stored { status: reply.status, body: reply.body.to_vec(), location: reply.location }
}
