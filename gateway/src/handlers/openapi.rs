use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::state::AppState;

/// `GET /openapi.json`
pub(crate) async fn document(State(state): State<Arc<AppState>>) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, state.openapi.clone())
}
