use access::Caller;
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, ProblemJson, ServerProblems};
use domain::customer::{CustomerCommand, Permission};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::CustomerAnswer;
use super::execute::execute;
use crate::error::CustomersError;
use crate::fields::Faults;
use crate::permissions;
use crate::state::AppState;

/// What the customer is, from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeCustomer {
    /// IANA name of the zone in which the customer's days begin and end.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
}

/// Change the customer
///
/// Moves its days to another time zone: reports that are asked for from now on count days there.
#[utoipa::path(
    patch, path = "/v1/customers/self", tag = "customers",
    request_body(content = ChangeCustomer, example = json!({"time_zone": "Europe/Berlin"})),
    responses(
        (status = 200, description = "Changed.", body = CustomerAnswer),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn change_customer(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    ProblemJson(body): ProblemJson<ChangeCustomer>,
) -> Result<impl IntoResponse, CustomersError> {
    let principal = permissions::require(&state, &caller, Permission::ManageCustomer).await?;
    let mut faults = Faults::default();
    let time_zone = faults.time_zone("/time_zone", Some(&body.time_zone));
    faults.none()?;
    execute(&state, &principal, &headers, CustomerCommand::ChangeTimeZone(time_zone)).await?;
    state.access.authenticator().move_to(principal.customer_id, time_zone).await;
    Ok(Json(CustomerAnswer::of_caller(&state, &principal).await?))
}
