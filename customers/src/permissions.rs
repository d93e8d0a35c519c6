//! Who may do what here: the one place in which customers' routes ask the table of [`Permission`].

use access::{Principal, Subject};
use chassis::Problem;
use domain::customer::{Permission, Role};
use domain::token::Scope;

use crate::error::CustomersError;
use crate::members;
use crate::state::AppState;

/// What a caller who was let in is, as things stand now.
pub(crate) enum Rights {
    Member(Role),
    Token,
}

/// Lets the caller on if it may. A member's role is read anew: what a gateway has in its cache may be older than the
/// member's last change of role.
///
/// # Errors
/// 403 that says what is missing; 401 if the member has been removed; what the database says.
pub(crate) async fn require(
    state: &AppState,
    principal: &Principal,
    permission: Permission,
) -> Result<Rights, CustomersError> {
    match principal.subject {
        Subject::Token(_) if permission.is_given_by(&principal.scopes) => Ok(Rights::Token),
        Subject::Token(_) => match permission.scopes() {
            [first, ..] => Err(lacks(principal, *first)),
            [] => Err(CustomersError::Internal("a permission without a scope".to_owned())),
        },
        Subject::Member(id) => {
            let member = members::find(&state.pool, principal.customer_id, id).await?;
            let role = member.ok_or(CustomersError::SessionMissing)?.role;
            if role.may(permission) { Ok(Rights::Member(role)) } else { Err(forbidden(role).into()) }
        }
    }
}

fn lacks(principal: &Principal, scope: Scope) -> CustomersError {
    match principal.require(scope) {
        Err(problem) => problem.into(),
        Ok(_) => CustomersError::Internal("a scope that is there is missing".to_owned()),
    }
}

fn forbidden(role: Role) -> Problem {
    Problem::forbidden("role-insufficient").with_detail(format!(
        "Somebody with the role {} may not do this. An owner may, and can change roles.",
        role.name()
    ))
}

impl Rights {
    /// Lets the caller on if it may give every one of these scopes to a token.
    ///
    /// # Errors
    /// 403 that names the first scope that it may not give.
    pub(crate) fn may_give(&self, principal: &Principal, scopes: &[Scope]) -> Result<(), CustomersError> {
        for scope in scopes {
            match self {
                Self::Token => {
                    principal.require(*scope)?;
                }
                Self::Member(role) if role.may_give(*scope) => {}
                Self::Member(role) => return Err(forbidden(*role).into()),
            }
        }
        Ok(())
    }
}
