use access::{Cause, Subject};
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, Problem, ProblemJson, ServerProblems};
use chrono::Utc;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::credentials;
use super::hashing::normal;
use super::new_password::{self, NewPassword};
use crate::documented::{AttemptProblems, CsrfProblems, SessionProblems};
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::sessions::caller::{LoggedIn, LoggedInWrite};
use crate::state::AppState;
use crate::throttle::Attempt;

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The present password.
    #[schema(format = Password)]
    old_password: String,
    /// The password to log in with from now on.
    #[schema(format = Password, min_length = 12, max_length = 128)]
    new_password: String,
}

/// Change the password
///
/// Ends all other sessions of the member. A wrong old password counts as an attempt to log in that failed.
#[utoipa::path(
    post, path = "/v1/password", tag = "session", security(("session" = [])),
    params(("x-csrf-token" = String, Header, description = "The session's CSRF token.")),
    request_body(content = ChangePassword, example = json!({
        "old_password": "correct horse battery", "new_password": "staple of another stable"
    })),
    responses(
        (status = 204, description = "Changed."),
        (status = 409, description = "The password was changed in this moment.", body = Problem),
        SessionProblems, CsrfProblems, AttemptProblems, BodyProblems, ServerProblems,
    ),
)]
pub(crate) async fn change_password(
    State(state): State<AppState>,
    LoggedInWrite(LoggedIn { secret, session }): LoggedInWrite,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<ChangePassword>,
) -> Result<impl IntoResponse, CustomersError> {
    let now = Utc::now();
    let mut faults = Faults::default();
    faults.password("/new_password", &body.new_password, &[&session.email, &session.customer_name]);
    if normal(&body.new_password) == normal(&body.old_password) {
        faults.add("/new_password", "must be another one than the old password");
    }
    faults.none()?;

    let address = state.access.client_address(&headers);
    let attempt = Attempt::begin(&state.pool, state.log_ins, Some(&session.email), address, now).await?;
    let account = credentials::find(&state.pool, &session.email).await?;
    let account = account.filter(|account| account.member_id == session.member_id);
    let account = credentials::verify(&state.pool, &state.passwords, account, body.old_password).await?;
    let Some(account) = account else {
        attempt.failed(&state.pool, now).await?;
        let mut faults = Faults::default();
        faults.add("/old_password", "is not the present password");
        return Err(faults.none().err().unwrap_or(CustomersError::WrongCredentials));
    };
    attempt.succeeded(&state.pool).await?;

    let hash = state.passwords.hash(body.new_password).await?;
    let new = NewPassword { customer_id: session.customer_id, member_id: session.member_id, hash };
    let cause = Cause::request(&headers, Subject::Member(session.member_id));
    new_password::change(&state, new, account.password_id, &secret, cause, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
