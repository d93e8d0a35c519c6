use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{Problem, ServerProblems};
use chrono::Utc;
use http::HeaderMap;

use crate::answers::SessionAnswer;
use crate::cookies;
use crate::error::CustomersError;
use crate::sessions;
use crate::state::AppState;

/// Who am I
///
/// The session of the cookie, with its CSRF token. The cookie is set again, so that a session in use does not end.
#[utoipa::path(
    get, path = "/v1/session", tag = "session", security(("session" = [])),
    responses(
        (status = 200, description = "Logged in.", body = SessionAnswer,
         headers(("set-cookie" = String, description = "The session: daybook_session."))),
        (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
        ServerProblems,
    ),
)]
pub(crate) async fn current_session(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let secret = cookies::read(&headers).ok_or(CustomersError::SessionMissing)?;
    let session = sessions::resolve(&state.pool, &secret, state.lifetimes, Utc::now()).await?;
    let session = session.ok_or(CustomersError::SessionMissing)?;
    Ok((state.cookies.keep(&secret), Json(SessionAnswer::new(session, &secret))))
}
