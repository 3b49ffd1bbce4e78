//! Sessions of the console: a random cookie, of which only a hash is kept.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::Serialize;
use std::future::{Ready, ready};
use utoipa::ToSchema;

use crate::accounts::{Operator, OperatorView, Via, find_operator, list_operator_tokens};
use crate::app::App;
use crate::audit::{By, Change};
use crate::clock::Millis;
use crate::config::Console;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{OperatorId, SessionId};
use crate::secret::{Keyring, Purpose, Secret, hex, random_token, same, sha256};
use crate::signin::store;

/// Letters of a token: base 62, 256 bits.
const TOKEN_LEN: usize = 43;

/// How often it is written that a session was seen; its idle time is exact to that.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// How long after the password was given it need not be given again for what asks for it.
const PROOF_LASTS: Duration = Duration::from_secs(5 * 60);

/// The session behind a request under `/console`; an extractor behind its guard.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub operator: OperatorId,
    /// What every form must send back in its field `csrf`.
    pub csrf: String,
    /// When it began.
    pub signed_in_at: Millis,
    /// When the password was last given.
    pub proved_at: Millis,
}

impl Session {
    /// Whether the password was given so lately that it counts as given now.
    pub(super) fn is_proved(&self, now: Millis) -> bool {
        self.proved_at.plus(PROOF_LASTS) > now
    }

    /// Whether `field` is this session's token against forged forms.
    pub fn is_own_form(&self, field: &str) -> bool {
        same(field.as_bytes(), self.csrf.as_bytes())
    }
}

impl FromRequest for Session {
    type Error = Error;
    type Future = Ready<Result<Session>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = req.extensions().get::<Session>().cloned();
        ready(found.ok_or_else(|| Error::internal("a page stands outside its guard")))
    }
}

/// A session as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ConsoleSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub operator_id: OperatorId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// When it was last used, to the minute.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Millis,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
    /// The address it began from.
    #[schema(example = "192.0.2.7")]
    pub address: String,
    /// What the browser said it is.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64)")]
    pub user_agent: String,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    idle: Duration,
    max: Duration,
}

impl Life {
    pub(super) fn of(console: &Console) -> Life {
        Life { idle: console.session_idle, max: console.session_max }
    }

    /// Sessions that began before the first of these, or were last seen before the second, are over.
    fn bounds(self, now: Millis) -> (Millis, Millis) {
        (now.minus(self.max), now.minus(self.idle))
    }

    fn is_alive(self, created: Millis, seen: Millis, now: Millis) -> bool {
        let (oldest, quietest) = self.bounds(now);
        created > oldest && seen > quietest
    }
}

/// Who a browser is, as far as it says.
#[derive(Debug, Clone)]
pub(super) struct Browser {
    pub address: String,
    pub agent: String,
}

/// Begins a session; its token is in the answer and nowhere else.
pub(super) fn begin(conn: &mut Conn, operator: OperatorId, browser: Browser, now: Millis) -> Result<Secret<String>> {
    let token = Secret::new(random_token::<TOKEN_LEN>());
    let row = store::sessions::Row {
        id: SessionId::new(now),
        operator_id: operator,
        hash: sha256(token.expose().as_bytes()).to_vec(),
        created_at: now,
        seen_at: now,
        proved_at: now,
        address: browser.address,
        agent: browser.agent,
    };
    store::sessions::insert(conn, row)?;
    Ok(token)
}

/// Gives a session another token, its operator having given their password; `None` where it has ended.
pub(super) fn renew(conn: &mut Conn, id: SessionId, now: Millis) -> Result<Option<Secret<String>>> {
    let token = Secret::new(random_token::<TOKEN_LEN>());
    let is_there = store::sessions::renew(conn, id, &sha256(token.expose().as_bytes()), now)?;
    Ok(is_there.then_some(token))
}

/// Ends the session of a cookie, if there is one, without a word: another took its place.
pub(super) fn end_by_token(conn: &mut Conn, token: &str) -> Result<()> {
    if let Some(row) = store::sessions::find_by_hash(conn, &sha256(token.as_bytes()))? {
        store::sessions::remove(conn, row.id)?;
    }
    Ok(())
}

/// Whether a request is a sign of its operator, or of a page that asks by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Somebody is there.
    Person,
    /// An open page: it keeps no session from ending.
    Page,
}

/// Whether an operator who was let in would be let in now, as they were: their session or token has not ended, and neither
/// they nor their role were changed.
pub fn is_still_in(conn: &mut Conn, console: &Console, operator: &Operator, now: Millis) -> Result<bool> {
    let view = find_operator(conn, operator.id)?;
    let role = match operator.via {
        Via::Session(id) => {
            let row = store::sessions::find(conn, id)?;
            row.filter(|row| Life::of(console).is_alive(row.created_at, row.seen_at, now)).map(|_| view.role)
        }
        Via::Token(id) => {
            let token = list_operator_tokens(conn, operator.id)?.into_iter().find(|token| token.id == id);
            let works = token.filter(|t| t.revoked_at.is_none() && t.expires_at.is_none_or(|end| end > now));
            works.map(|token| token.role.map_or(view.role, |most| most.lesser(view.role)))
        }
    };
    Ok(view.disabled_at.is_none() && role == Some(operator.role))
}

/// The session and the operator behind a cookie; `None` where it is over or its operator may do nothing.
pub(super) async fn resolve(app: &App, token: &str, by: Use) -> Result<Option<(Session, Operator)>> {
    let (now, life) = (app.clock.now(), Life::of(&app.config.console));
    let hash = sha256(token.as_bytes());
    let found = app.db.read(move |conn| {
        let row = store::sessions::find_by_hash(conn, &hash)?;
        let row = row.filter(|row| life.is_alive(row.created_at, row.seen_at, now));
        row.map(|row| Ok((find_operator(conn, row.operator_id)?, row))).transpose()
    });
    let Some((operator, row)) = found.await? else { return Ok(None) };
    if operator.disabled_at.is_some() {
        return Ok(None);
    }
    if by == Use::Person && row.seen_at.plus(TOUCH_EVERY) <= now {
        app.db.write(move |conn| store::sessions::touch(conn, row.id, now)).await?;
    }
    let csrf = csrf(&app.keyring, row.id);
    let session =
        Session { id: row.id, operator: row.operator_id, csrf, signed_in_at: row.created_at, proved_at: row.proved_at };
    Ok(Some((session, caller(operator, row.id))))
}

fn caller(view: OperatorView, session: SessionId) -> Operator {
    Operator { id: view.id, via: Via::Session(session), name: view.name, role: view.role }
}

/// Not the session's token itself, which is in no page.
fn csrf(ring: &Keyring, id: SessionId) -> String {
    hex(&ring.mac(Purpose::Signin, &[b"csrf", id.as_str().as_bytes()]))
}

/// Sessions that are not over, newest first, `limit` of them after the one named `before`; of one operator where one is
/// named.
pub fn list_sessions(
    conn: &mut Conn,
    of: Option<OperatorId>,
    (console, now): (&Console, Millis),
    page: (Option<SessionId>, i64),
) -> Result<Vec<ConsoleSession>> {
    let life = Life::of(console);
    let rows = store::sessions::list(conn, of, life.bounds(now), page)?;
    Ok(rows.into_iter().map(|row| view(row, life)).collect())
}

fn view(row: store::sessions::Row, life: Life) -> ConsoleSession {
    ConsoleSession {
        id: row.id,
        operator_id: row.operator_id,
        created_at: row.created_at,
        seen_at: row.seen_at,
        expires_at: row.created_at.plus(life.max),
        address: row.address,
        user_agent: row.agent,
    }
}

/// Whose session `id` is. Error: `not_found` where it has ended.
pub fn find_session(conn: &mut Conn, id: SessionId) -> Result<OperatorId> {
    let row = store::sessions::find(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    Ok(row.operator_id)
}

/// Ends a session: the next request with its cookie is sent to the door. Error: `not_found` where it has ended.
pub fn end_session(conn: &mut Conn, by: &By, id: SessionId) -> Result<()> {
    let operator = find_session(conn, id)?;
    if !store::sessions::remove(conn, id)? {
        return Err(Error::new(Code::NotFound));
    }
    by.tell(conn, "session.end", id, Change::removed(&serde_json::json!({"operator_id": operator})))
}

/// Ends every session of an operator but `kept`; how many. Their devices are forgotten, and what was half signed in is.
/// Told to the audit log where there were any.
pub fn end_sessions_of(conn: &mut Conn, by: &By, operator: OperatorId, kept: Option<SessionId>) -> Result<usize> {
    // First, since it waits for a sign-in that is on its way: the session that this begins ends with the others.
    store::logins::forget_devices(conn, operator)?;
    let count = store::sessions::remove_all(conn, operator, kept)?;
    if count > 0 {
        by.tell(conn, "session.end_all", operator, Change::removed(&serde_json::json!({"sessions": count})))?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_over_when_it_rests_or_has_lasted() {
        let life = Life { idle: Duration::from_secs(1800), max: Duration::from_secs(43_200) };
        let at = |secs: i64| Millis(secs * 1000);
        assert!(life.is_alive(at(0), at(0), at(1799)));
        assert!(!life.is_alive(at(0), at(0), at(1800)));
        assert!(life.is_alive(at(0), at(43_000), at(43_199)));
        assert!(!life.is_alive(at(0), at(43_100), at(43_200)));
    }

    #[test]
    fn a_form_belongs_to_one_session() {
        let ring = Keyring::new([7; 32]);
        let (one, other) = (SessionId::new(Millis(1)), SessionId::new(Millis(2)));
        let now = Millis(9);
        let operator = OperatorId::new(now);
        let session = Session { id: one, operator, csrf: csrf(&ring, one), signed_in_at: now, proved_at: now };
        assert!(session.is_own_form(&csrf(&ring, one)));
        assert!(!session.is_own_form(&csrf(&ring, other)) && !session.is_own_form(""));
    }
}
