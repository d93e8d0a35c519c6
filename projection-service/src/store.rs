//! The read model in PostgreSQL: the rows of each customer in columns, written by the fold alone.
//!
//! Invariants: rows are never taken away, they end; of a segment nothing but its column `ended` changes; every change is
//! part of the transaction that moves the checkpoint, or moves rows from one place to another and is one transaction.

mod actors;
mod batch;
mod chunks;
mod deltas;
mod ends;
mod merge;
mod seal;

pub(crate) use actors::{ActorOrdinals, key as actor_key};
pub(crate) use batch::{Batch, Event, Prior};
pub(crate) use ends::between as ends_between;
#[cfg(test)]
pub(crate) use merge::merge_customer;
pub(crate) use merge::{Merger, read as read_segment};

/// The name of the read model, for operators and in the tables of checkpoints.
pub(crate) const NAME: &str = "activities";
/// Changes whenever the same events would fold to other rows; the service then rebuilds by itself.
pub(crate) const VERSION: i32 = 1;
/// Its tables, each partitioned by generation.
pub(crate) const TABLES: &[&str] = &["deltas", "segments", "segment_columns", "ends", "actors", "stores"];
/// What the read models of earlier versions were called; decisions about their dead letters are in the log for ever.
const FORMER_NAMES: [&str; 3] = ["activity", "active-users", "feed"];

/// Whether a name in the log stands for the read model.
pub(crate) fn is_named(name: &str) -> bool {
    name == NAME || FORMER_NAMES.contains(&name)
}

/// Where a batch is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// As in the tables.
    pub(crate) generation: i32,
    /// As in the tables.
    pub(crate) partition: i32,
}

/// Sizes at which chunks are made; tests make them small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Rows of a segment, at most [`crate::columns::CHUNK_ROWS_MAX`].
    pub(crate) segment_rows: usize,
    /// So many small deltas become a large one, and so many large ones a larger one.
    pub(crate) deltas: i32,
    /// So many runs of segments become one.
    pub(crate) runs: usize,
    /// So many ends are written into their segments.
    pub(crate) ends: i64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { segment_rows: crate::columns::CHUNK_ROWS_MAX, deltas: 32, runs: 8, ends: 4_096 }
    }
}
