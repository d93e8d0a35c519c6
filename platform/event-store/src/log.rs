use chrono::{DateTime, Utc};
use domain::{Partition, Partitions};
use futures::TryStreamExt;
use sqlx::PgPool;
use sqlx::types::Json as SqlJson;

use crate::partitions::{check_stored_partitions, create_partitions, stored_partitions};
use crate::{LogError, RecordedEvent};

/// The most events that one read returns.
pub const PAGE_EVENTS_MAX: i64 = 5_000;

/// A log in a database of its own.
#[derive(Clone, Debug)]
pub struct EventLog {
    pool: PgPool,
    partitions: Partitions,
}

/// The last event of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The partition.
    pub partition: Partition,
    /// How many events it has.
    pub position: i64,
    /// When the last one was recorded; none for an empty partition.
    pub recorded_at: Option<DateTime<Utc>>,
}

/// A row of `events`; the columns are named in [`select`].
pub(crate) struct Row {
    pub(crate) partition: i32,
    pub(crate) position: i64,
    pub(crate) sequence: i64,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) event_id: uuid::Uuid,
    pub(crate) customer_id: uuid::Uuid,
    pub(crate) aggregate_type: String,
    pub(crate) aggregate_id: String,
    pub(crate) event_type: String,
    pub(crate) event_version: String,
    pub(crate) payload: SqlJson<domain::Json>,
    pub(crate) metadata: SqlJson<domain::Json>,
}

impl From<Row> for RecordedEvent {
    fn from(row: Row) -> Self {
        Self {
            partition: Partition(row.partition as u16),
            position: row.position,
            sequence: row.sequence,
            recorded_at: row.recorded_at,
            event_id: row.event_id,
            customer_id: domain::CustomerId(row.customer_id),
            aggregate_type: row.aggregate_type,
            aggregate_id: row.aggregate_id,
            event_type: row.event_type,
            event_version: row.event_version,
            // Whatever reads the log, and frames it by lines, gets one line, also of what was stored before lines were.
            payload: row.payload.0.into_canonical(),
            metadata: row.metadata.0.into_canonical(),
        }
    }
}

impl EventLog {
    /// Opens a log whose tables exist, and creates its partitions if it has none yet.
    ///
    /// # Errors
    /// [`LogError::PartitionsDiffer`] for a log that was created with another number of partitions.
    pub async fn open(pool: PgPool, partitions: Partitions) -> Result<Self, LogError> {
        let mut transaction = pool.begin().await?;
        // Two processes may open a new log at the same time.
        sqlx::query!("LOCK TABLE log_head IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
        match stored_partitions(&mut *transaction).await? {
            0 => create_partitions(&mut transaction, partitions).await?,
            stored => check_stored_partitions(stored, partitions)?,
        }
        transaction.commit().await?;
        Ok(Self { pool, partitions })
    }

    /// Opens a log with as many partitions as it was created with, for operators who only read.
    ///
    /// # Errors
    /// What the database says; [`LogError::PartitionsDiffer`] for a log that was never opened by its service.
    pub async fn open_existing(pool: PgPool) -> Result<Self, LogError> {
        let stored = stored_partitions(&pool).await?;
        let partitions = Partitions::new(stored)
            .ok_or(LogError::PartitionsDiffer { stored, configured: Partitions::ONE.count() })?;
        Ok(Self { pool, partitions })
    }

    /// The log of another service, to be read: nothing is asked of the database until the first read, so the service may
    /// still be starting.
    #[must_use]
    pub fn reading(pool: PgPool, partitions: Partitions) -> Self {
        Self { pool, partitions }
    }

    /// Its partitions.
    #[must_use]
    pub fn partitions(&self) -> Partitions {
        self.partitions
    }

    /// Its database.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The head of every partition, in order.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn heads(&self) -> Result<Vec<Head>, LogError> {
        let rows = sqlx::query!(
            r#"SELECT partition, position, nullif(recorded_at, '-infinity') AS recorded_at FROM log_head ORDER BY partition"#
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Head {
                partition: Partition(row.partition as u16),
                position: row.position,
                recorded_at: row.recorded_at,
            })
            .collect())
    }

    /// The events of a partition after a position, in order, at most `limit` and [`PAGE_EVENTS_MAX`].
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn read(
        &self,
        partition: Partition,
        after: i64,
        limit: i64,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                      event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                 FROM events WHERE partition = $1 AND position > $2 ORDER BY position LIMIT $3"#,
            i32::from(partition.0),
            after,
            limit.clamp(1, PAGE_EVENTS_MAX),
        )
        .fetch(&self.pool);
        Ok(rows.map_ok(RecordedEvent::from).try_collect().await?)
    }

    /// The events of one stream, in order.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn read_stream(
        &self,
        partition: Partition,
        aggregate_type: &str,
        aggregate_id: &str,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                      event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                 FROM events WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3 ORDER BY sequence"#,
            i32::from(partition.0),
            aggregate_type,
            aggregate_id,
        )
        .fetch(&self.pool);
        Ok(rows.map_ok(RecordedEvent::from).try_collect().await?)
    }

    /// Every event of one aggregate type in a partition, in position order: for types of which there are few.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn read_type(
        &self,
        partition: Partition,
        aggregate_type: &str,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT partition, position, sequence, recorded_at, event_id, customer_id, aggregate_type, aggregate_id,
                      event_type, event_version, payload AS "payload: _", metadata AS "metadata: _"
                 FROM events WHERE partition = $1 AND aggregate_type = $2 ORDER BY position"#,
            i32::from(partition.0),
            aggregate_type,
        )
        .fetch(&self.pool);
        Ok(rows.map_ok(RecordedEvent::from).try_collect().await?)
    }

    /// The first event of each of these streams, in any order; streams without events are left out.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn read_first(
        &self,
        partition: Partition,
        aggregate_type: &str,
        aggregate_ids: &[String],
    ) -> Result<Vec<RecordedEvent>, LogError> {
        // One look-up for each, which the limit forbids to turn around: with `= ANY` the index is scanned on PostgreSQL 15.
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT e.partition AS "partition!", e.position AS "position!", e.sequence AS "sequence!",
                      e.recorded_at AS "recorded_at!", e.event_id AS "event_id!", e.customer_id AS "customer_id!",
                      e.aggregate_type AS "aggregate_type!", e.aggregate_id AS "aggregate_id!",
                      e.event_type AS "event_type!", e.event_version AS "event_version!",
                      e.payload AS "payload!: _", e.metadata AS "metadata!: _"
                 FROM unnest($3::text[]) AS i (aggregate_id)
                CROSS JOIN LATERAL (SELECT * FROM events s
                                     WHERE s.partition = $1 AND s.aggregate_type = $2
                                       AND s.aggregate_id = i.aggregate_id AND s.sequence = 1
                                     LIMIT 1) e"#,
            i32::from(partition.0),
            aggregate_type,
            aggregate_ids,
        )
        .fetch(&self.pool);
        Ok(rows.map_ok(RecordedEvent::from).try_collect().await?)
    }
}
