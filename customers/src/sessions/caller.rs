use access::CSRF_TOKEN_HEADER;
use axum::extract::FromRequestParts;
use chrono::Utc;
use http::request::Parts;

use super::cookie;
use super::secret::SessionSecret;
use super::table::{self, Session};
use crate::error::CustomersError;
use crate::state::AppState;

/// Extracts the session of the request's cookie. The routes that deal with sessions themselves read it here; everywhere
/// else the gateway has exchanged the cookie for a principal.
pub(crate) struct LoggedIn {
    pub(crate) secret: SessionSecret,
    pub(crate) session: Session,
}

impl FromRequestParts<AppState> for LoggedIn {
    type Rejection = CustomersError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, CustomersError> {
        let secret = cookie::read(&parts.headers).ok_or(CustomersError::SessionMissing)?;
        let session = table::resolve(&state.pool, &secret, state.lifetimes, Utc::now()).await?;
        Ok(Self { secret, session: session.ok_or(CustomersError::SessionMissing)? })
    }
}

/// As [`LoggedIn`], for a write: the request must show the session's CSRF token.
pub(crate) struct LoggedInWrite(pub(crate) LoggedIn);

impl FromRequestParts<AppState> for LoggedInWrite {
    type Rejection = CustomersError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, CustomersError> {
        let logged_in = LoggedIn::from_request_parts(parts, state).await?;
        let shown = parts.headers.get(CSRF_TOKEN_HEADER).and_then(|shown| shown.to_str().ok());
        if logged_in.secret.has_csrf_token(shown) {
            Ok(Self(logged_in))
        } else {
            Err(CustomersError::CsrfTokenMissing)
        }
    }
}
