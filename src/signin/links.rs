//! One-time links: the first owner of an installation, an invitation, a password that was lost. A link is shown once and
//! kept as a MAC.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::{NewOperator, OperatorView, Role, create_operator, find_operator, find_operator_named};
use crate::app::App;
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::OperatorId;
use crate::secret::{Keyring, Purpose, Secret, random_token};
use crate::signin::enter::{self, Outcome, Visitor};
use crate::signin::passwords::{self, Hasher};
use crate::signin::{sessions, store};

/// How long a link may be used.
const LINK_LASTS: Duration = Duration::from_secs(24 * 3600);

/// A link just made. The address is in this answer and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
pub struct Link {
    /// Whose password it sets; absent where it makes the first owner.
    pub operator_id: Option<OperatorId>,
    /// Where it leads. Shown once.
    #[schema(example = "https://otp.example.com/console/setup?token=…")]
    pub url: String,
    /// Until when it can be used, once.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Millis,
}

/// Makes a link by which an operator chooses a password, their first or another; links of before work no longer. Errors:
/// `not_found`; `validation_failed` where they are disabled.
pub fn invite(conn: &mut Conn, ring: &Keyring, by: &By, base: &str, operator: OperatorId) -> Result<Link> {
    if find_operator(conn, operator)?.disabled_at.is_some() {
        return Err(Error::field("disabled", "is true for this operator; let them in again first"));
    }
    store::links::remove_of(conn, operator)?;
    let link = make(conn, ring, base, Some(operator), by.now)?;
    by.tell(conn, "operator.invite", operator, Change::made(&serde_json::json!({"expires_at": link.expires_at})))?;
    Ok(link)
}

/// Makes a link by which the first owner is made, while nobody has a password; `None` where somebody has.
pub fn first_link(conn: &mut Conn, ring: &Keyring, base: &str, now: Millis) -> Result<Option<Link>> {
    if store::logins::any(conn)? {
        return Ok(None);
    }
    make(conn, ring, base, None, now).map(Some)
}

fn make(conn: &mut Conn, ring: &Keyring, base: &str, operator: Option<OperatorId>, now: Millis) -> Result<Link> {
    let token = random_token::<43>();
    let expires_at = now.plus(LINK_LASTS);
    store::links::insert(conn, mac(ring, &token), operator, (now, expires_at))?;
    Ok(Link { operator_id: operator, url: format!("{base}/console/setup?token={token}"), expires_at })
}

fn mac(ring: &Keyring, token: &str) -> Vec<u8> {
    ring.mac(Purpose::Signin, &[b"link", token.as_bytes()]).to_vec()
}

/// Who a link is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Guest {
    /// The first owner, who says their name.
    First,
    /// This operator.
    Known(OperatorView),
}

/// Who the link with `token` is for; `None` where it was used, is too old, or never was.
pub(super) fn guest(conn: &mut Conn, ring: &Keyring, token: &str, now: Millis) -> Result<Option<Guest>> {
    match store::links::find(conn, &mac(ring, token), now)? {
        None => Ok(None),
        Some(None) => Ok((!store::logins::any(conn)?).then_some(Guest::First)),
        Some(Some(id)) => {
            let operator = find_operator(conn, id)?;
            Ok(operator.disabled_at.is_none().then_some(Guest::Known(operator)))
        }
    }
}

/// What is chosen by a link.
pub(super) struct Choice {
    pub token: Secret<String>,
    /// Of the first owner.
    pub name: String,
    pub password: Secret<String>,
}

/// Uses a link: sets the password, ends every session there was, and goes on to the second factor where there is one, else
/// in. `None` where the link can no longer be used.
/// Errors: `validation_failed` on `name` or `password`, which leaves the link as it is.
pub(super) async fn choose(app: &App, visitor: Visitor, choice: Choice) -> Result<Option<Outcome>> {
    let (ring, now, token) = (app.keyring.clone(), app.clock.now(), choice.token.clone());
    let found = app.db.read(move |conn| guest(conn, &ring, token.expose(), now)).await?;
    let Some(expected) = found else { return Ok(None) };
    let name = match &expected {
        Guest::First => choice.name.trim(),
        Guest::Known(operator) => operator.name.as_str(),
    };
    passwords::check(&choice.password, name)?;
    let name = String::from(name);
    let hash = app.room::<Hasher>().hash(choice.password).await?;
    let (ring, clock) = (app.keyring.clone(), app.clock.clone());
    app.db
        .write(move |conn| {
            let now = crate::db::now(conn, &clock)?;
            store::links::hold_first(conn)?;
            let token = choice.token.expose();
            let still = guest(conn, &ring, token, now)?.filter(|guest| *guest == expected);
            let Some(guest) = still else { return Ok(None) };
            // First the login, then links, as everybody takes them who takes both.
            if let Guest::Known(operator) = &guest {
                store::logins::hold(conn, operator.id)?;
            }
            if !store::links::take(conn, &mac(&ring, token), now)? {
                return Ok(None);
            }
            let by = By { request_id: Some(visitor.request_id.clone()), ..By::local(Actor::Visitor, now) };
            let operator = match guest {
                Guest::Known(operator) => operator.id,
                Guest::First => first_owner(conn, &by, name)?,
            };
            store::logins::put_password(conn, operator, &hash, now)?;
            sessions::end_sessions_of(conn, &by, operator, None)?;
            by.tell(conn, "operator.password.set", operator, Change::made(&serde_json::json!({"by": "link"})))?;
            enter::enter_by_link(conn, (&ring, now), visitor, operator).map(Some)
        })
        .await
}

/// The owner of this name, who may exist already with a token only, or a new one.
fn first_owner(conn: &mut Conn, by: &By, name: String) -> Result<OperatorId> {
    match find_operator_named(conn, &name)? {
        Some(known) if known.role == Role::Owner && known.disabled_at.is_none() => Ok(known.id),
        _ => Ok(create_operator(conn, by, NewOperator { name, role: Role::Owner, reason: None })?.id),
    }
}
