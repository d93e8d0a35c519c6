use access::Principal;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::CustomersError;
use crate::state::AppState;

/// The caller's customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
pub(crate) struct CustomerAnswer {
    /// The customer's id.
    pub(crate) id: Uuid,
    /// The customer's name.
    #[schema(example = "Ledger & Co")]
    pub(crate) name: String,
    /// IANA name of the zone in which its days begin and end.
    #[schema(example = "Europe/Berlin")]
    pub(crate) time_zone: &'static str,
}

impl CustomerAnswer {
    /// The caller's customer, as the log has it.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub(crate) async fn of_caller(state: &AppState, principal: &Principal) -> Result<Self, CustomersError> {
        let customer = state.customers.load(&principal.customer_id.to_string()).await?;
        let (Some(name), Some(time_zone)) = (customer.name, customer.time_zone) else {
            return Err(CustomersError::Internal("a caller's customer never signed up".to_owned()));
        };
        Ok(Self { id: principal.customer_id.0, name, time_zone: time_zone.name() })
    }
}
