use access::CSRF_TOKEN_HEADER;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{Problem, ServerProblems};
use chrono::Utc;
use http::{HeaderMap, StatusCode};

use crate::cookies;
use crate::error::CustomersError;
use crate::sessions::{self, SessionSecret};
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
        (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The CSRF token is missing or wrong.", body = Problem,
         content_type = "application/problem+json"),
        ServerProblems,
    ),
)]
pub(crate) async fn log_out(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let secret = cookies::read(&headers).ok_or(CustomersError::SessionMissing)?;
    let session = sessions::resolve(&state.pool, &secret, state.lifetimes, Utc::now()).await?;
    session.ok_or(CustomersError::SessionMissing)?;
    require_csrf_token(&secret, &headers)?;
    sessions::end(&state.pool, &secret).await?;
    Ok((StatusCode::NO_CONTENT, state.cookies.forget()))
}

/// Where the cookie reaches this service, this service looks at the token: a session is ended nowhere without it.
pub(super) fn require_csrf_token(secret: &SessionSecret, headers: &HeaderMap) -> Result<(), CustomersError> {
    let shown = headers.get(CSRF_TOKEN_HEADER).and_then(|shown| shown.to_str().ok());
    if secret.has_csrf_token(shown) { Ok(()) } else { Err(CustomersError::CsrfTokenMissing) }
}
