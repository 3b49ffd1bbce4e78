//! Table `api_keys`.

use diesel::prelude::*;

use super::{from_column, to_column};
use crate::accounts::keys::{KeyKind, KeySearch, KeyView};
use crate::clock::Millis;
use crate::db::Conn;
use crate::db::schema::api_keys as dsl;
use crate::error::{Error, Result};
use crate::ids::{KeyId, OrgId};
use crate::terms::{Mode, Statuses};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = dsl, treat_none_as_default_value = false)]
struct Row {
    id: KeyId,
    org_id: OrgId,
    name: String,
    mode: Mode,
    kind: KeyKind,
    prefix: String,
    hash: Vec<u8>,
    scopes: String,
    rotated_from: Option<KeyId>,
    expires_at: Option<Millis>,
    revoked_at: Option<Millis>,
    created_at: Millis,
    statuses: Option<Statuses>,
}

/// A key and the hash that proves it.
pub(in crate::accounts) struct Stored {
    pub view: KeyView,
    pub hash: Vec<u8>,
}

/// Adds a key.
pub(in crate::accounts) fn insert(conn: &mut Conn, key: KeyView, hash: Vec<u8>) -> Result<()> {
    let row = Row {
        scopes: to_column(&key.scopes)?,
        hash,
        id: key.id,
        org_id: key.org_id,
        name: key.name,
        mode: key.mode,
        kind: key.kind,
        prefix: key.prefix,
        rotated_from: key.rotated_from,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        created_at: key.created_at,
        statuses: key.statuses,
    };
    diesel::insert_into(dsl::table).values(row).execute(conn)?;
    Ok(())
}

/// The key with this public part.
pub(in crate::accounts) fn find_by_prefix(conn: &mut Conn, prefix: &str) -> Result<Option<Stored>> {
    let row: Option<Row> = dsl::table.filter(dsl::prefix.eq(prefix)).select(Row::as_select()).first(conn).optional()?;
    row.map(|mut row| Ok(Stored { hash: std::mem::take(&mut row.hash), view: row.try_into()? })).transpose()
}

/// The key `id`.
pub(in crate::accounts) fn find(conn: &mut Conn, id: KeyId) -> Result<Option<KeyView>> {
    let row: Option<Row> = dsl::table.filter(dsl::id.eq(id)).select(Row::as_select()).first(conn).optional()?;
    row.map(KeyView::try_from).transpose()
}

/// The same, held until the transaction ends.
pub(in crate::accounts) fn find_locked(conn: &mut Conn, id: KeyId) -> Result<Option<KeyView>> {
    if let Conn::Pg(c) = conn {
        dsl::table.filter(dsl::id.eq(id)).select(dsl::id).for_update().execute(c)?;
    }
    find(conn, id)
}

/// Writes when a key ends.
pub(in crate::accounts) fn set_end(conn: &mut Conn, key: &KeyView) -> Result<()> {
    diesel::update(dsl::table.filter(dsl::id.eq(key.id)))
        .set((dsl::expires_at.eq(key.expires_at), dsl::revoked_at.eq(key.revoked_at)))
        .execute(conn)?;
    Ok(())
}

/// Keys, newest first.
pub(in crate::accounts) fn list(
    conn: &mut Conn,
    search: &KeySearch,
    before: Option<KeyId>,
    limit: i64,
) -> Result<Vec<KeyView>> {
    let mut query = dsl::table.select(Row::as_select()).order(dsl::id.desc()).limit(limit).into_boxed();
    if let Some(org) = search.org {
        query = query.filter(dsl::org_id.eq(org));
    }
    if let Some(prefix) = &search.prefix {
        query = query.filter(dsl::prefix.eq(prefix));
    }
    if let Some(id) = before {
        query = query.filter(dsl::id.lt(id));
    }
    let rows: Vec<Row> = query.load(conn)?;
    rows.into_iter().map(KeyView::try_from).collect()
}

impl TryFrom<Row> for KeyView {
    type Error = Error;

    fn try_from(row: Row) -> Result<KeyView> {
        Ok(KeyView {
            scopes: from_column(&row.scopes)?,
            id: row.id,
            org_id: row.org_id,
            name: row.name,
            mode: row.mode,
            kind: row.kind,
            prefix: row.prefix,
            rotated_from: row.rotated_from,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            created_at: row.created_at,
            statuses: row.statuses,
        })
    }
}
