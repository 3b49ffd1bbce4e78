//! API keys: made, listed, rotated and revoked by operators. The secret is shown once and stored as a hash.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::org::{is_name, load_org};
use crate::accounts::scope::{Scope, Scopes};
use crate::accounts::store;
use crate::accounts::token::{self, Holder};
use crate::audit::{By, Change};
use crate::clock::{Millis, Span};
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{KeyId, OrgId};
use crate::secret::Secret;
use crate::terms::{Mode, Statuses};

crate::text_enum! {
    /// What a key is for.
    pub enum KeyKind {
        /// The API.
        Api = "api",
        /// Activations and nothing else, by the text endpoint as well: its clients send the key in an address, where
        /// others may read it.
        Activation = "activation",
    }
}

/// An API key as it may be shown: everything but the secret.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeyView {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub org_id: OrgId,
    /// What its owner calls it.
    #[schema(example = "backend")]
    pub name: String,
    /// Which world it acts in.
    pub mode: Mode,
    /// What it is for.
    pub kind: KeyKind,
    /// The part of the key that is not secret: how to find it in logs and here.
    #[schema(example = "pst_live_0aB3dE6gH9jK")]
    pub prefix: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The key it replaces.
    pub rotated_from: Option<KeyId>,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Millis>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// How the text endpoint answers it; as the server is configured where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Statuses>,
}

/// A key to make.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "backend", "mode": "live", "scopes": ["messages:send", "messages:read"]}))]
pub struct NewKey {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, example = "backend")]
    pub name: String,
    /// Which world it acts in.
    pub mode: Mode,
    /// What it is for; `api` where absent.
    pub kind: Option<KeyKind>,
    /// `["*"]` or a list; everything that its kind may where absent.
    pub scopes: Option<Scopes>,
    /// When it stops working; never where absent. Must be in the future.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Millis>,
    /// How the text endpoint answers it, for a key of kind `activation`; as the server is configured where absent.
    pub statuses: Option<Statuses>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl NewKey {
    /// A key that may do everything and never expires.
    pub fn named(name: impl Into<String>, mode: Mode) -> NewKey {
        NewKey { name: name.into(), mode, kind: None, scopes: None, expires_at: None, statuses: None, reason: None }
    }
}

/// Makes a key for an organization. The secret is in the answer and nowhere else. Errors: `not_found`,
/// `validation_failed`.
pub fn create_key(conn: &mut Conn, by: &By, org: OrgId, new: NewKey) -> Result<(KeyView, Secret<String>)> {
    load_org(conn, org)?;
    check(&new, by.now)?;
    let kind = new.kind.unwrap_or(KeyKind::Api);
    let (prefix, hash, secret) = minted(new.mode);
    let key = KeyView {
        id: KeyId::new(by.now),
        org_id: org,
        name: String::from(new.name.trim()),
        mode: new.mode,
        kind,
        prefix,
        scopes: new.scopes.unwrap_or_else(|| kind.widest()),
        rotated_from: None,
        expires_at: new.expires_at,
        revoked_at: None,
        created_at: by.now,
        statuses: new.statuses,
    };
    store::keys::insert(conn, key.clone(), hash)?;
    by.tell(conn, "key.create", key.id, Change::made(&key))?;
    Ok((key, secret))
}

/// Makes a key that replaces `id`; the old one stops working after `overlap`, or earlier where it would have anyway.
/// Errors: `not_found`, `key_revoked` and `key_expired` (as a 400 on the key), `validation_failed`.
pub fn rotate_key(conn: &mut Conn, by: &By, id: KeyId, overlap: Span) -> Result<(KeyView, Secret<String>)> {
    if overlap.0 > MAX_OVERLAP {
        return Err(Error::field("overlap", "must be at most 30d"));
    }
    let before = store::keys::find_locked(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    if !before.works_at(by.now) {
        return Err(Error::field("id", "names a key that no longer works; make a new one instead"));
    }
    let ends = by.now.plus(overlap.0);
    let old = KeyView { expires_at: Some(before.expires_at.map_or(ends, |at| at.min(ends))), ..before.clone() };
    let (prefix, hash, secret) = minted(before.mode);
    let key = KeyView { id: KeyId::new(by.now), prefix, rotated_from: Some(id), created_at: by.now, ..before.clone() };
    store::keys::set_end(conn, &old)?;
    store::keys::insert(conn, key.clone(), hash)?;
    store::overrides::copy_key(conn, id, key.id)?;
    by.tell(conn, "key.rotate", id, Change::changed(&before, &serde_json::json!({"old": old, "new": key})))?;
    Ok((key, secret))
}

/// Revokes a key: refused within a second everywhere. Revoking twice changes nothing. Errors: `not_found`.
pub fn revoke_key(conn: &mut Conn, by: &By, id: KeyId) -> Result<KeyView> {
    let before = store::keys::find_locked(conn, id)?.ok_or_else(|| Error::new(Code::NotFound))?;
    if before.revoked_at.is_some() {
        return Ok(before);
    }
    let after = KeyView { revoked_at: Some(by.now), ..before.clone() };
    store::keys::set_end(conn, &after)?;
    by.tell(conn, "key.revoke", id, Change::changed(&before, &after))?;
    Ok(after)
}

/// Which keys to look for.
#[derive(Debug, Clone, Default)]
pub struct KeySearch {
    /// Only this organization's.
    pub org: Option<OrgId>,
    /// Only the one with this public part.
    pub prefix: Option<String>,
}

/// Keys, newest first, `limit` of them after the one named `before`.
pub fn list_keys(conn: &mut Conn, search: &KeySearch, before: Option<KeyId>, limit: i64) -> Result<Vec<KeyView>> {
    store::keys::list(conn, search, before, limit)
}

impl KeyKind {
    /// Everything that a key of this kind may do.
    fn widest(self) -> Scopes {
        match self {
            KeyKind::Api => Scopes::Every,
            KeyKind::Activation => Scopes::Only(vec![Scope::ActivationsWrite, Scope::ActivationsRead]),
        }
    }

    /// Whether a key of this kind may ever have `scope`.
    pub fn allows(self, scope: Scope) -> bool {
        self.widest().has(scope)
    }
}

impl KeyView {
    /// Whether the key works at `now`.
    pub fn works_at(&self, now: Millis) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// Longest time that an old key works beside the new one.
const MAX_OVERLAP: Duration = Duration::from_secs(30 * 86_400);

const NAME_MAX_CHARS: usize = 100;

fn minted(mode: Mode) -> (String, Vec<u8>, Secret<String>) {
    let holder = match mode {
        Mode::Live => Holder::Live,
        Mode::Test => Holder::Test,
    };
    let minted = token::mint(holder);
    (minted.prefix, minted.hash.to_vec(), minted.text)
}

fn check(new: &NewKey, now: Millis) -> Result<()> {
    let mut faults = Error::new(Code::ValidationFailed);
    if !is_name(&new.name, NAME_MAX_CHARS) {
        faults = faults.and_field("name", "must have 1 to 100 printable characters");
    }
    let is_narrow = new.kind == Some(KeyKind::Activation);
    let is_wide = |scopes: &Scopes| match scopes {
        Scopes::Every => true,
        Scopes::Only(list) => !list.iter().all(|scope| KeyKind::Activation.allows(*scope)),
    };
    if is_narrow && new.scopes.as_ref().is_some_and(is_wide) {
        faults = faults.and_field("scopes", "of an activation key are activations:read and activations:write only");
    }
    if !is_narrow && new.statuses.is_some() {
        faults = faults.and_field("statuses", "is for keys of kind activation");
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        faults = faults.and_field("expires_at", "must be in the future");
    }
    if faults.has_fields() { Err(faults) } else { Ok(()) }
}
