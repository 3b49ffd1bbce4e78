//! What a request that changes a verification has in hand, and the one transaction it is done in.

use actix_web::HttpRequest;
use actix_web::web::Data;

use super::store::Owner;
use crate::accounts::Caller;
use crate::app::App;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::http::{Body, RequestId};
use crate::idempotency::{self, Answer, Begun, Claim, Keeping, Opening, Stored};
use crate::limits::View;
use crate::messages::{Acceptance, Bench, Queue};

/// A request of a caller: who, which, and once for which key.
pub struct Ask {
    /// The application.
    pub app: Data<App>,
    /// Who.
    pub caller: Caller,
    /// The request's id.
    pub request_id: String,
    /// The client's own.
    pub client_request_id: Option<String>,
    /// The idempotency key.
    pub claim: Option<Claim>,
}

impl Ask {
    /// The request `req` with its body.
    pub fn of<T>(app: Data<App>, caller: Caller, req: &HttpRequest, id: &RequestId, body: &Body<T>) -> Ask {
        let owner = (caller.org_id(), caller.mode());
        let claim =
            body.key.as_ref().map(|key| Claim::new(owner.0.as_str(), owner.1, key.as_str(), body.fingerprint(req)));
        let client_request_id = id.client.as_ref().map(|id| String::from(&**id));
        Ask { app, caller, request_id: id.to_string(), client_request_id, claim }
    }

    /// Whose verifications it may touch.
    pub fn owner(&self) -> Owner {
        (self.caller.org_id(), self.caller.mode())
    }

    /// What sending takes, as memory has it now.
    pub async fn desk(&self) -> Result<Desk> {
        Ok(Desk {
            bench: Bench::of(&self.app).await?,
            acceptance: acceptance(&self.app),
            caller: self.caller.clone(),
            request_id: self.request_id.clone(),
            client_request_id: self.client_request_id.clone(),
        })
    }

    /// Runs `work` in one transaction, once for the key.
    pub async fn commit<F>(self, work: F) -> Result<Done>
    where
        F: FnOnce(&mut Conn, Millis) -> Result<Outcome> + Send + 'static,
    {
        let Ask { app, claim, .. } = self;
        let (clock, ttl) = (app.clock.clone(), app.config.retention.idempotency);
        let done = app.db.write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            once(conn, claim.as_ref(), Keeping { now, ttl }, |conn| work(conn, now))
        });
        let done = done.await??;
        if done.is_sending {
            app.room::<Queue>().ring();
        }
        Ok(done)
    }
}

/// What sending a code takes besides the verification.
pub struct Desk {
    /// Prices, routes, keys.
    pub bench: Bench,
    /// Time and keys' life.
    pub acceptance: Acceptance,
    /// On whose account.
    pub caller: Caller,
    /// The request that is answered, or that began it all.
    pub request_id: String,
    /// The client's own id of it.
    pub client_request_id: Option<String>,
}

/// How the work of a transaction came out.
#[expect(clippy::large_enum_variant, reason = "made and taken apart once in a request")]
pub enum Outcome {
    /// It took effect.
    Done {
        /// The answer.
        stored: Stored,
        /// The limits met.
        view: View,
        /// Whether a message waits for the dispatcher.
        is_sending: bool,
    },
    /// It was refused, but what was written stays: a counted check, a decision.
    Refused(Error),
}

impl Outcome {
    /// `stored`, with nothing on its way and no limits met.
    pub fn quiet(stored: Stored) -> Outcome {
        Outcome::Done { stored, view: View::new(), is_sending: false }
    }
}

/// A request that was answered.
pub struct Done {
    /// The answer.
    pub answer: Answer,
    /// The limits met.
    pub view: View,
    is_sending: bool,
}

/// Terms of acceptance of `app`.
pub fn acceptance(app: &App) -> Acceptance {
    app.room::<Queue>().terms()
}

/// As `idempotency::once`, for work that may be refused and yet leave something behind. The inner error is the
/// refusal; the outer one undoes everything.
fn once(
    conn: &mut Conn,
    claim: Option<&Claim>,
    keeping: Keeping,
    work: impl FnOnce(&mut Conn) -> Result<Outcome>,
) -> Result<Result<Done>> {
    let claims: Vec<Opening<'_>> = claim.into_iter().map(Opening::of).collect();
    let begun = if claims.is_empty() { None } else { idempotency::begin(conn, &claims, keeping)?.pop() };
    if let Some(Begun::Replay(stored)) = begun.transpose()? {
        let answer = Answer { stored, replayed: true };
        return Ok(Ok(Done { answer, view: View::new(), is_sending: false }));
    }
    match work(conn)? {
        Outcome::Done { stored, view, is_sending } => {
            let kept: Vec<(Opening<'_>, Option<&Stored>)> =
                claims.iter().map(|claim| (*claim, Some(&stored))).collect();
            idempotency::finish(conn, &kept, keeping)?;
            Ok(Ok(Done { answer: Answer { stored, replayed: false }, view, is_sending }))
        }
        Outcome::Refused(fault) => {
            idempotency::release(conn, claim.as_slice())?;
            Ok(Err(fault))
        }
    }
}
