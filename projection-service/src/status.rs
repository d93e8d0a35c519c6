use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::Partition;
use event_store::{Divergence, EventLog, LogError};
use sqlx::PgPool;

use crate::board::Board;
use crate::fold::stamp;
use crate::store::NAME;

/// How far a projection has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// Its name.
    pub name: String,
    /// The version of the code that folds the live generation.
    pub version: i32,
    /// The live generation.
    pub generation: i32,
    /// The generation that a rebuild is filling.
    pub building: Option<i32>,
    /// The live generation's checkpoints, in order.
    pub partitions: Vec<PartitionStatus>,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// The partition.
    pub partition: u16,
    /// The last event that is accounted for.
    pub position: i64,
    /// How many events were folded up to there.
    pub folded: i64,
    /// How many are set aside, with those that wait.
    pub dead_lettered: i64,
    /// How many of these wait behind another one of their stream.
    pub waiting: i64,
    /// Whether so many dead letters are really there.
    pub dead_letters_found: bool,
    /// How many are left out for good, because somebody said so.
    pub discarded: i64,
    /// When the last one was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
}

/// How far every projection has come, by name.
///
/// # Errors
/// What the database says.
pub async fn status(pool: &PgPool) -> Result<Vec<ProjectionStatus>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT p.name, p.version, p.live_generation, p.building_generation,
                  c.partition, c.position, c.folded, c.dead_lettered, c.discarded, c.recorded_at,
                  coalesce(l.waiting, 0) AS "waiting!", coalesce(l.letters, 0) = c.dead_lettered AS "dead_letters_found!"
             FROM projections p
             JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
             LEFT JOIN (SELECT projection, generation, partition, count(*) AS letters, count(waits_behind) AS waiting
                          FROM dead_letters GROUP BY projection, generation, partition) l
                    ON (l.projection, l.generation, l.partition) = (c.projection, c.generation, c.partition)
            ORDER BY p.name, c.partition"#
    )
    .fetch_all(pool)
    .await?;
    let mut all: BTreeMap<String, ProjectionStatus> = BTreeMap::new();
    for row in rows {
        let projection = all.entry(row.name).or_insert_with_key(|name| ProjectionStatus {
            name: name.clone(),
            version: row.version,
            generation: row.live_generation,
            building: row.building_generation,
            partitions: Vec::new(),
        });
        projection.partitions.push(PartitionStatus {
            partition: row.partition as u16,
            position: row.position,
            folded: row.folded,
            dead_lettered: row.dead_lettered,
            waiting: row.waiting,
            dead_letters_found: row.dead_letters_found,
            discarded: row.discarded,
            recorded_at: row.recorded_at,
        });
    }
    Ok(all.into_values().collect())
}

/// What is wrong with partitions whose live checkpoint stands at an event that the log does not have: the log was set back
/// to a backup, or is another one. They are not folded any further until `daybook rebuild`.
///
/// # Errors
/// What either database says.
pub async fn diverged(pool: &PgPool, log: &EventLog) -> Result<Vec<(Partition, Divergence)>, LogError> {
    let rows = sqlx::query!(
        "SELECT c.partition, c.position, c.log_id, c.event_id, c.recorded_at
           FROM projections p JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
          WHERE p.name = $1 ORDER BY c.partition",
        NAME,
    )
    .fetch_all(pool)
    .await?;
    let stamps: Vec<_> = rows
        .into_iter()
        .filter_map(|row| {
            stamp(Partition(row.partition as u16), row.position, row.log_id, row.event_id, row.recorded_at)
        })
        .collect();
    let diverged = log.check_all(&stamps).await?;
    metrics::gauge!("daybook_projection_diverged_partitions", "projection" => NAME)
        .set(diverged.len() as f64);
    Ok(diverged)
}

/// Says in the metrics how far each projection is behind what is published, and how many events it has set aside.
///
/// # Errors
/// What the database says.
pub(crate) async fn measure(pool: &PgPool, board: &Board) -> Result<(), sqlx::Error> {
    for projection in status(pool).await? {
        let behind = |checkpoint: &PartitionStatus| {
            (board.published(Partition(checkpoint.partition)) - checkpoint.position).max(0)
        };
        let lag: i64 = projection.partitions.iter().map(behind).sum();
        let aside: i64 = projection.partitions.iter().map(|checkpoint| checkpoint.dead_lettered).sum();
        let name = projection.name;
        metrics::gauge!("daybook_projection_lag_events", "projection" => name.clone()).set(lag as f64);
        metrics::gauge!("daybook_projection_dead_letters", "projection" => name).set(aside as f64);
    }
    Ok(())
}
