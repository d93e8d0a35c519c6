use access::{Caller, Cause};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, ProblemJson, ServerProblems};
use chrono::{DateTime, Utc};
use domain::TokenId;
use domain::customer::Permission;
use domain::token::{Scope, Token, TokenCommand, TokenError, TokenIssued, TokenSecret};
use event_store::ExecuteError;
use http::{HeaderMap, StatusCode};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answers::ScopeName;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::permissions;
use crate::state::{AppState, token_stream};
use crate::tokens::{self, TokenAnswer};

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

/// The new token, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedToken {
    /// Whose.
    pub(super) customer_id: Uuid,
    /// The secret, shown this once.
    #[schema(example = "dbk_4f0AqYt7xWm2Rk9LsVbN3cZeHgUj6PdTiOo8p1")]
    pub(super) token: String,
    #[serde(flatten)]
    pub(super) issued: TokenAnswer,
}

/// Issue a token
///
/// The answer is the only time that the secret is shown; Daybook keeps a hash of it.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "tokens", security(("token" = []), ("basic" = []), ("session" = [])),
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
    let principal = &*caller.0;
    let rights = permissions::require(&state, principal, Permission::ManageTokens).await?;
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
    rights.may_give(principal, &body.scopes)?;

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
    state.tokens.execute(&token_stream(principal, id), command, cause.into()).await.map_err(refused)?;
    state.projection.catch_up().await?;
    let issued = tokens::find(&state.pool, principal.customer_id, id).await?;
    let (customer_id, token) = (principal.customer_id.0, secret.reveal().to_owned());
    Ok((StatusCode::CREATED, Json(IssuedToken { customer_id, token, issued })))
}

pub(super) fn make_secret() -> TokenSecret {
    let mut random = rand::rng();
    TokenSecret::make(|below| random.random_range(0..below))
}

/// The rules are checked above with a pointer for each; this tells should the aggregate know one more.
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
