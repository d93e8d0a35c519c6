use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::ACCEPT;
use http::{HeaderMap, Method, Uri};

use crate::error::GatewayError;
use crate::site::Keep;
use crate::state::AppState;

/// Paths that are never a page of the dashboard.
const NO_PAGES: [&str; 8] =
    ["/v1", "/internal", "/assets", "/docs", "/metrics", "/healthz", "/readyz", "/openapi.json"];

/// `GET /`
pub(crate) async fn dashboard(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    state.site.page("index.html", &headers)
}

/// `GET /docs`
pub(crate) async fn docs(State(state): State<Arc<AppState>>, headers: HeaderMap) -> Response {
    state.site.page("docs.html", &headers)
}

/// `GET /assets/{*file}`
pub(crate) async fn asset(
    State(state): State<Arc<AppState>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, GatewayError> {
    let path = uri.path().trim_start_matches('/');
    state.site.file(path, Keep::Forever, &headers).ok_or(GatewayError::NotFound)
}

/// Everything else: a file beside the pages, or a place in the dashboard, which finds its own way from the address.
pub(crate) async fn other(
    State(state): State<Arc<AppState>>,
    request: Request,
) -> Result<Response, GatewayError> {
    let path = request.uri().path();
    if !matches!(*request.method(), Method::GET | Method::HEAD) || is_no_page(path) {
        return Err(GatewayError::NotFound);
    }
    let headers = request.headers();
    if let Some(file) = state.site.file(path.trim_start_matches('/'), Keep::Revalidate, headers) {
        return Ok(file);
    }
    if accepts_html(headers) {
        Ok(state.site.page("index.html", headers))
    } else {
        Err(GatewayError::NotFound)
    }
}

fn is_no_page(path: &str) -> bool {
    NO_PAGES
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.to_ascii_lowercase().contains("text/html")))
}
