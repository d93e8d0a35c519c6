use axum::Router;
use http::StatusCode;

use crate::problem::Problem;

/// Adds what a router returns for a path that it does not have (404), and for a method that a path does not have (405).
pub fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
        })
        .fallback(async || Problem::not_found("not-found"))
}
