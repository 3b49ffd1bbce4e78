//! What an operator may do: roles, and the one table that says what each may.

crate::text_enum! {
    /// An operator's role.
    pub enum Role {
        /// Looks, changes nothing.
        Viewer = "viewer",
        /// Looks, and helps with single messages and numbers.
        Support = "support",
        /// Runs the platform: organizations, keys, limits, routes.
        Operator = "operator",
        /// Everything: plans, prices and other operators too.
        Owner = "owner",
        /// Looks, and reads the audit log; changes nothing.
        Auditor = "auditor",
    }
}

crate::text_enum! {
    /// A kind of work that roles are given.
    pub enum Duty {
        /// Read anything but the audit log.
        Look = "look",
        /// Help with single messages, numbers and lists.
        Support = "support",
        /// Change organizations, keys, limits and routes; pause.
        Manage = "manage",
        /// Change plans, prices, wallets and operators.
        Govern = "govern",
        /// Read and verify the audit log.
        Audit = "audit",
    }
}

impl Role {
    /// The table: what each role may do.
    pub const fn duties(self) -> &'static [Duty] {
        match self {
            Role::Viewer => &[Duty::Look],
            Role::Support => &[Duty::Look, Duty::Support],
            Role::Operator => &[Duty::Look, Duty::Support, Duty::Manage],
            Role::Owner => &[Duty::Look, Duty::Support, Duty::Manage, Duty::Govern, Duty::Audit],
            Role::Auditor => &[Duty::Look, Duty::Audit],
        }
    }

    /// Whether this role may do `duty`.
    pub fn may(self, duty: Duty) -> bool {
        self.duties().contains(&duty)
    }

    /// Whether this role may do nothing that `other` may not.
    pub fn is_within(self, other: Role) -> bool {
        self.duties().iter().all(|duty| other.may(*duty))
    }

    /// What both roles may do, as a role; the table has one for every two.
    #[must_use]
    pub fn lesser(self, other: Role) -> Role {
        let both = |role: &Role| role.is_within(self) && role.is_within(other);
        Role::ALL.iter().copied().filter(both).max_by_key(|role| role.duties().len()).unwrap_or(Role::Viewer)
    }

    /// The roles that may do `duty`, for an error's help.
    pub fn that_may(duty: Duty) -> Vec<&'static str> {
        Role::ALL.iter().filter(|role| role.may(duty)).map(Role::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_owner_governs_and_an_auditor_changes_nothing() {
        assert_eq!(Role::that_may(Duty::Govern), ["owner"]);
        assert_eq!(Role::that_may(Duty::Manage), ["operator", "owner"]);
        assert_eq!(Role::that_may(Duty::Audit), ["owner", "auditor"]);
        assert!(Role::ALL.iter().all(|role| role.may(Duty::Look)));
    }

    #[test]
    fn two_roles_share_a_role_that_may_what_both_may_and_no_more() {
        for (one, other) in Role::ALL.iter().flat_map(|one| Role::ALL.iter().map(move |other| (*one, *other))) {
            let both: Vec<Duty> = Duty::ALL.iter().copied().filter(|duty| one.may(*duty) && other.may(*duty)).collect();
            assert_eq!(one.lesser(other).duties(), both, "{one} and {other}");
        }
    }
}
