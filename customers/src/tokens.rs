//! The tokens of programs: issued, listed, rotated and revoked by people and by programs, validated for other services.

pub(crate) mod authority;
mod events;
mod excess;
mod history;
mod issue;
mod issued;
mod list;
mod note_uses;
pub(crate) mod revocation;
mod revoke;
mod rotate;
mod stream;
mod table;
mod uses;
mod validate;

use access::InternalRoutes;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(issue::issue_token, list::list_tokens))
        .routes(routes!(revoke::revoke_token))
        .routes(routes!(rotate::rotate_token))
        .routes(routes!(history::token_history))
}

pub(crate) fn internal_routes(routes: InternalRoutes<AppState>) -> InternalRoutes<AppState> {
    routes.with(validate::validate_token).with(note_uses::note_uses)
}
