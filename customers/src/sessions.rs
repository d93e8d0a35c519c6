//! Sessions of people in browsers: begun by logging in, listed and ended by their member, resolved for the gateway.

pub(crate) mod answer;
pub(crate) mod begin;
pub(crate) mod caller;
pub(crate) mod cookie;
mod current;
mod end;
pub(crate) mod lifetimes;
mod list;
mod log_in;
mod log_out;
pub(crate) mod origin;
mod resolve;
pub(crate) mod secret;
pub(crate) mod table;

use access::InternalRoutes;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(log_in::log_in, current::current_session, log_out::log_out))
        .routes(routes!(list::list_sessions))
        .routes(routes!(end::end_session))
}

pub(crate) fn internal_routes(routes: InternalRoutes<AppState>) -> InternalRoutes<AppState> {
    routes.with(resolve::resolve_session)
}
