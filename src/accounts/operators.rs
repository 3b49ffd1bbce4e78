//! Operators: the people who run the platform, and their tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::operator::{Operator, Via};
use crate::accounts::org::is_name;
use crate::accounts::role::Role;
use crate::accounts::store;
use crate::accounts::token::{self, CHOSEN_PREFIX, Holder, MIN_CHOSEN_LEN};
use crate::audit::{Actor, By, Change};
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{OperatorId, TokenId};
use crate::secret::Secret;

/// An operator.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OperatorView {
    /// Their id.
    pub id: OperatorId,
    /// Their name; unique.
    #[schema(example = "Ada")]
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// When they were added.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// Since when they may do nothing; their tokens and sessions count for nothing.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Millis>,
}

/// An operator to add.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Ada", "role": "support"}))]
pub struct NewOperator {
    /// 1 to 100 characters; no two operators share one.
    #[schema(min_length = 1, max_length = 100, example = "Ada")]
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// An operator's token as it may be shown: everything but the secret.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TokenView {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub operator_id: OperatorId,
    /// The part of the token that is not secret.
    #[schema(example = "pst_opr_0aB3dE6gH9jK")]
    pub prefix: String,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Millis>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// What it may do at most, where that is less than its operator may.
    pub role: Option<Role>,
}

/// What a token may do, and for how long.
#[derive(Debug, Clone, Default)]
pub struct TokenTerms {
    /// When it stops working; never where absent.
    pub expires_at: Option<Millis>,
    /// What it may do at most; as much as its operator where absent.
    pub role: Option<Role>,
    /// Who makes it: a token for oneself may neither do more nor last longer than the one it is made with.
    pub maker: Option<Operator>,
}

/// Adds an operator. Errors: `validation_failed`, also where the name is taken.
pub fn create_operator(conn: &mut Conn, by: &By, new: NewOperator) -> Result<OperatorView> {
    let name = String::from(new.name.trim());
    if !is_name(&name, 100) {
        return Err(Error::field("name", "must have 1 to 100 printable characters"));
    }
    let operator =
        OperatorView { id: OperatorId::new(by.now), name, role: new.role, created_at: by.now, disabled_at: None };
    if !store::operators::insert_new(conn, operator.clone())? {
        return Err(Error::field("name", "belongs to another operator already"));
    }
    by.tell(conn, "operator.create", operator.id, Change::made(&operator))?;
    Ok(operator)
}

/// Makes a token for an operator. The secret is in the answer and nowhere else. Errors: `not_found`,
/// `validation_failed`.
pub fn create_operator_token(
    conn: &mut Conn,
    by: &By,
    operator: OperatorId,
    terms: TokenTerms,
) -> Result<(TokenView, Secret<String>)> {
    let owner = find_operator(conn, operator)?;
    let maker = terms.maker.filter(|maker| maker.id == operator);
    let most = maker.as_ref().map_or(owner.role, |maker| maker.role.lesser(owner.role));
    if terms.role.is_some_and(|role| !role.is_within(most)) {
        return Err(Error::field("role", format!("must be one that {most} includes")));
    }
    let role = terms.role.or((most != owner.role).then_some(most));
    let expires_at = held_to_maker(conn, maker.as_ref(), terms.expires_at)?;
    if expires_at.is_some_and(|at| at <= by.now) {
        return Err(Error::field("expires_at", "must be in the future"));
    }
    let minted = token::mint(Holder::Operator);
    let view = TokenView {
        id: TokenId::new(by.now),
        operator_id: operator,
        prefix: minted.prefix,
        expires_at,
        revoked_at: None,
        created_at: by.now,
        role,
    };
    store::operators::insert_token(conn, view.clone(), minted.hash.to_vec())?;
    by.tell(conn, "operator.token.create", view.id, Change::made(&view))?;
    Ok((view, minted.text))
}

/// The end of a token made with `maker`'s: no later than the end of that.
fn held_to_maker(conn: &mut Conn, maker: Option<&Operator>, wanted: Option<Millis>) -> Result<Option<Millis>> {
    let Some(Operator { id, via: Via::Token(token), .. }) = maker else { return Ok(wanted) };
    let tokens = store::operators::list_tokens(conn, *id)?;
    let end = tokens.iter().find(|known| known.id == *token).and_then(|known| known.expires_at);
    match (wanted, end) {
        (Some(wanted), Some(end)) if wanted > end => {
            Err(Error::field("expires_at", "must not be later than the end of the token that makes it"))
        }
        (wanted, end) => Ok(wanted.or(end)),
    }
}

/// The operator `id`. Error: `not_found`.
pub fn find_operator(conn: &mut Conn, id: OperatorId) -> Result<OperatorView> {
    store::operators::find(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))
}

/// The operator of this name, if there is one.
pub fn find_operator_named(conn: &mut Conn, name: &str) -> Result<Option<OperatorView>> {
    store::operators::find_named(conn, name)
}

/// Revokes an operator's token: refused within a second everywhere. Revoking twice changes nothing. Errors: `not_found`.
pub fn revoke_operator_token(conn: &mut Conn, by: &By, operator: OperatorId, id: TokenId) -> Result<TokenView> {
    let tokens = list_operator_tokens(conn, operator)?;
    let before = tokens.into_iter().find(|token| token.id == id).ok_or_else(|| Error::new(Code::NotFound))?;
    if before.revoked_at.is_some() {
        return Ok(before);
    }
    let after = TokenView { revoked_at: Some(by.now), ..before.clone() };
    store::operators::set_token_end(conn, &after)?;
    by.tell(conn, "operator.token.revoke", id, Change::changed(&before, &after))?;
    Ok(after)
}

/// The tokens of an operator, newest first. Errors: `not_found`.
pub fn list_operator_tokens(conn: &mut Conn, operator: OperatorId) -> Result<Vec<TokenView>> {
    store::operators::find(conn, operator)?.ok_or_else(|| Error::new(Code::NotFound))?;
    store::operators::list_tokens(conn, operator)
}

/// Operators, newest first, `limit` of them after the one named `before`.
pub fn list_operators(conn: &mut Conn, before: Option<OperatorId>, limit: i64) -> Result<Vec<OperatorView>> {
    store::operators::list(conn, before, limit)
}

/// Makes sure that the token chosen in the configuration (any text of 24 characters or more) is that of an owner, and
/// that no token chosen earlier works any longer. Called at every start where one is configured. Errors:
/// `validation_failed` where the text is too short or too long.
pub fn ensure_first_owner(conn: &mut Conn, now: Millis, chosen: &Secret<String>) -> Result<()> {
    let presented = token::present_chosen(chosen.expose()).ok_or_else(too_short)?;
    if let Some(found) = store::operators::find_token(conn, &presented.prefix)? {
        if found.view.revoked_at.is_none() {
            return Ok(());
        }
        return Err(Error::field("POSTERN_OPERATOR_TOKEN", "was used before and replaced; choose a new text"));
    }
    let by = By::local(Actor::System, now);
    store::operators::revoke_tokens_like(conn, CHOSEN_PREFIX, now)?;
    let owner = first_owner(conn, &by)?;
    let view = TokenView {
        id: TokenId::new(now),
        operator_id: owner,
        prefix: presented.prefix.clone(),
        expires_at: None,
        revoked_at: None,
        created_at: now,
        role: None,
    };
    store::operators::insert_token(conn, view.clone(), presented.hash().to_vec())?;
    by.tell(conn, "operator.token.create", view.id, Change::made(&view))
}

/// The owner that exists before anybody was added.
fn first_owner(conn: &mut Conn, by: &By) -> Result<OperatorId> {
    if let Some(known) = store::operators::find_named(conn, FIRST_OWNER)? {
        return Ok(known.id);
    }
    let new = NewOperator { name: String::from(FIRST_OWNER), role: Role::Owner, reason: None };
    Ok(create_operator(conn, by, new)?.id)
}

/// Name of the owner that the configuration's token belongs to.
const FIRST_OWNER: &str = "first owner";

fn too_short() -> Error {
    Error::field("POSTERN_OPERATOR_TOKEN", format!("must have {MIN_CHOSEN_LEN} to 512 characters"))
}
