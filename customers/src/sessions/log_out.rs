use axum::extract::State;
use axum::response::IntoResponse;
use chassis::ServerProblems;
use http::StatusCode;

use super::caller::{LoggedIn, LoggedInWrite};
use super::table;
use crate::documented::{CsrfProblems, SessionProblems};
use crate::error::CustomersError;
use crate::state::AppState;

/// Log out
///
/// Ends the session and lets the browser forget the cookie.
#[utoipa::path(
    delete, path = "/v1/session", tag = "session", security(("session" = [])),
    params(("x-csrf-token" = String, Header, description = "The session's CSRF token.")),
    responses(
        (status = 204, description = "Logged out.",
         headers(("set-cookie" = String, description = "Clears daybook_session."))),
        SessionProblems, CsrfProblems, ServerProblems,
    ),
)]
pub(crate) async fn log_out(
    State(state): State<AppState>,
    LoggedInWrite(LoggedIn { secret, .. }): LoggedInWrite,
) -> Result<impl IntoResponse, CustomersError> {
    table::end(&state.pool, &secret).await?;
    Ok((StatusCode::NO_CONTENT, state.cookies.clear()))
}
