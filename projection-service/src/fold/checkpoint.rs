use chrono::{DateTime, Utc};
use domain::Partition;
use event_store::{EventLog, EventRef, LogError, LogId, Stamp, advisory_locks};
use sqlx::PgConnection;

use crate::store::{NAME, Place, VERSION};

/// A generation, and how far it has folded a partition. Its checkpoint is locked.
pub(crate) struct Target {
    pub(crate) generation: i32,
    pub(crate) position: i64,
    partition: i32,
    /// Which event the checkpoint stands at; none at the beginning.
    stamp: Option<Stamp>,
    /// Most partitions have no dead letter and need not be asked.
    pub(crate) has_dead_letters: bool,
    /// Whether an event that is still to come was discarded, as only a rebuild meets it.
    pub(super) has_discards_ahead: bool,
    /// Ordinals of actors that this transaction has given.
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

    /// Whether the log still has the event that the checkpoint stands at. To be asked after the events were read that
    /// follow it: a log that is set back in between is then noticed. Returns the log's identity.
    ///
    /// # Errors
    /// What the log says; [`LogError::Diverged`] if it has not.
    pub(super) async fn check(&self, log: &EventLog) -> Result<LogId, LogError> {
        match &self.stamp {
            Some(stamp) => log.check(stamp).await.map(|()| stamp.log_id),
            None => log.id().await,
        }
    }

    pub(crate) fn place(&self) -> Place {
        Place { generation: self.generation, partition: self.partition }
    }

    /// Moves the checkpoint past events, and accounts for each of them.
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

    /// Accounts anew for events that were set aside; the checkpoint stays where it is.
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

/// Sets a transaction up for folding. Nothing that is folded is lost for good in a crash of the server, since the log has
/// it and the checkpoint goes back with the rows, so the commit need not wait for the disk. The plans are pinned to the
/// keys: one that was made while a table was small would scan it for ever after.
///
/// # Errors
/// What the database says.
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

/// What a checkpoint remembers of the event that it stands at.
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

/// Holds the live generation in its place until the transaction ends.
///
/// # Errors
/// What the database says.
pub(crate) async fn lock_fold_shared(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT pg_advisory_xact_lock_shared($1, hashtext($2))::text AS "locked!""#,
        advisory_locks::FOLD,
        NAME
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Locks the live checkpoint of a partition; none if another version of the code folds it. Come here after
/// [`lock_fold_shared`], with a statement of its own: what was live before may not be any more.
///
/// # Errors
/// What the database says.
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

/// Locks the checkpoint of a generation of a partition; none if it was taken away.
///
/// # Errors
/// What the database says.
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
