use std::sync::Arc;
use std::time::Duration;

use access::Access;
use axum::extract::FromRef;
use chassis::Upstream;
use domain::{CustomerId, Partition, Partitions};
use event_store::EventLog;
use sqlx::PgPool;

use crate::board::Board;
use crate::view::{ColumnCache, ScanSlots};

/// What the handlers work with.
#[derive(Clone)]
pub struct AppState {
    pub(crate) pool: PgPool,
    /// The log of activities, to be read.
    pub(crate) log: EventLog,
    /// Decoded columns.
    pub(crate) columns: ColumnCache,
    pub(crate) slots: ScanSlots,
    /// Bytes of the read model that one query may read.
    pub(crate) query_bytes_max: usize,
    /// How long an answer waits for a position.
    pub(crate) wait_for_max: Duration,
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
