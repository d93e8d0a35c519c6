use std::collections::BTreeMap;

use event_bus::BusError;
use event_store::{EventLog, LogError};
use projection_service::ProjectionStatus;
use sqlx::PgPool;

use super::report::{
    Accounts, JobReport, LogPartition, LogReport, ProjectionPartition, ProjectionReport, Report,
};
use crate::failure::Failure;
use crate::system::{Database, System};

const CONNECTIONS_MAX: u32 = 2;

/// Asks every database that is known.
pub(super) async fn gather(system: &System) -> Result<Report, Failure> {
    let mut report = Report {
        system: system.place().to_owned(),
        healthy: true,
        diverged: false,
        problems: Vec::new(),
        logs: Vec::new(),
        projections: Vec::new(),
        jobs: Vec::new(),
    };
    // Checkpoints are read before heads: the other way round a fold in between would seem to be ahead of its log.
    let mut projections = Vec::new();
    let mut reports = None;
    if system.url(Database::Reports).is_some() {
        let pool = system.connect(Database::Reports, CONNECTIONS_MAX).await?;
        let unreadable = |error| unreadable(Database::Reports, &error);
        projections = projection_service::status(&pool).await.map_err(unreadable)?;
        report.jobs = jobs(&pool).await.map_err(unreadable)?;
        reports = Some(pool);
    }
    for database in [Database::Activities, Database::Customers] {
        if system.url(database).is_some() {
            let pool = system.connect(database, CONNECTIONS_MAX).await?;
            report.logs.push(log(database, pool.clone()).await?);
            if let (Database::Activities, Some(reports)) = (database, &reports) {
                let diverged = diverged(reports, pool).await?;
                report.diverged |= !diverged.is_empty();
                report.problems.extend(diverged);
            }
        }
    }
    let activities = report.logs.iter().find(|log| log.name == Database::Activities.name());
    let heads: BTreeMap<u16, i64> =
        activities.iter().flat_map(|log| &log.partitions).map(|one| (one.partition, one.head)).collect();
    report.projections = projections.into_iter().map(|projection| account(projection, &heads)).collect();
    Ok(report.judged())
}

fn unreadable(database: Database, error: &sqlx::Error) -> Failure {
    let name = database.name();
    let hint = if chassis::database::is_unmigrated(error) { ". Run `daybook migrate` first" } else { "" };
    Failure::Failed(format!("the database of {name} cannot be read: {error}{hint}"))
}

/// Partitions that are not folded any further, since the log is not the one that was folded.
async fn diverged(reports: &PgPool, activities: PgPool) -> Result<Vec<String>, Failure> {
    let Ok(log) = EventLog::open_existing(activities).await else { return Ok(Vec::new()) };
    let diverged = projection_service::diverged(reports, &log).await?;
    Ok(diverged
        .into_iter()
        .map(|(partition, divergence)| {
            format!("partition {partition} is not folded: {divergence}; run `daybook rebuild`, which folds everything anew")
        })
        .collect())
}

async fn log(database: Database, pool: PgPool) -> Result<LogReport, Failure> {
    let (mut relayed, mut heads) = (BTreeMap::new(), Vec::new());
    match EventLog::open_existing(pool).await {
        Ok(log) => {
            let status = event_bus::relay_status(&log).await.map_err(|error| match error {
                BusError::Database(error) | BusError::Log(LogError::Database(error)) => {
                    unreadable(database, &error)
                }
                other => Failure::Failed(other.to_string()),
            })?;
            relayed.extend(status.into_iter().map(|relay| (relay.partition, relay)));
            heads = log.heads().await?;
        }
        // Its service has not started yet.
        Err(LogError::PartitionsDiffer { stored: 0, .. }) => {}
        Err(LogError::Database(error)) => return Err(unreadable(database, &error)),
        Err(error) => return Err(error.into()),
    }
    let partitions: Vec<LogPartition> = heads
        .into_iter()
        .map(|head| LogPartition {
            partition: head.partition.0,
            head: head.position,
            recorded_at: head.recorded_at,
            relay_position: relayed.get(&head.partition).map_or(0, |relay| relay.position),
            relay_stopped: relayed.get(&head.partition).and_then(|relay| relay.stopped.clone()),
        })
        .collect();
    let events = partitions.iter().map(|one| one.head).sum();
    let published = partitions.iter().map(|one| one.relay_position).sum();
    Ok(LogReport { name: database.name(), events, published, unpublished: events - published, partitions })
}

async fn jobs(pool: &PgPool) -> Result<Vec<JobReport>, sqlx::Error> {
    let jobs = projection_service::jobs(pool).await?;
    Ok(jobs
        .into_iter()
        .map(|job| JobReport {
            partition: job.partition,
            run_at: job.run_at,
            published_position: job.published_position,
            attempts: job.attempts,
            last_error: job.last_error,
        })
        .collect())
}

/// Sets a projection's checkpoints beside the heads. Where the log is not known, what is accounted for counts as all.
fn account(projection: ProjectionStatus, heads: &BTreeMap<u16, i64>) -> ProjectionReport {
    let partitions: Vec<ProjectionPartition> = projection
        .partitions
        .into_iter()
        .map(|one| {
            let head = heads.get(&one.partition).copied().unwrap_or(one.position);
            ProjectionPartition {
                partition: one.partition,
                checkpoint: one.position,
                recorded_at: one.recorded_at,
                accounts: Accounts::of(head, &one),
            }
        })
        .collect();
    let sum = Accounts::sum(partitions.iter().map(|one| one.accounts));
    ProjectionReport {
        name: projection.name,
        version: projection.version,
        generation: projection.generation,
        building: projection.building,
        sum,
        partitions,
    }
}
