use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{CallerProblems, ServerProblems};
use domain::customer::Permission;

use super::answer::CustomerAnswer;
use crate::error::CustomersError;
use crate::permissions;
use crate::state::AppState;

/// The caller's customer
///
/// Whose people, tokens and activities these are.
#[utoipa::path(
    get, path = "/v1/customers/self", tag = "customers",
    responses((status = 200, description = "The customer.", body = CustomerAnswer), CallerProblems, ServerProblems),
)]
pub(crate) async fn own_customer(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::SeePeople).await?;
    Ok(Json(CustomerAnswer::of_caller(&state, &principal).await?))
}
