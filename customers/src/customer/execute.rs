use access::{Cause, Principal};
use domain::customer::{CustomerCommand, CustomerError};
use event_store::ExecuteError;
use http::HeaderMap;

use crate::error::CustomersError;
use crate::state::AppState;

/// Carries out a command on the caller's own customer; its events are folded when this returns.
///
/// # Errors
/// [`CustomersError::MemberNotFound`], [`CustomersError::LastOwner`], or the log or the database cannot be used.
pub(crate) async fn execute(
    state: &AppState,
    principal: &Principal,
    headers: &HeaderMap,
    command: CustomerCommand,
) -> Result<(), CustomersError> {
    let (stream, cause) = (principal.customer_id.to_string(), Cause::request(headers, principal.subject));
    match state.customers.execute(&stream, command, cause.into()).await {
        Ok(()) => Ok(state.projection.catch_up().await?),
        Err(ExecuteError::Refused(CustomerError::NoSuchMember)) => Err(CustomersError::MemberNotFound),
        Err(ExecuteError::Refused(CustomerError::LastOwner)) => Err(CustomersError::LastOwner),
        Err(error) => Err(error.into()),
    }
}
