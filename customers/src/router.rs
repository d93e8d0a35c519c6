use access::InternalRoutes;
use axum::Router;
use chassis::with_fallbacks;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;
use crate::{customer, invitations, members, passwords, sessions, tokens};

#[derive(OpenApi)]
#[openapi(tags(
    (name = "customers", description = "Sign up."),
    (name = "people", description = "Who works with it, and as what."),
    (name = "session", description = "Log in and out, and back in."),
    (name = "tokens", description = "What programs authenticate with."),
))]
struct Document;

fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(customer::routes())
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(sessions::routes())
        .merge(passwords::routes())
        .merge(tokens::routes())
}

/// What the service offers to the public, for the one document of the gateway.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    access::with_conventions(documented().into_openapi())
}

/// Every route: the public ones, and those that only other services know.
pub fn router(state: AppState) -> Router {
    let internal = sessions::internal_routes(tokens::internal_routes(InternalRoutes::default()));
    let internal = internal.behind(state.access.internal_key());
    let (public, _) = documented().split_for_parts();
    with_fallbacks(public.merge(internal)).with_state(state)
}
