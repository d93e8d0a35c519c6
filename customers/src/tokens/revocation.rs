//! Revoking tokens: one that a caller names, and those that do more than the member who issued them may, so that nobody
//! keeps by a token what a change of role took away.

use access::{Cause, Principal};
use domain::TokenId;
use domain::token::{TokenCommand, TokenError};
use event_store::ExecuteError;
use http::HeaderMap;

use super::excess::exceeds_role;
use super::stream::stream;
use crate::error::CustomersError;
use crate::state::AppState;

/// Revokes the tokens of the caller's customer that their makers could not issue any more. A revoked token is refused
/// everywhere within a second; revoking again changes nothing.
///
/// # Errors
/// If the log or the database cannot be used. Tokens that are left are refused by the authority all the same, but not by
/// services that have them in their caches.
pub(crate) async fn revoke_excess(
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
        exceeds_role(row.maker, row.role.as_deref(), &row.scopes).unwrap_or(true)
    });
    for row in excess {
        revoke_one(state, principal, headers, TokenId(row.token_id)).await?;
    }
    Ok(())
}

/// Revokes one token of the caller's customer.
///
/// # Errors
/// [`CustomersError::TokenNotFound`], or the log or the database cannot be used.
pub(super) async fn revoke_one(
    state: &AppState,
    principal: &Principal,
    headers: &HeaderMap,
    id: TokenId,
) -> Result<(), CustomersError> {
    let stream_id = stream(principal, id);
    let command = TokenCommand::RevokeToken { customer_id: principal.customer_id };
    let cause = Cause::request(headers, principal.subject);
    match state.tokens.execute(&stream_id, command, cause.into()).await {
        Ok(()) | Err(ExecuteError::Refused(TokenError::Revoked)) => {}
        Err(ExecuteError::Refused(TokenError::NotFound)) => return Err(CustomersError::TokenNotFound),
        Err(error) => return Err(error.into()),
    }
    state.projection.catch_up().await?;
    // This process follows the log too, a moment later; with this the next request already finds the token revoked.
    if let Some(token) = state.tokens.load(&stream_id).await?.issued {
        state.access.authenticator().revoke(&token.sha256).await;
    }
    Ok(())
}
