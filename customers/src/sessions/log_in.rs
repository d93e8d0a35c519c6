use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, Problem, ProblemJson, ServerProblems};
use chrono::Utc;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::SessionAnswer;
use super::begin::begin;
use crate::documented::AttemptProblems;
use crate::error::CustomersError;
use crate::fields;
use crate::passwords::credentials;
use crate::state::AppState;
use crate::throttle::Attempt;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    /// The member's address; upper and lower case do not matter.
    email: String,
    /// The member's password.
    #[schema(format = Password)]
    password: String,
}

/// Log in
///
/// Begins a session, and ends the one whose cookie comes along. A wrong address and a wrong password get the same answer,
/// in the same time; too many of either, at one account or from one client, have to wait.
#[utoipa::path(
    post, path = "/v1/session", tag = "session", security(()),
    request_body(content = LogIn, example = json!({
        "email": "ada@example.com", "password": "correct horse battery"
    })),
    responses(
        (status = 200, description = "Logged in.", body = SessionAnswer,
         headers(("set-cookie" = String, description = "The session: daybook_session."))),
        (status = 401, description = "No member has this address and this password.", body = Problem),
        AttemptProblems, BodyProblems, ServerProblems,
    ),
)]
pub(crate) async fn log_in(
    State(state): State<AppState>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<LogIn>,
) -> Result<impl IntoResponse, CustomersError> {
    let now = Utc::now();
    let address = state.access.client_address(&headers);
    let email = fields::email(&body.email);
    // Counted by the address, whether an account has it or not: the answer must not tell one from the other.
    let named = email.as_deref().unwrap_or(&body.email);
    let attempt = Attempt::begin(&state.pool, state.log_ins, Some(named), address, now).await?;
    let account = match &email {
        Some(email) => credentials::find(&state.pool, email).await?,
        None => None,
    };
    let account = credentials::verify(&state.pool, &state.passwords, account, body.password).await?;
    let Some(account) = account else {
        attempt.failed(&state.pool, now).await?;
        return Err(CustomersError::WrongCredentials);
    };

    attempt.succeeded(&state.pool).await?;
    // `None` also for a member who was removed this very moment.
    let begun = begin(&state, &headers, account.member_id, account.password_id, now).await?;
    let (secret, session) = begun.ok_or(CustomersError::WrongCredentials)?;
    Ok((state.cookies.set(&secret), Json(SessionAnswer::new(session, &secret))))
}
