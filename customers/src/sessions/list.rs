use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::ServerProblems;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::caller::LoggedIn;
use super::table::{self, ListedSession};
use crate::documented::SessionProblems;
use crate::error::CustomersError;
use crate::state::AppState;

/// A member's sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// The customer's id.
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
        SessionProblems, ServerProblems,
    ),
)]
pub(crate) async fn list_sessions(
    State(state): State<AppState>,
    LoggedIn { session, .. }: LoggedIn,
) -> Result<impl IntoResponse, CustomersError> {
    let items = table::list(&state.pool, &session, state.lifetimes, Utc::now()).await?;
    Ok(Json(SessionList { customer_id: session.customer_id.0, items, next_cursor: None }))
}
