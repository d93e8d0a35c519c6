//! The customer itself: signing up, what it is called and where its days begin.

pub(crate) mod answer;
mod change;
pub(crate) mod execute;
mod own;
mod sign_up;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(sign_up::sign_up))
        .routes(routes!(own::own_customer, change::change_customer))
}
