use chrono::{DateTime, Utc};
use domain::Partition;
use event_store::RecordedEvent;
use sqlx::PgConnection;

use crate::projections::{self, Definition};
use crate::store::Place;

/// Advisory locks of folds, apart from any other use of them in this database: each fold of a live generation shares its
/// projection's lock, and whoever makes another generation the live one has it alone.
pub(crate) const LOCK_CLASS: i32 = 0x0DAF;

/// A generation of a projection, and how far it has folded a partition. Its checkpoint is locked.
pub(crate) struct Target {
    pub(crate) definition: &'static Definition,
    pub(crate) generation: i32,
    pub(crate) position: i64,
    partition: i32,
    /// Most partitions have no dead letter and need not be asked.
    pub(crate) has_dead_letters: bool,
    /// Whether an event that is still to come was discarded, as only a rebuild meets it.
    pub(super) has_discards_ahead: bool,
    /// Ordinals of actors that this transaction has given.
    pub(super) given: Vec<(uuid::Uuid, u32)>,
}

struct Row {
    projection: String,
    generation: i32,
    position: i64,
    has_dead_letters: bool,
    has_discards_ahead: bool,
}

impl Target {
    fn from_row(row: &Row, partition: Partition) -> Option<Self> {
        Some(Self {
            definition: Definition::named(&row.projection)?,
            generation: row.generation,
            position: row.position,
            partition: i32::from(partition.0),
            has_dead_letters: row.has_dead_letters,
            has_discards_ahead: row.has_discards_ahead,
            given: Vec::new(),
        })
    }

    pub(crate) fn place(&self) -> Place {
        Place { generation: self.generation, partition: self.partition }
    }

    /// Moves the checkpoint past events, and accounts for each of them.
    pub(super) async fn advance(
        &mut self,
        connection: &mut PgConnection,
        last: &RecordedEvent,
        folded: i64,
        dead_lettered: i64,
        discarded: i64,
    ) -> Result<(), sqlx::Error> {
        let recorded_at: DateTime<Utc> = last.recorded_at;
        sqlx::query!(
            "UPDATE checkpoints
                SET position = $4, folded = folded + $5, dead_lettered = dead_lettered + $6,
                    discarded = discarded + $7, recorded_at = $8
              WHERE projection = $1 AND generation = $2 AND partition = $3",
            self.definition.name,
            self.generation,
            self.partition,
            last.position,
            folded,
            dead_lettered,
            discarded,
            recorded_at,
        )
        .execute(connection)
        .await?;
        self.position = last.position;
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
            self.definition.name,
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

/// Holds the live generations of all projections in their place until the transaction ends.
///
/// # Errors
/// What the database says.
pub(crate) async fn lock_fold_shared(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let (names, _) = projections::versions();
    sqlx::query!(
        r#"SELECT count(pg_advisory_xact_lock_shared($1, hashtext(name))::text) AS "locked!" FROM unnest($2::text[]) AS name"#,
        LOCK_CLASS,
        &names,
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// Locks the live checkpoints of a partition, of those projections that this program's code folds. Come here after
/// [`lock_fold_shared`], with a statement of its own: what was live before may not be any more.
///
/// # Errors
/// What the database says.
pub(crate) async fn lock_live(
    connection: &mut PgConnection,
    partition: Partition,
) -> Result<Vec<Target>, sqlx::Error> {
    let (names, versions) = projections::versions();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT c.projection, c.generation, c.position, c.dead_lettered > 0 AS "has_dead_letters!",
                  EXISTS (SELECT FROM discards d WHERE d.projection = c.projection AND d.partition = c.partition
                                                   AND d.position > c.position) AS "has_discards_ahead!"
             FROM checkpoints c
             JOIN projections p ON p.name = c.projection AND p.live_generation = c.generation
             JOIN unnest($2::text[], $3::int[]) AS v (name, version) ON v.name = p.name AND v.version = p.version
            WHERE c.partition = $1
            ORDER BY c.projection
              FOR UPDATE OF c"#,
        i32::from(partition.0),
        &names,
        &versions,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().filter_map(|row| Target::from_row(row, partition)).collect())
}

/// Locks the checkpoints of these generations of a partition.
///
/// # Errors
/// What the database says.
pub(crate) async fn lock_these(
    connection: &mut PgConnection,
    partition: Partition,
    generations: &[(&'static Definition, i32)],
) -> Result<Vec<Target>, sqlx::Error> {
    let (names, numbers): (Vec<&str>, Vec<i32>) =
        generations.iter().map(|(definition, generation)| (definition.name, *generation)).unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT c.projection, c.generation, c.position, c.dead_lettered > 0 AS "has_dead_letters!",
                  EXISTS (SELECT FROM discards d WHERE d.projection = c.projection AND d.partition = c.partition
                                                   AND d.position > c.position) AS "has_discards_ahead!"
             FROM checkpoints c
             JOIN unnest($2::text[], $3::int[]) AS k (projection, generation)
                  ON k.projection = c.projection AND k.generation = c.generation
            WHERE c.partition = $1
            ORDER BY c.projection, c.generation
              FOR UPDATE OF c"#,
        i32::from(partition.0),
        &names as &[&str],
        &numbers,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().filter_map(|row| Target::from_row(row, partition)).collect())
}
