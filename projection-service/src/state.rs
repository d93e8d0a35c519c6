use std::sync::Arc;

use access::Access;
use axum::extract::FromRef;
use chassis::Upstream;
use domain::{CustomerId, Partition, Partitions};
use sqlx::PgPool;

use crate::board::Board;

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    pub(crate) pool: PgPool,
    pub(crate) partitions: Partitions,
    pub(crate) board: Arc<Board>,
    pub(crate) access: Access,
    /// Who writes the log.
    pub(crate) activities: Upstream,
}

impl AppState {
    /// Where everything of a customer lies.
    pub(crate) fn partition(&self, customer: CustomerId) -> Partition {
        self.partitions.of(customer)
    }
}

impl FromRef<AppState> for Access {
    fn from_ref(state: &AppState) -> Self {
        state.access.clone()
    }
}
