use super::Role;
use crate::token::{Scope, Scopes};

/// What a caller can be allowed to do. This table is the only place that says what each role and each scope may:
///
/// | | owner | engineer | analyst | auditor | a token's scope |
/// |---|---|---|---|---|---|
/// | record activities | yes | yes | | | `ingest` |
/// | read reports and activities | yes | yes | yes | yes | `read` |
/// | see what was rejected | yes | yes | yes | yes | `read` or `admin` |
/// | read history | yes | yes | | yes | `audit` |
/// | operate | yes | yes | | | `admin` |
/// | manage tokens | yes | yes, none with `admin` | | | `admin` |
/// | trace tokens | yes | yes | | yes | `admin` or `audit` |
/// | see people | yes | yes | yes | yes | any |
/// | manage people | yes | | | | `admin` |
/// | manage the customer | yes | | | | `admin` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Record, correct and redact activities.
    Record,
    /// Query reports and activities.
    Read,
    /// See what was sent and is not recorded.
    SeeRejections,
    /// Read the history.
    Audit,
    /// See projections, dead letters and jobs, and act on them.
    Operate,
    /// See, issue, rotate and revoke tokens.
    ManageTokens,
    /// See who made, used and ended a token.
    TraceTokens,
    /// See who the customer's people are, and the customer itself.
    SeePeople,
    /// Invite and remove people, and change their roles.
    ManagePeople,
    /// Change what the customer is: its time zone.
    ManageCustomer,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 10] = [
        Self::Record,
        Self::Read,
        Self::SeeRejections,
        Self::Audit,
        Self::Operate,
        Self::ManageTokens,
        Self::TraceTokens,
        Self::SeePeople,
        Self::ManagePeople,
        Self::ManageCustomer,
    ];

    /// The scopes of a token of which any one is enough; the first is the one to ask for.
    #[must_use]
    pub const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Record => &[Scope::Ingest],
            Self::Read => &[Scope::Read],
            Self::SeeRejections => &[Scope::Read, Scope::Admin],
            Self::Audit => &[Scope::Audit],
            Self::Operate | Self::ManageTokens | Self::ManagePeople | Self::ManageCustomer => &[Scope::Admin],
            Self::TraceTokens => &[Scope::Admin, Scope::Audit],
            Self::SeePeople => &[Scope::Admin, Scope::Read, Scope::Audit, Scope::Ingest],
        }
    }

    /// Whether a token with these scopes may.
    #[must_use]
    pub fn is_given_by(self, scopes: &Scopes) -> bool {
        self.scopes().iter().any(|scope| scopes.has(*scope))
    }
}

impl Role {
    /// Whether a member of this role may do this.
    #[must_use]
    pub const fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Owner => true,
            Self::Engineer => !matches!(permission, P::ManagePeople | P::ManageCustomer),
            Self::Analyst => matches!(permission, P::Read | P::SeeRejections | P::SeePeople),
            Self::Auditor => {
                matches!(permission, P::Read | P::SeeRejections | P::Audit | P::TraceTokens | P::SeePeople)
            }
        }
    }

    /// Whether a member of this role may give a scope to a token: only if everything that a token may do with the scope
    /// is the role's too. Otherwise an engineer could issue a token to invite an owner with.
    #[must_use]
    pub fn may_give(self, scope: Scope) -> bool {
        Permission::ALL
            .iter()
            .all(|permission| !permission.scopes().contains(&scope) || self.may(*permission))
            && self.may(Permission::ManageTokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scopes_of_a_role_give_what_the_role_may() {
        for role in Role::ALL {
            for permission in [Permission::Record, Permission::Read, Permission::Audit, Permission::Operate] {
                assert_eq!(
                    permission.is_given_by(&role.scopes()),
                    role.may(permission),
                    "{role:?} {permission:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_gives_a_scope_that_does_more_than_they_may() {
        let given =
            |role: Role| Scope::ALL.into_iter().filter(|scope| role.may_give(*scope)).collect::<Vec<_>>();
        assert_eq!(given(Role::Owner), Scope::ALL);
        assert_eq!(given(Role::Engineer), [Scope::Ingest, Scope::Read, Scope::Audit]);
        assert_eq!(given(Role::Analyst), []);
        assert_eq!(given(Role::Auditor), []);
    }
}
