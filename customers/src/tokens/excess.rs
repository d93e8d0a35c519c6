//! Tokens that do more than the member who issued them may.

use domain::customer::Role;
use uuid::Uuid;

use super::table;

/// Whether a token may do more than its maker may give, judged by the maker's role, or `None` for a maker who is no member
/// any more. Returns `None` if the role or a scope is not known. A token without a maker belongs to the customer alone.
pub(super) fn exceeds_role(maker: Option<Uuid>, role: Option<&str>, scopes: &[String]) -> Option<bool> {
    if maker.is_none() {
        return Some(false);
    }
    let Some(role) = role else { return Some(true) };
    let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
    let scopes = table::scopes(scopes)?;
    Some(scopes.as_slice().iter().any(|scope| !role.may_give(*scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_worth_as_much_as_whoever_made_it() {
        let scopes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let maker = Some(Uuid::nil());
        assert_eq!(exceeds_role(None, None, &scopes(&["admin"])), Some(false));
        assert_eq!(exceeds_role(maker, None, &scopes(&["read"])), Some(true), "the maker has left");
        assert_eq!(exceeds_role(maker, Some("owner"), &scopes(&["admin"])), Some(false));
        assert_eq!(exceeds_role(maker, Some("engineer"), &scopes(&["ingest", "audit"])), Some(false));
        assert_eq!(exceeds_role(maker, Some("engineer"), &scopes(&["admin", "read"])), Some(true));
        assert_eq!(exceeds_role(maker, Some("analyst"), &scopes(&["read"])), Some(true));
        assert_eq!(exceeds_role(maker, Some("emperor"), &scopes(&["read"])), None);
    }
}
