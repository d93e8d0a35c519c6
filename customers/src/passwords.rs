//! Passwords: how they are hashed and checked, changed by their member, and chosen anew through a link.

mod change;
pub(crate) mod common;
pub(crate) mod credentials;
mod forgot;
pub(crate) mod hashing;
mod new_password;
mod reset;
pub(crate) mod reset_links;
pub(crate) mod reset_mail;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(change::change_password))
        .routes(routes!(forgot::forgot_password))
        .routes(routes!(reset::reset_password))
}
