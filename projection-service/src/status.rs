use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::Partition;
use event_store::{Divergence, EventLog, LogError};
use sqlx::PgPool;

use crate::fold::stamp;
use crate::lag::Lag;
use crate::store::NAME;

/// How far a projection has folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionStatus {
    /// As `daybook projections` lists it.
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

/// How far a projection has folded one partition, and what became of the events up to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatus {
    /// Number of the partition, from 0.
    pub partition: u16,
    /// Position of the last event that was folded, dead-lettered or discarded; 0 before the first.
    pub position: i64,
    /// How many events were folded up to there.
    pub folded: i64,
    /// How many are dead letters, or wait behind one.
    pub dead_lettered: i64,
    /// How many of these wait behind a dead letter of their stream.
    pub waiting: i64,
    /// Whether the table of dead letters has `dead_lettered` rows for the partition.
    pub dead_letters_found: bool,
    /// How many were discarded by an operator.
    pub discarded: i64,
    /// When the event at `position` was recorded.
    pub recorded_at: Option<DateTime<Utc>>,
}

/// How far every projection has folded, in the order of their names.
///
/// # Errors
/// An error if the database fails.
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

/// The partitions whose live checkpoint names an event that the log does not have, because the log was restored from a
/// backup or is another log. They are not folded until `daybook rebuild`.
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

/// Sets the metrics of each projection: published events that are not folded, and dead letters.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn measure(pool: &PgPool, lag: &Lag) -> Result<(), sqlx::Error> {
    for projection in status(pool).await? {
        let behind = |checkpoint: &PartitionStatus| {
            (lag.published(Partition(checkpoint.partition)) - checkpoint.position).max(0)
        };
        let lag: i64 = projection.partitions.iter().map(behind).sum();
        let aside: i64 = projection.partitions.iter().map(|checkpoint| checkpoint.dead_lettered).sum();
        let name = projection.name;
        metrics::gauge!("daybook_projection_lag_events", "projection" => name.clone()).set(lag as f64);
        metrics::gauge!("daybook_projection_dead_letters", "projection" => name).set(aside as f64);
    }
    Ok(())
}
