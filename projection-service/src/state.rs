use std::sync::Arc;
use std::time::Duration;

use access::Access;
use axum::extract::FromRef;
use chassis::Upstream;
use domain::{CustomerId, Partition, Partitions};
use event_store::EventLog;
use sqlx::PgPool;

use crate::lag::Lag;
use crate::view::{ColumnCache, IdentityCache, ScanSlots, TraitCache};

/// What every handler needs.
#[derive(Clone)]
pub struct AppState {
    pub(crate) pool: PgPool,
    /// The log of activities, only read.
    pub(crate) log: EventLog,
    /// The cache of decoded columns.
    pub(crate) columns: ColumnCache,
    /// The cache of merges of actors.
    pub(crate) identities: IdentityCache,
    /// The cache of traits of actors.
    pub(crate) traits: TraitCache,
    pub(crate) slots: ScanSlots,
    /// Bytes of the read model that one query may read.
    pub(crate) query_bytes_max: usize,
    /// The longest time that a request waits for the position in `wait_for`.
    pub(crate) wait_for_max: Duration,
    pub(crate) partitions: Partitions,
    pub(crate) lag: Arc<Lag>,
    pub(crate) access: Access,
    /// The command service, which records that a dead letter is discarded.
    pub(crate) activities: Upstream,
}

impl AppState {
    /// The partition that has all of a customer's events.
    pub(crate) fn partition(&self, customer: CustomerId) -> Partition {
        self.partitions.of(customer)
    }
}

impl FromRef<AppState> for Access {
    fn from_ref(state: &AppState) -> Self {
        state.access.clone()
    }
}
