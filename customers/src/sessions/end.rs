use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{Problem, ProblemPath, ServerProblems};
use http::StatusCode;

use super::caller::{LoggedIn, LoggedInWrite};
use super::table;
use crate::documented::{CsrfProblems, IdProblems, SessionProblems};
use crate::error::CustomersError;
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
        (status = 404, description = "The member has no such session.", body = Problem),
        IdProblems, SessionProblems, CsrfProblems, ServerProblems,
    ),
)]
pub(crate) async fn end_session(
    State(state): State<AppState>,
    ProblemPath(id): ProblemPath<String>,
    LoggedInWrite(LoggedIn { session, .. }): LoggedInWrite,
) -> Result<impl IntoResponse, CustomersError> {
    let id = id.parse().map_err(|_| CustomersError::SessionNotFound)?;
    if table::end_one(&state.pool, session.member_id, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(CustomersError::SessionNotFound)
    }
}
