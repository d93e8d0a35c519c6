use chrono::{DateTime, Utc};
use domain::Partition;
use event_store::{EventLog, EventRef, LogError, LogId, Stamp};
use sqlx::PgConnection;

use crate::store::{GenerationPartition, NAME, VERSION};

/// A generation and how far it has folded a partition. The row of the checkpoint is locked.
pub(crate) struct Target {
    pub(crate) generation: i32,
    pub(crate) position: i64,
    partition: i32,
    /// The event at `position`; none at the beginning.
    stamp: Option<Stamp>,
    /// Whether the partition has dead letters: most have none, and then the table is not read.
    pub(crate) has_dead_letters: bool,
    /// Whether an event after `position` was discarded; only in a rebuild.
    pub(super) has_discards_ahead: bool,
    /// Ordinals that this transaction gave to new actors.
    pub(super) given: Vec<(uuid::Uuid, u32)>,
}

struct Row {
    generation: i32,
    position: i64,
    log_id: Option<uuid::Uuid>,
    event_id: Option<uuid::Uuid>,
    recorded_at: Option<DateTime<Utc>>,
    has_dead_letters: bool,
    has_discards_ahead: bool,
}

impl Target {
    fn from_row(row: &Row, partition: Partition) -> Self {
        Self {
            generation: row.generation,
            position: row.position,
            partition: i32::from(partition.0),
            stamp: stamp(partition, row.position, row.log_id, row.event_id, row.recorded_at),
            has_dead_letters: row.has_dead_letters,
            has_discards_ahead: row.has_discards_ahead,
            given: Vec::new(),
        }
    }

    /// Checks that the log still has the event at `position`, and returns the log's identity. To be called after the events
    /// that follow were read, so that a log that was restored in between is noticed.
    ///
    /// # Errors
    /// [`LogError::Diverged`] if the log does not have it, or what the log says.
    pub(super) async fn check(&self, log: &EventLog) -> Result<LogId, LogError> {
        match &self.stamp {
            Some(stamp) => log.check(stamp).await.map(|()| stamp.log_id),
            None => log.id().await,
        }
    }

    pub(crate) fn place(&self) -> GenerationPartition {
        GenerationPartition { generation: self.generation, partition: self.partition }
    }

    /// Moves the checkpoint to `last`, and adds to its counts.
    pub(super) async fn advance(
        &mut self,
        connection: &mut PgConnection,
        last: &EventRef<'_>,
        log_id: LogId,
        folded: i64,
        dead_lettered: i64,
        discarded: i64,
    ) -> Result<(), sqlx::Error> {
        let stamp = Stamp {
            log_id,
            partition: last.partition,
            position: last.position,
            event_id: last.event_id,
            recorded_at: last.recorded_at,
        };
        sqlx::query!(
            "UPDATE checkpoints
                SET position = $4, folded = folded + $5, dead_lettered = dead_lettered + $6,
                    discarded = discarded + $7, recorded_at = $8, event_id = $9, log_id = $10
              WHERE projection = $1 AND generation = $2 AND partition = $3",
            NAME,
            self.generation,
            self.partition,
            last.position,
            folded,
            dead_lettered,
            discarded,
            stamp.recorded_at,
            stamp.event_id,
            stamp.log_id.0,
        )
        .execute(connection)
        .await?;
        self.position = last.position;
        self.stamp = Some(stamp);
        self.has_dead_letters |= dead_lettered > 0;
        Ok(())
    }

    /// Counts dead letters as folded or discarded; the position stays.
    pub(super) async fn resolve(
        &self,
        connection: &mut PgConnection,
        folded: i64,
        discarded: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "UPDATE checkpoints
                SET folded = folded + $4, discarded = discarded + $5, dead_lettered = dead_lettered - $4 - $5
              WHERE projection = $1 AND generation = $2 AND partition = $3",
            NAME,
            self.generation,
            self.partition,
            folded,
            discarded,
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Prepares a transaction for folding. The commit need not wait for the disk: after a crash of the server the checkpoint goes
/// back with the rows, and the log is folded again. Sequential scans are disabled, because a plan that was made while a table
/// was small would be kept when it is large.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT set_config('synchronous_commit', 'off', true) AS a, set_config('enable_seqscan', 'off', true) AS b,
                  set_config('enable_hashjoin', 'off', true) AS c, set_config('enable_mergejoin', 'off', true) AS d,
                  set_config('lock_timeout', '30s', true) AS e"#
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// The identity of the event at a checkpoint's position; none at the beginning.
pub(crate) fn stamp(
    partition: Partition,
    position: i64,
    log_id: Option<uuid::Uuid>,
    event_id: Option<uuid::Uuid>,
    recorded_at: Option<DateTime<Utc>>,
) -> Option<Stamp> {
    if position == 0 {
        return None;
    }
    let log_id = LogId(log_id?);
    Some(Stamp { log_id, partition, position, event_id: event_id?, recorded_at: recorded_at? })
}

/// Locks the live checkpoint of a partition; none if another version of the code folds it. To be called after
/// [`lock_fold_shared`](super::lock_fold_shared), as a statement of its own: another generation may have become live while it
/// waited.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn lock_live(
    connection: &mut PgConnection,
    partition: Partition,
) -> Result<Option<Target>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT c.generation, c.position, c.log_id, c.event_id, c.recorded_at, c.dead_lettered > 0 AS "has_dead_letters!",
                  EXISTS (SELECT FROM discards d WHERE d.projection = c.projection AND d.partition = c.partition
                                                   AND d.position > c.position) AS "has_discards_ahead!"
             FROM checkpoints c
             JOIN projections p ON p.name = c.projection AND p.live_generation = c.generation
            WHERE p.name = $2 AND p.version = $3 AND c.partition = $1
              FOR UPDATE OF c"#,
        i32::from(partition.0),
        NAME,
        VERSION,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Target::from_row(&row, partition)))
}

/// Locks the checkpoint of a generation of a partition; none if the generation was dropped.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn lock_generation(
    connection: &mut PgConnection,
    partition: Partition,
    generation: i32,
) -> Result<Option<Target>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT c.generation, c.position, c.log_id, c.event_id, c.recorded_at, c.dead_lettered > 0 AS "has_dead_letters!",
                  EXISTS (SELECT FROM discards d WHERE d.projection = c.projection AND d.partition = c.partition
                                                   AND d.position > c.position) AS "has_discards_ahead!"
             FROM checkpoints c
            WHERE c.projection = $2 AND c.generation = $3 AND c.partition = $1
              FOR UPDATE OF c"#,
        i32::from(partition.0),
        NAME,
        generation,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Target::from_row(&row, partition)))
}
