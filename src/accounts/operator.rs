//! Which operator calls: an extractor behind the operators' guard.

use crate::accounts::role::{Duty, Role};
use crate::error::{Code, Error, Result};
use crate::ids::{OperatorId, SessionId, TokenId};

/// How an operator proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By a token, in a request of their own.
    Token(TokenId),
    /// By a session of the console.
    Session(SessionId),
}

/// An authenticated operator.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who.
    pub id: OperatorId,
    /// How they came in.
    pub via: Via,
    /// Their name.
    pub name: String,
    /// What they may do here: their role, or less where their token is narrower.
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
