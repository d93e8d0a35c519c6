use std::collections::HashMap;

use access::{Caller, Cause, Principal};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, Problem, ProblemJson, ProblemPath, ServerProblems};
use chrono::{DateTime, TimeDelta, Utc};
use domain::TokenId;
use domain::customer::Permission;
use domain::token::{TokenCommand, TokenError, TokenIssued};
use event_store::ExecuteError;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::issued::{IssuedToken, make_secret};
use super::stream::stream;
use super::table;
use crate::documented::TokenProblems;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::permissions;
use crate::state::AppState;

const OVERLAP_S_DEFAULT: u32 = 24 * 60 * 60;
const OVERLAP_S_MAX: u32 = 30 * 24 * 60 * 60;

/// How a token is rotated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateToken {
    /// How long the old token goes on working, in seconds; 0 ends it at once.
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400)]
    overlap_s: Option<u32>,
}

/// Rotate a token
///
/// Issues a successor with the same name and scopes, and lets the old token end after the overlap, or at its own end if
/// that comes first. A successor of a token that ends lives as long as the old one was given, from now on.
#[utoipa::path(
    post, path = "/v1/tokens/{id}/rotate", tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "The token's id.")),
    request_body(content = RotateToken, example = json!({"overlap_s": 3_600})),
    responses(
        (status = 201, description = "Rotated; the answer is the successor.", body = IssuedToken),
        (status = 409, description = "The token has ended or was revoked.", body = Problem),
        TokenProblems, BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn rotate_token(
    State(state): State<AppState>,
    caller: Caller,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<RotateToken>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManageTokens).await?;
    let overlap_s = body.overlap_s.unwrap_or(OVERLAP_S_DEFAULT);
    let mut faults = Faults::default();
    if overlap_s > OVERLAP_S_MAX {
        faults.add("/overlap_s", format!("must be at most {OVERLAP_S_MAX}"));
    }
    faults.none()?;
    let id: TokenId = id.parse().map_err(|_| CustomersError::TokenNotFound)?;
    let now = Utc::now();
    let old = valid(&state, &principal, id, now).await?;
    // The caller learns a secret with all of these scopes.
    principal.may_give(old.scopes.as_slice())?;

    let secret = make_secret();
    let lifetime = match old.expires_at {
        Some(end) => Some(end - table::find(&state.pool, principal.customer_id, id).await?.created_at),
        None => None,
    };
    let successor = TokenIssued {
        token_id: TokenId(Uuid::now_v7()),
        customer_id: principal.customer_id,
        prefix: secret.prefix(),
        sha256: secret.hash(),
        expires_at: lifetime.map(|lifetime| now + lifetime),
        ..old.clone()
    };
    let new_id = successor.token_id;
    let cause: HashMap<_, _> = Cause::request(&headers, principal.subject).into();
    // The successor first: a crash in between leaves a token that nobody knows the secret of, not a customer without one.
    let command = TokenCommand::IssueToken { token: successor, now };
    state.tokens.execute(&stream(&principal, new_id), command, cause.clone()).await?;
    let ends_at = now + TimeDelta::seconds(overlap_s.into());
    let command = TokenCommand::RotateToken { successor: new_id, ends_at, now };
    if let Err(error) = state.tokens.execute(&stream(&principal, id), command, cause.clone()).await {
        let command = TokenCommand::RevokeToken { customer_id: principal.customer_id };
        state.tokens.execute(&stream(&principal, new_id), command, cause).await?;
        return Err(ended(error));
    }
    state.projection.catch_up().await?;
    state.access.authenticator().end(&old.sha256, ends_at).await;
    Ok((StatusCode::CREATED, Json(IssuedToken::new(&state, &principal, new_id, &secret).await?)))
}

/// Returns the token as it was issued, if it is still valid.
async fn valid(
    state: &AppState,
    principal: &Principal,
    id: TokenId,
    now: DateTime<Utc>,
) -> Result<TokenIssued, CustomersError> {
    let token = state.tokens.load(&stream(principal, id)).await?;
    if token.revoked {
        return Err(CustomersError::TokenRevoked);
    }
    if token.expires_at.is_some_and(|end| end <= now) {
        return Err(CustomersError::TokenExpired);
    }
    token.issued.ok_or(CustomersError::TokenNotFound)
}

/// The token was revoked or ended while it was rotated.
fn ended(error: ExecuteError<TokenError>) -> CustomersError {
    match error {
        ExecuteError::Refused(TokenError::Revoked) => CustomersError::TokenRevoked,
        ExecuteError::Refused(TokenError::Expired) => CustomersError::TokenExpired,
        other => other.into(),
    }
}
