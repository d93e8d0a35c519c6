use access::{Caller, Principal};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{BodyProblems, CallerProblems, ProblemJson, ServerProblems};
use domain::customer::{CustomerCommand, Permission};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::remove_member::change;
use crate::answers::CustomerAnswer;
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

/// The caller's customer
///
/// Whose people, tokens and activities these are.
#[utoipa::path(
    get, path = "/v1/customers/self", tag = "customers",
    security(("token" = []), ("basic" = []), ("session" = [])),
    responses((status = 200, description = "The customer.", body = CustomerAnswer), CallerProblems, ServerProblems),
)]
pub(crate) async fn own_customer(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<impl IntoResponse, CustomersError> {
    permissions::require(&state, &caller.0, Permission::SeePeople).await?;
    Ok(Json(customer(&state, &caller.0).await?))
}

/// Change the customer
///
/// Moves its days to another time zone: reports that are asked for from now on count days there.
#[utoipa::path(
    patch, path = "/v1/customers/self", tag = "customers",
    security(("token" = []), ("basic" = []), ("session" = [])),
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
    permissions::require(&state, &caller.0, Permission::ManageCustomer).await?;
    let mut faults = Faults::default();
    let time_zone = faults.time_zone("/time_zone", Some(&body.time_zone));
    faults.none()?;
    change(&state, &caller.0, &headers, CustomerCommand::ChangeTimeZone(time_zone)).await?;
    state.access.authenticator().move_to(caller.0.customer_id, time_zone).await;
    Ok(Json(customer(&state, &caller.0).await?))
}

async fn customer(state: &AppState, principal: &Principal) -> Result<CustomerAnswer, CustomersError> {
    let customer = state.customers.load(&principal.customer_id.to_string()).await?;
    let (Some(name), Some(time_zone)) = (customer.name, customer.time_zone) else {
        return Err(CustomersError::Internal("a caller's customer never signed up".to_owned()));
    };
    Ok(CustomerAnswer { id: principal.customer_id.0, name, time_zone: time_zone.name() })
}
