use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{Problem, ServerProblems};
use chrono::Utc;
use http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cookies;
use crate::error::CustomersError;
use crate::sessions::{self, ListedSession};
use crate::state::AppState;

/// A member's sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// Whose.
    customer_id: Uuid,
    /// The latest first; there are at most twenty.
    items: Vec<ListedSession>,
    /// Always null: all are on this page.
    next_cursor: Option<String>,
}

/// List sessions
///
/// Where the member is logged in.
#[utoipa::path(
    get, path = "/v1/sessions", tag = "session", security(("session" = [])),
    responses(
        (status = 200, description = "The sessions that go on.", body = SessionList),
        (status = 401, description = "Not logged in.", body = Problem, content_type = "application/problem+json"),
        ServerProblems,
    ),
)]
pub(crate) async fn list_sessions(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, CustomersError> {
    let now = Utc::now();
    let secret = cookies::read(&headers).ok_or(CustomersError::SessionMissing)?;
    let session = sessions::resolve(&state.pool, &secret, state.lifetimes, now).await?;
    let session = session.ok_or(CustomersError::SessionMissing)?;
    let items = sessions::list(&state.pool, &session, state.lifetimes, now).await?;
    Ok(Json(SessionList { customer_id: session.customer_id.0, items, next_cursor: None }))
}
