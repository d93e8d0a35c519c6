use access::Cause;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, Problem, ProblemJson, ServerProblems};
use chrono::Utc;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reset_links::TTL;
use super::reset_mail::ResetMail;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::state::AppState;
use crate::throttle;

/// Who has forgotten the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgotPassword {
    /// The member's address; upper and lower case do not matter.
    #[schema(format = Email, max_length = 254)]
    email: String,
}

/// What happens if somebody logs in with the address.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResetMailed {
    /// How long the link is good for, in seconds.
    expires_in_s: i64,
}

/// Ask for a link to choose a new password with
///
/// Mails the link to the address, if somebody logs in with it. The answer is the same if nobody does, and takes the same
/// time. The link works once, within an hour, and a newer one takes its place. Without a relay for mail, whoever runs
/// this Daybook makes a link with `daybook members reset-password EMAIL`.
#[utoipa::path(
    post, path = "/v1/password/forgotten", tag = "session", security(()),
    request_body(content = ForgotPassword, example = json!({"email": "ada@example.com"})),
    responses(
        (status = 202, description = "If somebody logs in with the address, a link is on its way there.",
         body = ResetMailed),
        (status = 409, description = "No relay for mail is configured.", body = Problem),
        (status = 429, description = "Too many links were asked for; `Retry-After` says when to try again.",
         body = Problem),
        BodyProblems, ServerProblems,
    ),
)]
pub(crate) async fn forgot_password(
    State(state): State<AppState>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<ForgotPassword>,
) -> Result<impl IntoResponse, CustomersError> {
    let mails = state.reset_mails.as_ref().ok_or(CustomersError::MailNotConfigured)?;
    let mut faults = Faults::default();
    let email = faults.email("/email", &body.email);
    faults.none()?;
    let address = state.access.client_address(&headers);
    throttle::reset(&state.pool, state.log_ins, &email, address, Utc::now()).await?;
    mails.push(ResetMail { email, cause: Cause::anonymous(&headers) })?;
    Ok((StatusCode::ACCEPTED, Json(ResetMailed { expires_in_s: TTL.num_seconds() })))
}
