use std::pin::pin;

use domain::Partition;
use futures::{Stream, TryStreamExt};

use crate::log::Row;
use crate::{EventLog, LogError, RecordedEvent};

/// The most events that are asked of the database at once.
pub(super) const WINDOW_EVENTS: usize = 256;
/// After so many bytes of payload and metadata no more of them are taken into memory.
const WINDOW_BYTES: usize = 1024 * 1024;

/// Some events next to each other, in order.
pub(super) struct Window {
    pub(super) events: Vec<RecordedEvent>,
    /// Whether nothing follows.
    pub(super) is_last: bool,
}

impl Window {
    /// Reads the rows of a query whose `LIMIT` is `limit`.
    pub(super) async fn read(
        rows: impl Stream<Item = Result<Row, sqlx::Error>>,
        limit: usize,
    ) -> Result<Self, LogError> {
        let (mut rows, mut events, mut bytes) = (pin!(rows), Vec::new(), 0);
        while let Some(row) = rows.try_next().await? {
            let event = RecordedEvent::from(row);
            bytes += event.size();
            events.push(event);
            if bytes >= WINDOW_BYTES {
                return Ok(Self { events, is_last: false });
            }
        }
        let is_last = events.len() < limit;
        Ok(Self { events, is_last })
    }
}

impl EventLog {
    /// The events at some positions, whosever they are, or the first ones of them.
    ///
    /// # Errors
    /// An error if the database fails.
    pub(super) async fn window_at(
        &self,
        partition: Partition,
        positions: &[i64],
    ) -> Result<Window, LogError> {
        Window::read(self.rows_at(partition, positions), positions.len()).await
    }
}
