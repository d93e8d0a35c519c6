use access::{Cause, Subject};
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, Problem, ProblemJson, ServerProblems};
use chrono::Utc;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::new_password::{self, NewPassword};
use super::reset_links;
use crate::documented::AttemptProblems;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::link_secret::LinkSecret;
use crate::state::AppState;
use crate::throttle::{self, Attempt};

/// The link and the new password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// What follows `#token=` in the link.
    token: String,
    /// The password to log in with from now on.
    #[schema(format = Password, min_length = 12, max_length = 128)]
    password: String,
}

/// Choose a new password with a link
///
/// Ends all sessions of the member, and begins none: log in with the new password. A link works once.
#[utoipa::path(
    post, path = "/v1/password/reset", tag = "session", security(()),
    request_body(content = ResetPassword, example = json!({
        "token": "dbp_x2Vd0u4m3kqQ0cO1m2b7yG5tq8Zr9Lw3Xn6Ha1Jp4Es", "password": "staple of another stable"
    })),
    responses(
        (status = 204, description = "Changed."),
        (status = 404, description = "The link is unknown, used, replaced by a newer one, or older than an hour.",
         body = Problem),
        AttemptProblems, BodyProblems, ServerProblems,
    ),
)]
pub(crate) async fn reset_password(
    State(state): State<AppState>,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<ResetPassword>,
) -> Result<impl IntoResponse, CustomersError> {
    let now = Utc::now();
    let address = state.access.client_address(&headers);
    let attempt = Attempt::begin(&state.pool, state.log_ins, None, address, now).await?;
    state.projection.catch_up().await?;
    let Some(link) = reset_links::find(&state.pool, &LinkSecret::shown(&body.token), now).await? else {
        attempt.failed(&state.pool, now).await?;
        return Err(CustomersError::ResetNotFound);
    };
    let mut faults = Faults::default();
    faults.password("/password", &body.password, &[&link.email]);
    faults.none()?;

    let hash = state.passwords.hash(body.password).await?;
    let member_id = link.member_id;
    let new = NewPassword { customer_id: link.customer_id, member_id, hash };
    let cause = Cause::request(&headers, Subject::Member(member_id));
    new_password::reset(&state, new, link.reset_id, cause, now).await?;
    throttle::forgive(&state.pool, &link.email).await?;
    Ok(StatusCode::NO_CONTENT)
}
