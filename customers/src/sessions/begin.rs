use chrono::{DateTime, Utc};
use domain::MemberId;
use http::HeaderMap;
use uuid::Uuid;

use super::cookie;
use super::origin::Origin;
use super::secret::SessionSecret;
use super::table::{self, Session};
use crate::error::CustomersError;
use crate::state::AppState;

/// Begins a session of a member whose password still is `password`, as the log names it; `None` is the password with which
/// the member joined. The session that the request shows ends, so that nobody who knows its cookie gets the new one's
/// rights. Returns `None` if the password has changed meanwhile or the member has left.
///
/// # Errors
/// If the database cannot be used.
pub(crate) async fn begin(
    state: &AppState,
    headers: &HeaderMap,
    member: MemberId,
    password: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Option<(SessionSecret, Session)>, CustomersError> {
    if let Some(shown) = cookie::read(headers) {
        table::end(&state.pool, &shown).await?;
    }
    let origin = Origin::of(&state.access, headers);
    let begun = table::insert(&state.pool, member, password, &origin, state.lifetimes, now).await?;
    let Some(secret) = begun else { return Ok(None) };
    let session = table::resolve(&state.pool, &secret, state.lifetimes, now).await?;
    Ok(session.map(|session| (secret, session)))
}
