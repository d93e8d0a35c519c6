use access::Principal;
use domain::TokenId;
use domain::token::TokenSecret;
use rand::RngExt;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::table::{self, TokenAnswer};
use crate::error::CustomersError;
use crate::state::AppState;

/// The new token, with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct IssuedToken {
    /// The customer's id.
    customer_id: Uuid,
    /// The secret, shown this once.
    #[schema(example = "dbk_4f0AqYt7xWm2Rk9LsVbN3cZeHgUj6PdTiOo8p1")]
    token: String,
    #[serde(flatten)]
    issued: TokenAnswer,
}

impl IssuedToken {
    /// A token that was just issued and folded, with the secret that nobody will see again.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub(super) async fn new(
        state: &AppState,
        principal: &Principal,
        id: TokenId,
        secret: &TokenSecret,
    ) -> Result<Self, CustomersError> {
        let issued = table::find(&state.pool, principal.customer_id, id).await?;
        Ok(Self { customer_id: principal.customer_id.0, token: secret.reveal().to_owned(), issued })
    }
}

/// A random secret.
pub(super) fn make_secret() -> TokenSecret {
    let mut random = rand::rng();
    TokenSecret::make(|below| random.random_range(0..below))
}
