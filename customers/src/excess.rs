//! Tokens that do more than whoever issued them may: nobody keeps by a token what a change of role took away.

use access::{Cause, Principal};
use domain::TokenId;
use domain::customer::Role;
use domain::token::{TokenCommand, TokenError};
use event_store::ExecuteError;
use http::HeaderMap;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::state::{AppState, token_stream};
use crate::tokens;

/// Whether a token is in excess of what its maker may give, by the maker's role, if the maker is still a member; none if
/// the role or a scope is not known. A token without a maker belongs to the customer alone.
pub(crate) fn is(maker: Option<Uuid>, role: Option<&str>, scopes: &[String]) -> Option<bool> {
    if maker.is_none() {
        return Some(false);
    }
    let Some(role) = role else { return Some(true) };
    let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
    let scopes = tokens::scopes(scopes)?;
    Some(scopes.as_slice().iter().any(|scope| !role.may_give(*scope)))
}

/// Revokes what the caller's people have issued and could not issue any more. What is revoked is refused everywhere within
/// a second; doing it again changes nothing.
///
/// # Errors
/// What the log or the database says. What is left is refused by the authority all the same, but not by edges that have
/// it in their caches.
pub(crate) async fn revoke(
    state: &AppState,
    principal: &Principal,
    headers: &HeaderMap,
) -> Result<(), CustomersError> {
    let rows = sqlx::query!(
        r#"SELECT t.token_id, t.scopes, t.maker, m.role AS "role?"
             FROM tokens t LEFT JOIN members m ON m.member_id = t.maker
            WHERE t.customer_id = $1 AND t.maker IS NOT NULL AND t.revoked_at IS NULL
              AND (t.expires_at IS NULL OR t.expires_at > now())"#,
        principal.customer_id.0,
    )
    .fetch_all(&state.pool)
    .await?;
    let excess = rows.into_iter().filter(|row| {
        // What cannot be read is not trusted.
        is(row.maker, row.role.as_deref(), &row.scopes).unwrap_or(true)
    });
    for row in excess {
        revoke_token(state, principal, headers, TokenId(row.token_id)).await?;
    }
    Ok(())
}

/// Revokes one token of the caller's customer.
///
/// # Errors
/// [`CustomersError::TokenNotFound`], or what the log or the database says.
pub(crate) async fn revoke_token(
    state: &AppState,
    principal: &Principal,
    headers: &HeaderMap,
    id: TokenId,
) -> Result<(), CustomersError> {
    let stream = token_stream(principal, id);
    let command = TokenCommand::RevokeToken { customer_id: principal.customer_id };
    let cause = Cause::request(headers, principal.subject);
    match state.tokens.execute(&stream, command, cause.into()).await {
        Ok(()) | Err(ExecuteError::Refused(TokenError::Revoked)) => {}
        Err(ExecuteError::Refused(TokenError::NotFound)) => return Err(CustomersError::TokenNotFound),
        Err(error) => return Err(error.into()),
    }
    state.projection.catch_up().await?;
    // The log tells this process too, a moment later; here the next request already finds it.
    if let Some(token) = state.tokens.load(&stream).await?.issued {
        state.access.authenticator().revoke(&token.sha256).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_worth_as_much_as_whoever_made_it() {
        let scopes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let maker = Some(Uuid::nil());
        assert_eq!(is(None, None, &scopes(&["admin"])), Some(false));
        assert_eq!(is(maker, None, &scopes(&["read"])), Some(true), "the maker has left");
        assert_eq!(is(maker, Some("owner"), &scopes(&["admin"])), Some(false));
        assert_eq!(is(maker, Some("engineer"), &scopes(&["ingest", "audit"])), Some(false));
        assert_eq!(is(maker, Some("engineer"), &scopes(&["admin", "read"])), Some(true));
        assert_eq!(is(maker, Some("analyst"), &scopes(&["read"])), Some(true));
        assert_eq!(is(maker, Some("emperor"), &scopes(&["read"])), None);
    }
}
