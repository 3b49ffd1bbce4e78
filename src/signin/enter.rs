//! Signing in: name and password, then the second factor where there is one. Every attempt that is judged is told to the
//! audit log; those refused before are counted and told with the next.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::accounts::{OperatorView, find_operator, find_operator_named};
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::OperatorId;
use crate::secret::{Keyring, Secret};
use crate::signin::guesses::{self, Scope, Verdict};
use crate::signin::passwords::{Hasher, Lane};
use crate::signin::sessions::{self, Browser};
use crate::signin::{devices, factor, signed, store};

/// How long the second factor is waited for.
const CODE_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Who stands at the door.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub client: IpAddr,
    pub browser: Browser,
    /// The cookie of a device, as it came.
    pub device: Option<String>,
    /// The cookie of a session, as it came: it ends when another begins.
    pub session: Option<Secret<String>>,
    pub request_id: String,
}

/// What came of an attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// They are in.
    In(Entry),
    /// The password was right; the second factor is awaited, under this pending text.
    Code(String),
    /// Name, password or code is wrong; which one is not said.
    Wrong,
    /// Too many guesses; this long to wait.
    Wait(Duration),
}

/// The cookies of a session that has begun.
#[derive(Debug)]
pub(super) struct Entry {
    pub token: Secret<String>,
    pub device: String,
}

/// How an operator signs in, as others may know it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SignInState {
    /// Whether they have a password.
    pub password: bool,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// Recovery codes that are left.
    pub recovery_codes: i64,
    /// When they were last seen at the console, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at: Option<Millis>,
}

/// How an operator signs in.
pub fn sign_in_state(conn: &mut Conn, operator: OperatorId) -> Result<SignInState> {
    let login = store::logins::find(conn, operator)?;
    Ok(SignInState {
        password: login.is_some(),
        second_factor: login.is_some_and(|login| login.totp.is_some()),
        recovery_codes: store::logins::count_recovery(conn, operator)?,
        seen_at: store::sessions::last_seen(conn, operator)?,
    })
}

/// An account as the door looks it up.
struct Account {
    operator: OperatorView,
    login: store::logins::Row,
}

/// What is known before the password is looked at.
struct Opening {
    account: Option<Account>,
    scopes: Vec<Scope>,
    known_device: bool,
    verdict: Verdict,
    now: Millis,
}

/// Judges a name and a password.
pub(super) async fn enter(app: &App, visitor: Visitor, name: String, password: Secret<String>) -> Result<Outcome> {
    let (ring, clock, seen) = (app.keyring.clone(), app.clock.clone(), visitor.clone());
    let opening = app.db.write(move |conn| {
        let now = crate::db::now(conn, &clock)?;
        open(conn, &ring, &seen, &name, now)
    });
    let Opening { account, scopes, known_device, verdict, now } = opening.await?;
    let refused = match verdict {
        Verdict::Wait(wait) => return Ok(Outcome::Wait(wait)),
        Verdict::Judge { refused } => refused,
    };
    let stored = account.as_ref().map(|account| account.login.password.clone());
    let lane = if known_device { Lane::Known } else { Lane::Stranger };
    let fits = app.room::<Hasher>().fits(lane, password, stored).await?;
    let whose = account.as_ref().map(|account| account.operator.id);
    let account = account.filter(|account| fits && account.operator.disabled_at.is_none());
    let told = Told { factor: "password", known_device, refused };
    let ring = app.keyring.clone();
    app.db
        .write(move |conn| match account {
            Some(account) => passed(conn, (&ring, now), visitor, account, (&scopes, told)),
            None => {
                told.failed(conn, &visitor, whose, now)?;
                Ok(Outcome::Wrong)
            }
        })
        .await
}

fn open(conn: &mut Conn, ring: &Keyring, visitor: &Visitor, name: &str, now: Millis) -> Result<Opening> {
    let operator = find_operator_named(conn, name)?;
    let login = operator.as_ref().map(|operator| store::logins::find(conn, operator.id)).transpose()?.flatten();
    let account = operator.zip(login).map(|(operator, login)| Account { operator, login });
    let device = account.as_ref().and_then(|account| {
        devices::known(ring, visitor.device.as_deref(), (account.operator.id, account.login.generation), now)
    });
    let scopes = match (&account, &device) {
        (Some(account), Some(device)) => vec![Scope::device(ring, account.operator.id, device)],
        _ => vec![Scope::account(ring, name), Scope::address(ring, visitor.client)],
    };
    let verdict = guesses::admit(conn, scopes.clone(), now)?;
    Ok(Opening { account, scopes, known_device: device.is_some(), verdict, now })
}

/// The password is right.
fn passed(
    conn: &mut Conn,
    (ring, now): (&Keyring, Millis),
    visitor: Visitor,
    account: Account,
    (scopes, told): (&[Scope], Told),
) -> Result<Outcome> {
    let id = account.operator.id;
    // Somebody may have changed it, or them, since it was read.
    let again = store::logins::hold(conn, id)?.filter(|again| again.password == account.login.password);
    let Some(login) = again else {
        told.failed(conn, &visitor, Some(id), now)?;
        return Ok(Outcome::Wrong);
    };
    guesses::forgive(conn, scopes, now)?;
    go_on(conn, (ring, now), visitor, (id, &login), told)
}

/// To the second factor where there is one, else in.
fn go_on(
    conn: &mut Conn,
    (ring, now): (&Keyring, Millis),
    visitor: Visitor,
    (id, login): (OperatorId, &store::logins::Row),
    told: Told,
) -> Result<Outcome> {
    if login.totp.is_none() {
        return begin(conn, (ring, now), visitor, id, told).map(Outcome::In);
    }
    told.tell(conn, "signin.password", &visitor, (Actor::Operator(id), Some(id)), now)?;
    let (until, under) = (now.plus(CODE_WITHIN).0.to_string(), login.generation.to_string());
    Ok(Outcome::Code(signed::sign(ring, PENDING, &[id.as_str(), &until, &under])))
}

const PENDING: &str = "pending";

/// Judges the second factor of a sign-in that `pending` tells of.
pub(super) async fn enter_code(app: &App, visitor: Visitor, pending: &str, code: String) -> Result<Outcome> {
    let parts = signed::open::<3>(&app.keyring, PENDING, pending);
    let known = parts.and_then(|[id, until, under]| {
        Some((id.parse::<OperatorId>().ok()?, Millis(until.parse().ok()?), under.parse::<i64>().ok()?))
    });
    let Some((id, until, under)) = known else { return Ok(Outcome::Wrong) };
    let (ring, clock) = (app.keyring.clone(), app.clock.clone());
    app.db
        .write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            judge_code(conn, (&ring, now), visitor, (id, until, under), &code)
        })
        .await
}

/// In one transaction, which commits whatever comes of the guess: it is counted before it is looked at.
fn judge_code(
    conn: &mut Conn,
    (ring, now): (&Keyring, Millis),
    visitor: Visitor,
    (id, until, under): (OperatorId, Millis, i64),
    code: &str,
) -> Result<Outcome> {
    let login = store::logins::hold(conn, id)?.filter(|login| until > now && login.generation == under);
    let operator = find_operator(conn, id)?;
    let Some(sealed) = login.and_then(|login| login.totp).filter(|_| operator.disabled_at.is_none()) else {
        return Ok(Outcome::Wrong);
    };
    let device = devices::known(ring, visitor.device.as_deref(), (id, under), now);
    let mut scopes = vec![Scope::code(ring, id, device.as_deref())];
    if device.is_none() {
        scopes.push(Scope::address(ring, visitor.client));
    }
    let refused = match guesses::admit(conn, scopes.clone(), now)? {
        Verdict::Wait(wait) => return Ok(Outcome::Wait(wait)),
        Verdict::Judge { refused } => refused,
    };
    let factor = factor::judge(conn, (ring, now), id, &sealed, code)?;
    let told = Told { factor: factor.unwrap_or("code"), known_device: device.is_some(), refused };
    if factor.is_none() {
        told.failed(conn, &visitor, Some(id), now)?;
        return Ok(Outcome::Wrong);
    }
    guesses::forgive(conn, &scopes, now)?;
    begin(conn, (ring, now), visitor, id, told).map(Outcome::In)
}

/// Begins the session of somebody who has proved who they are; one the browser had before ends.
fn begin(
    conn: &mut Conn,
    (ring, now): (&Keyring, Millis),
    visitor: Visitor,
    id: OperatorId,
    told: Told,
) -> Result<Entry> {
    if let Some(old) = &visitor.session {
        sessions::end_by_token(conn, old.expose())?;
    }
    let device = devices::remember(conn, ring, visitor.device.as_deref(), id, now)?;
    let token = sessions::begin(conn, id, visitor.browser.clone(), now)?;
    told.tell(conn, "signin.success", &visitor, (Actor::Operator(id), Some(id)), now)?;
    Ok(Entry { token, device })
}

/// Lets in somebody who has just chosen a password by a link: a link stands in for the password and for no more.
pub(super) fn enter_by_link(
    conn: &mut Conn,
    (ring, now): (&Keyring, Millis),
    visitor: Visitor,
    id: OperatorId,
) -> Result<Outcome> {
    let login = store::logins::hold(conn, id)?.ok_or_else(|| Error::internal("a password just set is not there"))?;
    go_on(conn, (ring, now), visitor, (id, &login), Told { factor: "link", known_device: false, refused: 0 })
}

/// What is told of an attempt. The name that was typed is not: people type passwords there.
#[derive(Debug, Clone, Copy)]
struct Told {
    factor: &'static str,
    known_device: bool,
    refused: i64,
}

impl Told {
    fn failed(self, conn: &mut Conn, visitor: &Visitor, whose: Option<OperatorId>, now: Millis) -> Result<()> {
        self.tell(conn, "signin.failure", visitor, (Actor::Visitor, whose), now)
    }

    fn tell(
        self,
        conn: &mut Conn,
        action: &'static str,
        visitor: &Visitor,
        (actor, whose): (Actor, Option<OperatorId>),
        now: Millis,
    ) -> Result<()> {
        let by = By { request_id: Some(visitor.request_id.clone()), ..By::local(actor, now) };
        let target = whose.map_or_else(|| String::from("unknown"), |id| id.to_string());
        let shown = json!({"address": visitor.browser.address, "factor": self.factor,
            "known_device": self.known_device, "refused_before": self.refused});
        by.tell(conn, action, target, Change::made(&shown))
    }
}
