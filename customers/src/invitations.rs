//! Invitations by link. The link's secret is shown once, to the caller who invites; a hash of it is kept.

mod accept;
pub(crate) mod invite;
mod list;
pub(crate) mod table;
mod withdraw;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_invitations))
        .routes(routes!(withdraw::withdraw_invitation))
        .routes(routes!(accept::accept_invitation))
}
