//! Tables `operators` and `operator_tokens`.

use diesel::prelude::*;

use crate::accounts::operators::{OperatorView, TokenView};
use crate::accounts::role::Role;
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::{operator_tokens, operators};
use crate::error::Result;
use crate::ids::{OperatorId, TokenId};

type OperatorRow = (OperatorId, String, Role, Millis, Option<Millis>);
type TokenRow = (TokenId, OperatorId, String, Vec<u8>, Option<Millis>, Option<Millis>, Millis, Option<Role>);

/// A token, the hash that proves it, and whose it is.
pub(in crate::accounts) struct StoredToken {
    pub view: TokenView,
    pub hash: Vec<u8>,
    pub operator: OperatorView,
}

/// Adds an operator unless the name is taken; says whether it was added.
pub(in crate::accounts) fn insert_new(conn: &mut Conn, new: OperatorView) -> Result<bool> {
    let row = (
        operators::id.eq(new.id),
        operators::name.eq(new.name),
        operators::role.eq(new.role),
        operators::created_at.eq(new.created_at),
    );
    let count = crate::both!(conn, c => {
        diesel::insert_into(operators::table).values(row).on_conflict_do_nothing().execute(c)
    })?;
    Ok(count == 1)
}

/// The operator `id`.
pub(in crate::accounts) fn find(conn: &mut Conn, id: OperatorId) -> Result<Option<OperatorView>> {
    let row: Option<OperatorRow> =
        operators::table.filter(operators::id.eq(id)).select(operators::all_columns).first(conn).optional()?;
    Ok(row.map(operator))
}

/// The operator of this name.
pub(in crate::accounts) fn find_named(conn: &mut Conn, name: &str) -> Result<Option<OperatorView>> {
    let row: Option<OperatorRow> =
        operators::table.filter(operators::name.eq(name)).select(operators::all_columns).first(conn).optional()?;
    Ok(row.map(operator))
}

/// Operators, newest first.
pub(in crate::accounts) fn list(conn: &mut Conn, before: Option<OperatorId>, limit: i64) -> Result<Vec<OperatorView>> {
    let mut query =
        operators::table.select(operators::all_columns).order(operators::id.desc()).limit(limit).into_boxed();
    if let Some(id) = before {
        query = query.filter(operators::id.lt(id));
    }
    let rows: Vec<OperatorRow> = query.load(conn)?;
    Ok(rows.into_iter().map(operator).collect())
}

/// Writes an operator's name, role and state.
pub(in crate::accounts) fn update(conn: &mut Conn, operator: &OperatorView) -> Result<()> {
    diesel::update(operators::table.filter(operators::id.eq(operator.id)))
        .set((
            operators::name.eq(operator.name.clone()),
            operators::role.eq(operator.role),
            operators::disabled_at.eq(operator.disabled_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Those who are owners and not disabled, held until the transaction ends: of two that are changed at once, the second
/// sees what became of the first.
pub(in crate::accounts) fn take_owners(conn: &mut Conn) -> Result<Vec<OperatorId>> {
    let owners = operators::table
        .filter(operators::role.eq(Role::Owner).and(operators::disabled_at.is_null()))
        .order(operators::id)
        .select(operators::id);
    Ok(match conn {
        Conn::Pg(c) => owners.for_update().load(c)?,
        Conn::Sqlite(c) => owners.load(c)?,
    })
}

/// Adds a token.
pub(in crate::accounts) fn insert_token(conn: &mut Conn, new: TokenView, hash: Vec<u8>) -> Result<()> {
    diesel::insert_into(operator_tokens::table)
        .values((
            operator_tokens::id.eq(new.id),
            operator_tokens::operator_id.eq(new.operator_id),
            operator_tokens::prefix.eq(new.prefix),
            operator_tokens::hash.eq(hash),
            operator_tokens::expires_at.eq(new.expires_at),
            operator_tokens::revoked_at.eq(new.revoked_at),
            operator_tokens::created_at.eq(new.created_at),
            operator_tokens::role.eq(new.role),
        ))
        .execute(conn)?;
    Ok(())
}

/// The token with this public part.
pub(in crate::accounts) fn find_token(conn: &mut Conn, prefix: &str) -> Result<Option<StoredToken>> {
    let row: Option<(TokenRow, OperatorRow)> = operator_tokens::table
        .inner_join(operators::table.on(operators::id.eq(operator_tokens::operator_id)))
        .filter(operator_tokens::prefix.eq(prefix))
        .select((operator_tokens::all_columns, operators::all_columns))
        .first(conn)
        .optional()?;
    Ok(row.map(|(token, whose)| {
        let (view, hash) = token_view(token);
        StoredToken { view, hash, operator: operator(whose) }
    }))
}

/// The tokens of an operator, newest first.
pub(in crate::accounts) fn list_tokens(conn: &mut Conn, operator: OperatorId) -> Result<Vec<TokenView>> {
    let rows: Vec<TokenRow> = operator_tokens::table
        .filter(operator_tokens::operator_id.eq(operator))
        .order(operator_tokens::id.desc())
        .select(operator_tokens::all_columns)
        .load(conn)?;
    Ok(rows.into_iter().map(|row| token_view(row).0).collect())
}

/// Writes when a token was revoked.
pub(in crate::accounts) fn set_token_end(conn: &mut Conn, token: &TokenView) -> Result<()> {
    diesel::update(operator_tokens::table.filter(operator_tokens::id.eq(token.id)))
        .set(operator_tokens::revoked_at.eq(token.revoked_at))
        .execute(conn)?;
    Ok(())
}

/// Revokes every token whose public part starts with `start`.
pub(in crate::accounts) fn revoke_tokens_like(conn: &mut Conn, start: &str, now: Millis) -> Result<()> {
    let starts = operator_tokens::prefix.like(format!("{start}%"));
    diesel::update(operator_tokens::table.filter(starts.and(operator_tokens::revoked_at.is_null())))
        .set(operator_tokens::revoked_at.eq(Some(now)))
        .execute(conn)?;
    Ok(())
}

fn token_view(row: TokenRow) -> (TokenView, Vec<u8>) {
    let (id, operator_id, prefix, hash, expires_at, revoked_at, created_at, role) = row;
    (TokenView { id, operator_id, prefix, expires_at, revoked_at, created_at, role }, hash)
}

fn operator((id, name, role, created_at, disabled_at): OperatorRow) -> OperatorView {
    OperatorView { id, name, role, created_at, disabled_at }
}
