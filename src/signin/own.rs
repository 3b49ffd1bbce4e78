//! What operators do with their own account: prove once more who they are, and change their password.

use std::time::Duration;

use serde_json::json;

use crate::accounts::find_operator;
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::Result;
use crate::ids::{OperatorId, SessionId};
use crate::secret::Secret;
use crate::signin::guesses::{self, Scope, Verdict};
use crate::signin::passwords::{self, Hasher, Lane};
use crate::signin::sessions::{self, Session};
use crate::signin::{devices, store};

/// A password that was found right: what was stored, so that nobody puts another into its place unseen.
struct Proved {
    stored: String,
}

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
    Ok(judge(app, session, by, password).await?.0)
}

async fn judge(app: &App, session: &Session, by: &By, password: Secret<String>) -> Result<(Proof, Option<Proved>)> {
    let (ring, clock, operator, id) = (app.keyring.clone(), app.clock.clone(), session.operator, session.id);
    let opening = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        let verdict = guesses::admit(conn, vec![Scope::proof(&ring, operator)], now)?;
        Ok((now, verdict, store::logins::find(conn, operator)?))
    });
    let (now, verdict, login) = opening.await?;
    let refused = match verdict {
        Verdict::Wait(wait) => return Ok((Proof::Wait(wait), None)),
        Verdict::Judge { refused } => refused,
    };
    let stored = login.map(|login| login.password);
    let fits = app.room::<Hasher>().fits(Lane::Known, password, stored.clone()).await?;
    let (ring, by) = (app.keyring.clone(), By { now, ..by.clone() });
    let proof = app
        .db
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
        .await?;
    let proved = stored.filter(|_| matches!(proof, Proof::Right(_))).map(|stored| Proved { stored });
    Ok((proof, proved))
}

/// Changes the password of an operator who is signed in, having proved the old one: every other session of theirs ends,
/// links do, and other devices are forgotten; beside the proof is the cookie of this one, where it was known. Wrong where
/// another password was set, or the session ended, while the proof was judged. Errors: `validation_failed` on `password`,
/// before anything is proved.
pub(super) async fn change_password(
    app: &App,
    session: &Session,
    by: &By,
    (current, new): (Secret<String>, Secret<String>),
    device: Option<String>,
) -> Result<(Proof, Option<String>)> {
    let (operator, id) = (session.operator, session.id);
    let name = app.db.read(move |conn| find_operator(conn, operator)).await?.name;
    passwords::check(&new, &name)?;
    let (proof, proved) = judge(app, session, by, current).await?;
    let Some(Proved { stored }) = proved else { return Ok((proof, None)) };
    let hash = app.room::<Hasher>().hash(new).await?;
    let (ring, by, clock) = (app.keyring.clone(), by.clone(), app.clock.clone());
    let changed = app.db.write(move |conn| {
        let by = By { now: crate::db::now(conn, &clock)?, ..by };
        let whose = (operator, by.now);
        let change = |conn: &mut Conn| replace(conn, &by, (operator, id), (&stored, &hash));
        devices::keeping(conn, &ring, device.as_deref(), whose, change)
    });
    let (is_changed, device) = changed.await?;
    Ok(if is_changed { (proof, device) } else { (Proof::Wrong, None) })
}

/// False where the password is no longer the one that was proved, or the session has ended.
fn replace(
    conn: &mut Conn,
    by: &By,
    (operator, kept): (OperatorId, SessionId),
    passwords: (&str, &str),
) -> Result<bool> {
    // The session first: what is written here stays, whatever is answered.
    let is_in = store::sessions::find(conn, kept)?.is_some();
    if !is_in || !store::logins::replace_password(conn, operator, passwords, by.now)? {
        return Ok(false);
    }
    store::links::remove_of(conn, operator)?;
    sessions::end_sessions_of(conn, by, operator, Some(kept))?;
    by.tell(conn, "operator.password.set", operator, Change::made(&json!({"by": "password"})))?;
    Ok(true)
}

/// Ends every session of an operator but the one at hand, and forgets every device but theirs: its cookie, where it was
/// known.
pub(super) async fn end_others(app: &App, session: &Session, by: By, device: Option<String>) -> Result<Option<String>> {
    let (ring, operator, kept) = (app.keyring.clone(), session.operator, session.id);
    app.db
        .write(move |conn| {
            let end = |conn: &mut Conn| sessions::end_sessions_of(conn, &by, operator, Some(kept));
            Ok(devices::keeping(conn, &ring, device.as_deref(), (operator, by.now), end)?.1)
        })
        .await
}

/// By whom a change to their own account is made.
pub(super) fn by_self(session: &Session, request_id: String, now: Millis) -> By {
    By { request_id: Some(request_id), ..By::local(Actor::Operator(session.operator), now) }
}
