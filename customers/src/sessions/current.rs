use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::ServerProblems;

use super::answer::SessionAnswer;
use super::caller::LoggedIn;
use crate::documented::SessionProblems;
use crate::state::AppState;

/// Who am I
///
/// The session of the cookie, with its CSRF token. The cookie is set again, so that a session in use does not end.
#[utoipa::path(
    get, path = "/v1/session", tag = "session", security(("session" = [])),
    responses(
        (status = 200, description = "Logged in.", body = SessionAnswer,
         headers(("set-cookie" = String, description = "The session: daybook_session."))),
        SessionProblems, ServerProblems,
    ),
)]
pub(crate) async fn current_session(
    State(state): State<AppState>,
    LoggedIn { secret, session }: LoggedIn,
) -> impl IntoResponse {
    (state.cookies.set(&secret), Json(SessionAnswer::new(session, &secret)))
}
