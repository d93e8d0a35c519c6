//! Reading in bulk: pages of a partition through `COPY … (FORMAT binary)`, which costs the server and this program less
//! than rows that are fetched, with only those columns that a fold needs.

use chrono::{DateTime, Utc};
use domain::Partition;
use futures::TryStreamExt;
use sqlx::{Connection, PgConnection};

use crate::binary_rows::{self, Fields};
use crate::{EventLog, EventRef, LogError};

/// The most events of one page.
pub const BULK_EVENTS_MAX: i64 = 65_536;
/// The most bytes of one page, but for its last event.
const BULK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Events of the first page, of which it is not known how large they are.
const BULK_EVENTS_FIRST: i64 = 8_192;

/// Reads a partition in bulk, from one position up to another.
pub struct BulkReader {
    /// Of its own: a reader that is given up leaves no transaction open in the pool.
    connection: PgConnection,
    partition: Partition,
    /// The last position that was read.
    after: i64,
    /// The last position that is to be read.
    to: i64,
    /// Events that fit into a page, judged by those of the last one.
    fitting: i64,
}

/// Events that follow each other in a partition, in one piece of memory.
pub struct BulkPage {
    partition: Partition,
    bytes: Vec<u8>,
    /// Where each event begins in `bytes`.
    starts: Vec<usize>,
}

impl EventLog {
    /// Begins to read a partition in bulk: the events after a position, up to another one.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn read_bulk(&self, partition: Partition, after: i64, to: i64) -> Result<BulkReader, LogError> {
        let connection = self.pool().acquire().await?.detach();
        Ok(BulkReader { connection, partition, after, to, fitting: BULK_EVENTS_FIRST })
    }

    /// The events of a partition after a position, in order, at most `limit` and fewer where they are large: for who comes
    /// back often for a little, over a connection of the pool. Cancel safe.
    ///
    /// # Errors
    /// As [`BulkReader::next`].
    pub async fn read_page(
        &self,
        partition: Partition,
        after: i64,
        limit: i64,
    ) -> Result<BulkPage, LogError> {
        let mut connection = self.pool().acquire().await?;
        let to = after.saturating_add(limit.clamp(1, BULK_EVENTS_MAX));
        // In a task of its own: if the caller goes away, it still ends its transaction before the pool gets the connection.
        let reading = tokio::spawn(async move { copy(&mut connection, partition, after, to).await });
        // It does not panic; the runtime may end while it is under way.
        reading.await.unwrap_or(Err(LogError::Database(sqlx::Error::WorkerCrashed)))
    }
}

impl BulkReader {
    /// The next events; none when all are read.
    ///
    /// # Errors
    /// What the database says; [`LogError::Unreadable`] if it sends something else than events.
    pub async fn next(&mut self) -> Result<Option<BulkPage>, LogError> {
        let last = self.to.min(self.after + self.fitting);
        if last <= self.after {
            return Ok(None);
        }
        let page = copy(&mut self.connection, self.partition, self.after, last).await?;
        let Some(event) = page.last()? else { return Ok(None) };
        self.after = event.position;
        let each = (page.bytes.len() / page.len()).max(1);
        self.fitting = ((BULK_BYTES_MAX / each) as i64).clamp(1, BULK_EVENTS_MAX);
        Ok(Some(page))
    }
}

/// Reads the events after a position up to another one, or fewer if they are large.
async fn copy(
    connection: &mut PgConnection,
    partition: Partition,
    after: i64,
    to: i64,
) -> Result<BulkPage, LogError> {
    let mut transaction = connection.begin_with("BEGIN READ ONLY").await?;
    // Events are found by their key, whatever the planner knows of the table.
    sqlx::query!(
        r#"SELECT set_config('enable_seqscan', 'off', true) AS a, set_config('enable_sort', 'off', true) AS b,
                      set_config('enable_bitmapscan', 'off', true) AS c"#
    )
    .fetch_one(&mut *transaction)
    .await?;
    // COPY takes no parameters; these are numbers.
    let statement = format!(
        "COPY (SELECT position, recorded_at, event_id, customer_id, aggregate_type, aggregate_id, event_type,
                      event_version, payload
                 FROM events WHERE partition = {} AND position > {} AND position <= {to} ORDER BY position)
           TO STDOUT (FORMAT binary)",
        partition.0, after,
    );
    let mut page = BulkPage { partition, bytes: Vec::new(), starts: Vec::new() };
    let mut is_full = false;
    {
        let mut rows = transaction.copy_out_raw(&statement).await?;
        while let Some(message) = rows.try_next().await? {
            // A message is a row, the first one with the header before it. What does not fit is read again.
            if !is_full {
                page.take(&message)?;
                is_full = page.bytes.len() >= BULK_BYTES_MAX;
            }
        }
    }
    transaction.commit().await?;
    Ok(page)
}

impl BulkPage {
    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Bytes that its events take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Its events, in order.
    ///
    /// # Errors
    /// [`LogError::Unreadable`] for what is no event.
    pub fn events(&self) -> Result<Vec<EventRef<'_>>, LogError> {
        self.starts.iter().map(|start| self.event(*start)).collect()
    }

    fn last(&self) -> Result<Option<EventRef<'_>>, LogError> {
        self.starts.last().map(|start| self.event(*start)).transpose()
    }

    /// Takes in a message of the server.
    fn take(&mut self, message: &[u8]) -> Result<(), LogError> {
        let mut rows = message;
        if self.starts.is_empty() {
            rows = binary_rows::after_header(rows)?;
        }
        while !rows.is_empty() && !binary_rows::is_trailer(rows) {
            let length = binary_rows::row_length(rows)?;
            self.starts.push(self.bytes.len());
            self.bytes.extend_from_slice(&rows[..length]);
            rows = &rows[length..];
        }
        Ok(())
    }

    fn event(&self, start: usize) -> Result<EventRef<'_>, LogError> {
        let mut fields = Fields::of(&self.bytes[start..])?;
        Ok(EventRef {
            partition: self.partition,
            position: fields.number()?,
            recorded_at: fields.time()?,
            event_id: fields.uuid()?,
            customer_id: domain::CustomerId(fields.uuid()?),
            aggregate_type: fields.text()?,
            aggregate_id: fields.text()?,
            event_type: fields.text()?,
            event_version: fields.text()?,
            payload: fields.text()?,
        })
    }
}

/// PostgreSQL counts microseconds from 2000-01-01.
pub(crate) const EPOCH: DateTime<Utc> = match DateTime::from_timestamp(946_684_800, 0) {
    Some(epoch) => epoch,
    None => DateTime::UNIX_EPOCH,
};
