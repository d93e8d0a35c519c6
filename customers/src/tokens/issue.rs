use access::{Caller, Cause};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, ProblemJson, ServerProblems};
use chrono::{DateTime, Utc};
use domain::TokenId;
use domain::customer::Permission;
use domain::token::{Scope, Token, TokenCommand, TokenError, TokenIssued};
use event_store::ExecuteError;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::issued::{IssuedToken, make_secret};
use super::stream::stream;
use crate::documented::ScopeName;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::permissions;
use crate::state::AppState;

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueToken {
    /// A name to recognise it by.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do; nothing that the caller may not do.
    #[schema(value_type = Vec<ScopeName>, min_items = 1)]
    scopes: Vec<Scope>,
    /// When it ends; never if not given.
    expires_at: Option<DateTime<Utc>>,
}

/// Issue a token
///
/// The answer is the only time that the secret is shown; Daybook keeps a hash of it.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "tokens",
    request_body(content = IssueToken, example = json!({"name": "nightly import", "scopes": ["ingest"]})),
    responses(
        (status = 201, description = "Issued.", body = IssuedToken),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn issue_token(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<IssueToken>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManageTokens).await?;
    let now = Utc::now();
    let mut faults = Faults::default();
    let name = faults.name("/name", &body.name, Token::NAME_CHARS_MAX);
    if body.scopes.is_empty() {
        faults.add("/scopes", "must name at least one scope");
    }
    if body.expires_at.is_some_and(|end| end <= now) {
        faults.add("/expires_at", "must lie in the future");
    }
    faults.none()?;
    principal.may_give(&body.scopes)?;

    let secret = make_secret();
    let token = TokenIssued {
        token_id: TokenId(Uuid::now_v7()),
        customer_id: principal.customer_id,
        name,
        prefix: secret.prefix(),
        sha256: secret.hash(),
        scopes: body.scopes.into(),
        expires_at: body.expires_at,
    };
    let id = token.token_id;
    let cause = Cause::request(&headers, principal.subject);
    let command = TokenCommand::IssueToken { token, now };
    state.tokens.execute(&stream(&principal, id), command, cause.into()).await.map_err(refused)?;
    state.projection.catch_up().await?;
    Ok((StatusCode::CREATED, Json(IssuedToken::new(&state, &principal, id, &secret).await?)))
}

/// The rules are checked above with a pointer for each; this is for a rule that only the aggregate knows.
fn refused(error: ExecuteError<TokenError>) -> CustomersError {
    match error {
        ExecuteError::Refused(error) => {
            let mut faults = Faults::default();
            faults.add("", error.to_string());
            faults.none().err().unwrap_or(CustomersError::TokenNotFound)
        }
        other => other.into(),
    }
}
