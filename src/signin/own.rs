//! What operators do with their own account: prove once more who they are, and change their password.

use std::time::Duration;

use serde_json::json;

use crate::accounts::find_operator;
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::error::Result;
use crate::secret::Secret;
use crate::signin::guesses::{self, Scope, Verdict};
use crate::signin::passwords::{self, Hasher};
use crate::signin::sessions::{self, Session};
use crate::signin::store;

/// What came of a password given once more.
#[derive(Debug)]
pub(super) enum Proof {
    /// It is right; the session goes on under this token.
    Right(Secret<String>),
    /// It is wrong.
    Wrong,
    /// Too many guesses; this long to wait.
    Wait(Duration),
}

/// Judges the password of an operator who is signed in, and gives their session another token.
pub(super) async fn prove(app: &App, session: &Session, by: &By, password: Secret<String>) -> Result<Proof> {
    let (ring, clock, operator, id) = (app.keyring.clone(), app.clock.clone(), session.operator, session.id);
    let opening = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        let verdict = guesses::admit(conn, vec![Scope::proof(&ring, operator)], now)?;
        Ok((now, verdict, store::logins::find(conn, operator)?))
    });
    let (now, verdict, login) = opening.await?;
    let refused = match verdict {
        Verdict::Wait(wait) => return Ok(Proof::Wait(wait)),
        Verdict::Judge { refused } => refused,
    };
    let fits = app.room::<Hasher>().fits(password, login.map(|login| login.password)).await?;
    let (ring, by) = (app.keyring.clone(), By { now, ..by.clone() });
    app.db
        .write(move |conn| {
            let token = if fits { sessions::renew(conn, id, now)? } else { None };
            let action = if token.is_some() { "signin.proof" } else { "signin.failure" };
            if token.is_some() {
                guesses::forgive(conn, &[Scope::proof(&ring, operator)], now)?;
            }
            let shown = json!({"factor": "proof", "session": id, "refused_before": refused});
            by.tell(conn, action, operator, Change::made(&shown))?;
            Ok(token.map_or(Proof::Wrong, Proof::Right))
        })
        .await
}

/// Changes the password of an operator who is signed in, having proved the old one: every other session of theirs ends,
/// and so do links. Errors: `validation_failed` on `password`, before anything is proved.
pub(super) async fn change_password(
    app: &App,
    session: &Session,
    by: &By,
    (current, new): (Secret<String>, Secret<String>),
) -> Result<Proof> {
    let (operator, id) = (session.operator, session.id);
    let name = app.db.read(move |conn| find_operator(conn, operator)).await?.name;
    passwords::check(&new, &name)?;
    let proof = prove(app, session, by, current).await?;
    if !matches!(proof, Proof::Right(_)) {
        return Ok(proof);
    }
    let hash = app.room::<Hasher>().hash(new).await?;
    let (by, clock) = (by.clone(), app.clock.clone());
    app.db
        .write(move |conn| {
            let by = By { now: crate::db::now(conn, &clock)?, ..by };
            store::logins::put_password(conn, operator, &hash, by.now)?;
            store::links::remove_of(conn, operator)?;
            sessions::end_sessions_of(conn, &by, operator, Some(id))?;
            by.tell(conn, "operator.password.set", operator, Change::made(&json!({"by": "password"})))
        })
        .await?;
    Ok(proof)
}

/// By whom a change to their own account is made.
pub(super) fn by_self(session: &Session, request_id: String, now: Millis) -> By {
    By { request_id: Some(request_id), ..By::local(Actor::Operator(session.operator), now) }
}
