use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{Problem, ProblemPath, ServerProblems};
use chrono::Utc;
use http::{HeaderMap, StatusCode};

use super::log_out::require_csrf_token;
use crate::cookies;
use crate::error::CustomersError;
use crate::sessions;
use crate::state::AppState;

/// End a session
///
/// Logs the member out where that session is.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}", tag = "session", security(("session" = [])),
    params(
        ("id" = uuid::Uuid, Path, description = "The session's id, as listed."),
        ("x-csrf-token" = String, Header, description = "The CSRF token of the caller's own session."),
    ),
    responses(
        (status = 204, description = "Ended."),
        (status = 400, description = "The id has a character that no id has.", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The CSRF token is missing or wrong.", body = Problem,
         content_type = "application/problem+json"),
        (status = 404, description = "The member has no such session.", body = Problem,
         content_type = "application/problem+json"),
        ServerProblems,
    ),
)]
pub(crate) async fn end_session(
    State(state): State<AppState>,
    ProblemPath(id): ProblemPath<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let secret = cookies::read(&headers).ok_or(CustomersError::SessionMissing)?;
    let session = sessions::resolve(&state.pool, &secret, state.lifetimes, Utc::now()).await?;
    let session = session.ok_or(CustomersError::SessionMissing)?;
    require_csrf_token(&secret, &headers)?;
    let id: uuid::Uuid = id.parse().map_err(|_| CustomersError::SessionNotFound)?;
    if sessions::end_one(&state.pool, session.member_id, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(CustomersError::SessionNotFound)
    }
}
