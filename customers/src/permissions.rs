//! Who may do what here: the one place in which the routes of customers look at the table of [`Permission`].

use std::ops::Deref;

use access::{Caller, Principal, Subject};
use chassis::Problem;
use domain::customer::{Permission, Role};
use domain::token::Scope;

use crate::error::CustomersError;
use crate::members::table;
use crate::state::AppState;

/// A caller who has a permission.
pub(crate) struct Permitted<'a> {
    principal: &'a Principal,
    /// The role of a member as it is now; none for a token.
    role: Option<Role>,
}

impl Deref for Permitted<'_> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        self.principal
    }
}

/// Returns the caller if it has the permission. A member's role is read anew: what a gateway has in its cache may be older
/// than the member's last change of role.
///
/// # Errors
/// 403 that says what is missing; 401 if the member has been removed; or the database cannot be used.
pub(crate) async fn require<'a>(
    state: &AppState,
    caller: &'a Caller,
    permission: Permission,
) -> Result<Permitted<'a>, CustomersError> {
    let principal = &*caller.0;
    match principal.subject {
        Subject::Token(_) if permission.is_given_by(&principal.scopes) => {
            Ok(Permitted { principal, role: None })
        }
        Subject::Token(_) => match permission.scopes() {
            [first, ..] => Err(lacks(principal, *first)),
            [] => Err(CustomersError::Internal("a permission without a scope".to_owned())),
        },
        Subject::Member(id) => {
            let member = table::find(&state.pool, principal.customer_id, id).await?;
            let role = member.ok_or(CustomersError::SessionMissing)?.role;
            if role.may(permission) {
                Ok(Permitted { principal, role: Some(role) })
            } else {
                Err(forbidden(role).into())
            }
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

impl Permitted<'_> {
    /// Checks that the caller may give every one of these scopes to a token.
    ///
    /// # Errors
    /// 403 that names the first scope that it may not give.
    pub(crate) fn may_give(&self, scopes: &[Scope]) -> Result<(), CustomersError> {
        for scope in scopes {
            match self.role {
                None => {
                    self.principal.require(*scope)?;
                }
                Some(role) if role.may_give(*scope) => {}
                Some(role) => return Err(forbidden(role).into()),
            }
        }
        Ok(())
    }
}
