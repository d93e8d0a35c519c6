//! The log in PostgreSQL: append in groups, read by position, by stream and in bulk, and the repository under cqrs-es.
//!
//! Invariants: in every partition positions are 1, 2, 3 … without a hole and in commit order, so a reader needs
//! `position > checkpoint` and nothing cleverer; nothing here updates or deletes an event; an append is answered only
//! after its commit; every statement carries its partition, and none needs two.

pub mod advisory_locks;
mod aggregates;
mod append;
mod appender;
mod binary_rows;
mod bulk;
mod error;
mod event;
mod history;
mod identity;
mod log;
mod partitions;
mod repository;
mod stream_positions;

pub use aggregates::{Aggregates, ExecuteError};
pub use append::append_events;
pub use appender::{AppendError, Appender, AppenderConfig};
pub use bulk::{BULK_EVENTS_MAX, BulkPage, BulkReader};
pub use error::LogError;
pub use event::{Append, Appended, EventRef, NewEvent, RecordedEvent};
pub use history::{
    History, HistoryFilter, HistoryPage, HistoryQuery, KnownPositions, LOOKED_AT_EVENTS_MAX, PositionIndex,
    PositionQuestion, StreamPage, StreamQuery,
};
pub use identity::{Divergence, LogId, Stamp};
pub use log::{EventLog, Head, PAGE_EVENTS_MAX};
pub use repository::Repository;
pub use stream_positions::StreamPosition;

#[cfg(test)]
mod tests;
