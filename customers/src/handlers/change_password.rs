use access::{Cause, Subject};
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, Problem, ProblemJson, ServerProblems};
use chrono::Utc;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::log_out::require_csrf_token;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::new_passwords::{self, NewPassword};
use crate::state::AppState;
use crate::throttle::Attempt;
use crate::{cookies, credentials, passwords, sessions};

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
        (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The CSRF token is missing or wrong.", body = Problem,
         content_type = "application/problem+json"),
        (status = 409, description = "The password was changed in this moment.", body = Problem,
         content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts have failed; `Retry-After` says when to try again.",
         body = Problem, content_type = "application/problem+json"),
        BodyProblems, ServerProblems,
    ),
)]
pub(crate) async fn change_password(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Result<ProblemJson<ChangePassword>, Problem>,
) -> Result<impl IntoResponse, CustomersError> {
    let now = Utc::now();
    let secret = cookies::read(&headers).ok_or(CustomersError::SessionMissing)?;
    let session = sessions::resolve(&state.pool, &secret, state.lifetimes, now).await?;
    let session = session.ok_or(CustomersError::SessionMissing)?;
    require_csrf_token(&secret, &headers)?;
    // Who is nobody hears nothing of what is wrong with the body.
    let ProblemJson(body) = body?;
    let mut faults = Faults::default();
    faults.password("/new_password", &body.new_password, &[&session.email, &session.customer_name]);
    if passwords::normal(&body.new_password) == passwords::normal(&body.old_password) {
        faults.add("/new_password", "must be another one than the old password");
    }
    faults.none()?;

    let address = sessions::Origin::of(&state.access, &headers).address;
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
    new_passwords::change(&state, new, account.password_id, &secret, cause, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
