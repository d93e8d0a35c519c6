use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, on, options};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::error::GatewayError;
use crate::handlers::forward::forward;
use crate::handlers::preflight::preflight;
use crate::handlers::{openapi, pages};
use crate::problems::{RequestName, finish, reject};
use crate::routes::{Pages, ROUTES};
use crate::state::AppState;

/// Every public route but `/healthz` and `/readyz`, which must answer even when too many requests are in flight.
pub(crate) fn router(state: AppState) -> Router {
    let state = Arc::new(state);
    let through = |State(state): State<Arc<AppState>>, request: Request, next: Next| async move {
        pass(&state, request, |request| async { Ok(next.run(request).await) }).await
    };
    let no_method = |State(state): State<Arc<AppState>>, request: Request| async move {
        pass(&state, request, |_| async { Err(GatewayError::MethodNotAllowed) }).await
    };
    services()
        .merge(pages().layer(middleware::from_fn_with_state(Arc::clone(&state), through)))
        .method_not_allowed_fallback(no_method)
        .with_state(state)
}

/// Limits the requests in flight, and completes the response. Not a layer around the services' routes: it would cost each
/// request a boxed future and a copy of all that is below it.
async fn pass<F: Future<Output = Result<Response, GatewayError>>>(
    state: &AppState,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let name = RequestName::of(&request);
    let permit = match state.request_limit.acquire() {
        Ok(permit) => permit,
        Err(error) => return reject(&name, error),
    };
    match answer(request).await {
        Ok(response) => finish(name, permit.held_by(response)).await,
        Err(error) => reject(&name, error),
    }
}

fn services() -> Router<Arc<AppState>> {
    ROUTES.iter().fold(Router::new(), |router, route| {
        let handler = move |State(state): State<Arc<AppState>>, request: Request| async move {
            pass(&state, request, |request| forward(&state, route, request)).await
        };
        let router = router.route(route.path, on(route.methods, handler));
        if route.pages == Pages::None { router } else { router.route(route.path, options(preflight)) }
    })
}

fn pages() -> Router<Arc<AppState>> {
    // A problem is not compressed, for the request's name has yet to be written into it.
    let worth_compressing =
        DefaultPredicate::new().and(NotForContentType::const_new("application/problem+json"));
    Router::new()
        .route("/", get(pages::dashboard))
        .route("/docs", get(pages::docs))
        .route("/assets/{*file}", get(pages::asset))
        .route("/openapi.json", get(openapi::document))
        .fallback(pages::other)
        .layer(CompressionLayer::new().compress_when(worth_compressing))
}
