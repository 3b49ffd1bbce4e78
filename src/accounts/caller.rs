//! Who calls: the key, its organization and what both are allowed, resolved once and shared.

use std::ops::Deref;
use std::sync::Arc;

use crate::accounts::boosts::boosted;
use crate::accounts::keys::KeyView;
use crate::accounts::org::{Org, OrgStatus};
use crate::accounts::overrides::{Bearer, Resolved, resolve};
use crate::accounts::scope::Scope;
use crate::accounts::store;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::{KeyId, OrgId};
use crate::limits::{Policies, ScopeKey};
use crate::terms::Mode;

/// An authenticated API key. Cheap to clone; an extractor behind the guard.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Standing>);

/// What is known about a caller.
#[derive(Debug)]
pub struct Standing {
    /// The key.
    pub key: KeyView,
    /// Its organization.
    pub org: Org,
    /// Plan, organization's overrides, key's overrides, in this order.
    pub policies: Policies,
    /// When an override ends and this must be resolved anew.
    pub valid_until: Option<Millis>,
    /// What the key's door limits count.
    pub key_scope: ScopeKey,
    /// What the organization's door limits count.
    pub org_scope: ScopeKey,
}

impl Caller {
    /// A caller of this standing.
    pub fn new(standing: Standing) -> Caller {
        Caller(Arc::new(standing))
    }

    /// The key's id.
    pub fn key_id(&self) -> KeyId {
        self.key.id
    }

    /// The organization's id: what every finder is scoped by.
    pub fn org_id(&self) -> OrgId {
        self.org.id
    }

    /// Which world the key acts in.
    pub fn mode(&self) -> Mode {
        self.key.mode
    }

    /// Errors: `permission_denied` naming the scope, where the key lacks it.
    pub fn require(&self, scope: Scope) -> Result<()> {
        if self.key.scopes.has(scope) && self.key.kind.allows(scope) {
            return Ok(());
        }
        Err(Error::new(Code::PermissionDenied).and_field("required_scope", scope.as_str()))
    }
}

impl Deref for Caller {
    type Target = Standing;

    fn deref(&self) -> &Standing {
        &self.0
    }
}

/// The caller of a key by its id, for work that goes on after its request. Errors: `unauthenticated`, `key_revoked`,
/// `key_expired`, `organization.suspended` where the key could do nothing more itself.
pub fn working_caller(conn: &mut Conn, id: KeyId, now: Millis) -> Result<Caller> {
    let key = store::keys::find(conn, id)?.ok_or_else(|| Error::new(Code::Unauthenticated))?;
    if key.revoked_at.is_some() {
        return Err(Error::new(Code::KeyRevoked));
    }
    if !key.works_at(now) {
        return Err(Error::new(Code::KeyExpired));
    }
    let standing = standing(conn, key, now)?;
    match standing.org.status {
        OrgStatus::Active => Ok(Caller::new(standing)),
        OrgStatus::Suspended => Err(Error::new(Code::OrganizationSuspended)),
    }
}

/// Resolves what is known about `key` at `now`.
pub(super) fn standing(conn: &mut Conn, key: KeyView, now: Millis) -> Result<Standing> {
    let org = store::orgs::find(conn, key.org_id)?.ok_or_else(|| Error::internal("a key without its organization"))?;
    let plan =
        store::plans::find(conn, org.plan)?.ok_or_else(|| Error::internal("an organization without its plan"))?;
    let policies = boosted(plan.policies, store::boosts::find(conn, org.id)?);
    let of_org = store::overrides::list(conn, Bearer::Org(org.id))?;
    let of_key = store::overrides::list(conn, Bearer::Key(key.id))?;
    let Resolved { policies, valid_until } = resolve(policies, &of_org, &of_key, now);
    let (key_scope, org_scope) = (ScopeKey::of(key.id.as_str()), ScopeKey::of(org.id.as_str()));
    Ok(Standing { key, org, policies, valid_until, key_scope, org_scope })
}
