//! A request that changes something: whose, once for which key, in one transaction.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::accounts::{Caller, Scope, respond};
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::Body;
use crate::http::idempotency_key::{IdempotencyKey, fingerprint};
use crate::idempotency::{self, Answer, Claim, Keeping, Stored};
use crate::secret::Purpose;
use crate::webhooks::emit::Owner;

/// A request of a caller that may change webhooks.
pub(super) struct Ask {
    pub(super) app: Data<App>,
    pub(super) owner: Owner,
    claim: Option<Claim>,
}

/// Whose endpoints and events `caller` sees.
pub(super) fn owner_of(caller: &Caller) -> Owner {
    (caller.org_id(), caller.mode())
}

impl Ask {
    /// A request with a body. Error: `permission_denied`.
    pub(super) fn of<T>(app: Data<App>, caller: &Caller, req: &HttpRequest, body: &Body<T>) -> Result<Ask> {
        caller.require(Scope::WebhooksWrite)?;
        let key = body.key.as_ref().map(|key| (key, body.fingerprint(req)));
        Ok(Ask::with(app, caller, key))
    }

    /// A request without one. Error: `permission_denied`.
    pub(super) fn bare(app: Data<App>, caller: &Caller, req: &HttpRequest) -> Result<Ask> {
        caller.require(Scope::WebhooksWrite)?;
        let key = IdempotencyKey::find(req, None)?;
        Ok(Ask::with(app, caller, key.as_ref().map(|key| (key, fingerprint(req, None)))))
    }

    fn with(app: Data<App>, caller: &Caller, key: Option<(&IdempotencyKey, [u8; 32])>) -> Ask {
        let owner = owner_of(caller);
        let claim = key.map(|(key, print)| Claim::new(owner.0.as_str(), owner.1, key.as_str(), print));
        Ask { app, owner, claim }
    }

    /// Does `work` once for the key and answers it.
    pub(super) async fn run<F>(self, work: F) -> Result<HttpResponse>
    where
        F: FnOnce(&mut Conn, Owner, Millis) -> Result<Stored> + Send + 'static,
    {
        Ok(respond(self.commit(work).await?))
    }

    /// The same for an answer that holds a secret: what is kept for a replay is sealed, so that the database never
    /// holds one in the clear.
    pub(super) async fn run_sealed<F>(self, work: F) -> Result<HttpResponse>
    where
        F: FnOnce(&mut Conn, Owner, Millis) -> Result<Stored> + Send + 'static,
    {
        let (ring, context) = (self.app.keyring.clone(), self.owner.0);
        let sealing = ring.clone();
        let mut answer = self
            .commit(move |conn, owner, now| {
                let stored = work(conn, owner, now)?;
                let body = sealing.seal(Purpose::Reply, context.as_str().as_bytes(), &stored.body);
                Ok(Stored { body, ..stored })
            })
            .await?;
        answer.stored.body = ring
            .open(Purpose::Reply, context.as_str().as_bytes(), &answer.stored.body)
            .ok_or_else(|| Error::internal("a sealed answer does not open; was the secret key changed?"))?;
        Ok(respond(answer))
    }

    async fn commit<F>(self, work: F) -> Result<Answer>
    where
        F: FnOnce(&mut Conn, Owner, Millis) -> Result<Stored> + Send + 'static,
    {
        let Ask { app, owner, claim } = self;
        let (clock, ttl) = (app.clock.clone(), app.config.retention.idempotency);
        app.db
            .write(move |conn| {
                let now = crate::db::now(conn, &clock)?;
                idempotency::once(conn, claim.as_ref(), Keeping { now, ttl }, |conn| work(conn, owner, now))
            })
            .await
    }
}
