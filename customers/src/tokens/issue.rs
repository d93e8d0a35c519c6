use std::num::NonZeroU32;

use access::{Caller, Cause};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, ProblemJson, ServerProblems};
use chrono::{DateTime, Utc};
use domain::TokenId;
use domain::customer::Permission;
use domain::token::{Origin, PublicUse, Scope, Token, TokenCommand, TokenError, TokenIssued};
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
    /// Whether everybody may read it, because it stands in a page or a program that people have. Such a token has the scope
    /// `ingest` and no other, and records alone: it corrects, redacts and reads nothing.
    #[serde(default)]
    public: bool,
    /// For a public token: the pages that may use it.
    #[schema(min_items = 1, max_items = 20)]
    allowed_origins: Option<Vec<String>>,
    /// For a public token: how many requests a second may come with it; 100 if not given.
    #[schema(minimum = 1, maximum = 10_000)]
    rate: Option<u32>,
}

/// Issue a token
///
/// The answer is the only time that the secret is shown; Daybook keeps a hash of it. A token that stands in a page is
/// `public`, with `allowed_origins` and a `rate`: it records, and does nothing else.
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
    let public = public(&body, &mut faults);
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
        public,
    };
    let id = token.token_id;
    let cause = Cause::request(&headers, principal.subject);
    let command = TokenCommand::IssueToken { token, now };
    state.tokens.execute(&stream(&principal, id), command, cause.into()).await.map_err(refused)?;
    state.projection.catch_up().await?;
    Ok((StatusCode::CREATED, Json(IssuedToken::new(&state, &principal, id, &secret).await?)))
}

/// What a public token may do; none for a secret one.
fn public(body: &IssueToken, faults: &mut Faults) -> Option<PublicUse> {
    if !body.public {
        for (pointer, is_given) in
            [("/allowed_origins", body.allowed_origins.is_some()), ("/rate", body.rate.is_some())]
        {
            if is_given {
                faults.add(pointer, "is for a public token");
            }
        }
        return None;
    }
    if body.scopes != [Scope::Ingest] {
        faults.add("/scopes", "a public token may have the scope ingest and no other");
    }
    let origins = body.allowed_origins.as_deref().unwrap_or_default();
    if !(1..=PublicUse::ORIGINS_MAX).contains(&origins.len()) {
        faults.add("/allowed_origins", format!("must name 1 to {} origins", PublicUse::ORIGINS_MAX));
    }
    let mut allowed_origins = Vec::with_capacity(origins.len());
    for (index, origin) in origins.iter().enumerate() {
        match Origin::parse(origin) {
            Ok(origin) => allowed_origins.push(origin),
            Err(detail) => faults.add(format!("/allowed_origins/{index}"), detail),
        }
    }
    let rate = body.rate.map_or(Some(PublicUse::RATE_DEFAULT), NonZeroU32::new);
    let rate = rate.filter(|rate| rate.get() <= PublicUse::RATE_MAX);
    if rate.is_none() {
        faults.add("/rate", format!("must be 1 to {}", PublicUse::RATE_MAX));
    }
    Some(PublicUse { allowed_origins, rate: rate? })
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
