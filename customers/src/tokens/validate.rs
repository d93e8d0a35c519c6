use access::{TokenAuthority, ValidateToken, Verdict};

use crate::error::CustomersError;
use crate::state::AppState;

/// Returns whether a token is valid, and what it may do.
pub(crate) async fn validate_token(state: AppState, call: ValidateToken) -> Result<Verdict, CustomersError> {
    // Straight from the tables: services keep the answer for a day, and a second cache would only add to its age.
    let verdict = state.authority.validate(&call.sha256).await;
    verdict.map_err(|error| CustomersError::Unavailable(error.to_string()))
}
