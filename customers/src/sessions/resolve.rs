use access::{ForwardedPrincipal, ResolveSession, ResolvedSession};
use chrono::Utc;

use super::secret::SessionSecret;
use super::table;
use crate::error::CustomersError;
use crate::state::AppState;

/// Returns who is behind a session's cookie.
pub(crate) async fn resolve_session(
    state: AppState,
    call: ResolveSession,
) -> Result<ResolvedSession, CustomersError> {
    let secret = SessionSecret::from_cookie(&call.cookie);
    let session = table::resolve(&state.pool, &secret, state.lifetimes, Utc::now()).await?;
    let Some(session) = session else { return Ok(ResolvedSession::Ended) };
    let principal = ForwardedPrincipal::new(&session.principal())?;
    Ok(ResolvedSession::Live { principal, csrf_ok: secret.has_csrf_token(call.csrf.as_deref()) })
}
