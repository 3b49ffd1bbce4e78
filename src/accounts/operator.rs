//! Which operator calls: an extractor behind the operators' guard.

use crate::accounts::role::{Duty, Role};
use crate::error::{Code, Error, Result};
use crate::ids::{OperatorId, TokenId};

/// An authenticated operator.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// By which token.
    pub token_id: TokenId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

impl Operator {
    /// Errors: `permission_denied` naming the roles that may, where this one may not.
    pub fn require(&self, duty: Duty) -> Result<()> {
        if self.role.may(duty) {
            return Ok(());
        }
        let able = Role::that_may(duty).join(", ");
        Err(Error::new(Code::PermissionDenied)
            .detail("Your role does not allow this; field_errors.required_role names those that do.")
            .and_field("required_role", able))
    }
}
