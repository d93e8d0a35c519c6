//! The read model in PostgreSQL: the rows of each customer in columns, written by the fold alone.
//!
//! Invariants: rows are never deleted, they end, and merges and descriptions are only added; of a segment only the column `ended` changes; every change is part of the
//! transaction that moves the checkpoint, or is one transaction that moves rows between chunks.

mod actors;
mod batch;
mod chunks;
mod deltas;
mod ends;
mod identities;
mod merge;
mod seal;

pub(crate) use actors::{ActorOrdinals, key as actor_key};
pub(crate) use batch::{Batch, Event, Prior};
pub(crate) use ends::between as ends_between;
pub(crate) use identities::ActorChange;
#[cfg(test)]
pub(crate) use merge::merge_customer;
pub(crate) use merge::{Merger, read as read_segment};

/// The name of the read model, for operators and in the tables of checkpoints.
pub(crate) const NAME: &str = "activities";
/// Changes whenever the same events would fold to other rows; the service then rebuilds by itself.
pub(crate) const VERSION: i32 = 2;
/// Its tables, each partitioned by generation.
pub(crate) const TABLES: &[&str] =
    &["deltas", "segments", "segment_columns", "ends", "actors", "stores", "merges", "descriptions"];
/// What the read models of earlier versions were called; decisions about their dead letters are in the log for ever.
const FORMER_NAMES: [&str; 3] = ["activity", "active-users", "feed"];

/// Whether a name in the log stands for the read model.
pub(crate) fn is_named(name: &str) -> bool {
    name == NAME || FORMER_NAMES.contains(&name)
}

/// A partition of a generation, to which a batch is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GenerationPartition {
    /// Number of the generation, from 1.
    pub(crate) generation: i32,
    /// Number of the partition, from 0.
    pub(crate) partition: i32,
}

/// Sizes at which chunks are made; tests make them small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Rows of a segment, at most [`crate::columns::CHUNK_ROWS_MAX`].
    pub(crate) segment_rows: usize,
    /// The number of deltas of one size that are merged into a larger one.
    pub(crate) deltas: i32,
    /// The number of runs of segments that are merged into one.
    pub(crate) runs: usize,
    /// The number of ends in the table at which they are written into their segments.
    pub(crate) ends: i64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { segment_rows: crate::columns::CHUNK_ROWS_MAX, deltas: 32, runs: 8, ends: 4_096 }
    }
}
