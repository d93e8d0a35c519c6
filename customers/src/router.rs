use access::InternalRoutes;
use axum::Router;
use chassis::with_fallbacks;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::handlers::{
    accept_invitation, change_password, change_role, current_session, end_session, forgot_password,
    invite_member, issue_token, list_invitations, list_members, list_sessions, list_tokens, log_in, log_out,
    note_uses, own_customer, remove_member, reset_password, resolve_session, revoke_token, rotate_token,
    sign_up, token_history, validate_token, withdraw_invitation,
};
use crate::state::AppState;

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
        .routes(routes!(sign_up::sign_up))
        .routes(routes!(log_in::log_in, current_session::current_session, log_out::log_out))
        .routes(routes!(issue_token::issue_token, list_tokens::list_tokens))
        .routes(routes!(revoke_token::revoke_token))
        .routes(routes!(rotate_token::rotate_token))
        .routes(routes!(token_history::token_history))
        .routes(routes!(own_customer::own_customer, own_customer::change_customer))
        .routes(routes!(list_members::list_members, invite_member::invite_member))
        .routes(routes!(change_role::change_role, remove_member::remove_member))
        .routes(routes!(list_invitations::list_invitations))
        .routes(routes!(withdraw_invitation::withdraw_invitation))
        .routes(routes!(accept_invitation::accept_invitation))
        .routes(routes!(list_sessions::list_sessions))
        .routes(routes!(end_session::end_session))
        .routes(routes!(change_password::change_password))
        .routes(routes!(forgot_password::forgot_password))
        .routes(routes!(reset_password::reset_password))
}

/// What the service offers to the public, for the one document of the gateway.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

/// Every route: the public ones, and those that only other services know.
pub fn router(state: AppState) -> Router {
    let internal = InternalRoutes::default()
        .with(validate_token::validate_token)
        .with(note_uses::note_uses)
        .with(resolve_session::resolve_session)
        .behind(state.access.internal_key());
    let (public, _) = documented().split_for_parts();
    with_fallbacks(public.merge(internal)).with_state(state)
}
