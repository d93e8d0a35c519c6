use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use chassis::{Problem, require_internal_key};
use http::StatusCode;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::handlers::{
    current_session, issue_token, list_tokens, log_in, log_out, resolve_session, revoke_token, sign_up,
    validate_token,
};
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(tags(
    (name = "customers", description = "Sign up."),
    (name = "session", description = "Log in and out."),
    (name = "tokens", description = "What programs authenticate with."),
))]
struct Document;

fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(sign_up::sign_up))
        .routes(routes!(log_in::log_in, current_session::current_session, log_out::log_out))
        .routes(routes!(issue_token::issue_token, list_tokens::list_tokens))
        .routes(routes!(revoke_token::revoke_token))
}

/// What the service offers to the public, for the one document of the gateway.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

/// Every route: the public ones, and those that only other services know.
pub fn router(state: AppState) -> Router {
    let internal = Router::new()
        .route("/internal/tokens/validate", post(validate_token::validate_token))
        .route("/internal/sessions/resolve", post(resolve_session::resolve_session))
        .route_layer(from_fn_with_state(state.access.internal_key().clone(), require_internal_key));
    let (public, _) = documented().split_for_parts();
    public
        .merge(internal)
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed")
        })
        .fallback(async || Problem::not_found("not-found"))
        .with_state(state)
}
