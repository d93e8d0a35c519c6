//! The customer's people: who they are and with which role.

pub(crate) mod answer;
mod change_role;
mod list;
mod remove;
pub(crate) mod table;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::invitations;
use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        // Who joins is invited first.
        .routes(routes!(list::list_members, invitations::invite::invite_member))
        .routes(routes!(change_role::change_role, remove::remove_member))
}
