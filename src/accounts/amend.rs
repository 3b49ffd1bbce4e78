//! Changes to an operator: name, role, and whether they may do anything at all.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::operators::{OperatorView, find_operator};
use crate::accounts::org::is_name;
use crate::accounts::role::Role;
use crate::accounts::store;
use crate::audit::{By, Change};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::OperatorId;

/// What is to change about an operator; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "operator"}))]
pub struct OperatorPatch {
    /// 1 to 100 characters; no two operators share one.
    #[schema(min_length = 1, max_length = 100, example = "Ada")]
    pub name: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// True ends their sessions and refuses their tokens; false lets them in again.
    pub disabled: Option<bool>,
    /// Why, for the audit log.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// Changes an operator. Errors: `not_found`; `validation_failed`, also where the name is taken or nobody would be left to
/// govern.
pub fn update_operator(conn: &mut Conn, by: &By, id: OperatorId, patch: OperatorPatch) -> Result<OperatorView> {
    let owners = store::operators::take_owners(conn)?;
    let before = find_operator(conn, id)?;
    let name = patch.name.map_or_else(|| before.name.clone(), |name| String::from(name.trim()));
    if !is_name(&name, 100) {
        return Err(Error::field("name", "must have 1 to 100 printable characters"));
    }
    if store::operators::find_named(conn, &name)?.is_some_and(|other| other.id != id) {
        return Err(Error::field("name", "belongs to another operator already"));
    }
    let disabled_at = match patch.disabled {
        Some(true) => before.disabled_at.or(Some(by.now)),
        Some(false) => None,
        None => before.disabled_at,
    };
    let after = OperatorView { name, role: patch.role.unwrap_or(before.role), disabled_at, ..before.clone() };
    if owners == [id] && (after.role != Role::Owner || after.disabled_at.is_some()) {
        let field = if after.role == Role::Owner { "disabled" } else { "role" };
        return Err(Error::field(field, "would leave nobody to govern: this is the last owner"));
    }
    if after != before {
        store::operators::update(conn, &after)?;
        by.tell(conn, "operator.update", id, Change::changed(&before, &after))?;
    }
    Ok(after)
}
