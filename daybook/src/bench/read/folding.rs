use std::time::{Duration, Instant};

use chassis::Env;
use embedded_postgres::Server;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::log::FilledLog;
use super::processor_time::ProcessorTime;
use super::storage;
use crate::bench::database_failure;
use crate::bench::house::new_database;
use crate::composition::decided;
use crate::databases::Databases;
use crate::failure::Failure;

/// How often the checkpoints are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// A fold that does not move for so long will not any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the fold of new activities has reached.
pub(super) struct Folded {
    /// Events a second.
    pub(super) per_s: f64,
    /// Processor time of Daybook and PostgreSQL together, in microseconds an event.
    pub(super) processor_us: f64,
}

/// Lets reports as a service find a log that it has not folded: pages are fetched, decoded, folded into deltas and segments
/// with a checkpoint each, and the segments are merged. It ends when all of that is done.
pub(super) async fn fold(server: &Server, log: &FilledLog, round: usize) -> Result<Folded, Failure> {
    let (folded, pool) = fold_into(server, log, &format!("fold_{round}")).await?;
    drop_pool(server, pool).await?;
    Ok(folded)
}

/// Bytes of the read model that such a fold makes.
pub(super) async fn bytes(server: &Server, log: &FilledLog) -> Result<f64, Failure> {
    let (_, pool) = fold_into(server, log, "fold_bytes").await?;
    let bytes = storage::read_model_bytes(&pool).await;
    drop_pool(server, pool).await?;
    bytes
}

async fn fold_into(server: &Server, log: &FilledLog, name: &str) -> Result<(Folded, PgPool), Failure> {
    let reports = new_database(server, name).await?;
    let databases = Databases { reports, ..log.databases.clone() };
    let config = projection_service::Config::from_env(&Env::from_pairs(decided(&databases)))?;
    let shutdown = CancellationToken::new();
    let (_, tasks) = projection_service::start(config, shutdown.clone()).await?.open_inside();
    let pool = PgPool::connect(&databases.reports).await.map_err(database_failure)?;
    let folded = watch(&pool, log.events as i64).await;
    shutdown.cancel();
    tasks.join_all().await;
    Ok((folded?, pool))
}

async fn drop_pool(server: &Server, pool: PgPool) -> Result<(), Failure> {
    let name = pool.connect_options().get_database().unwrap_or_default().to_owned();
    pool.close().await;
    storage::drop_database(server, &name).await
}

/// From the first checkpoint to the last segment.
async fn watch(pool: &PgPool, events: i64) -> Result<Folded, Failure> {
    let processor = ProcessorTime::of(pool).await?;
    let mut first = None;
    let (mut last, mut moved) = (0, Instant::now());
    loop {
        let now = position(pool).await?;
        if now > last {
            (last, moved) = (now, Instant::now());
        }
        if first.is_none() && now > 0 {
            first = Some((Instant::now(), processor.used()?, now));
        }
        if let Some((began, used, position)) = first
            && now >= events
            && !is_merging(pool).await?
        {
            let folded = (events - position) as f64;
            let processor_us = processor.used()?.saturating_sub(used).as_secs_f64() * 1e6 / folded;
            return Ok(Folded { per_s: folded / began.elapsed().as_secs_f64(), processor_us });
        }
        if moved.elapsed() > PATIENCE {
            return Err(Failure::Failed(format!("the fold stands at {now} of {events} events")));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// How many events are folded.
async fn position(pool: &PgPool) -> Result<i64, Failure> {
    let query = sqlx::query_scalar("SELECT coalesce(sum(position), 0)::bigint FROM checkpoints");
    query.fetch_one(pool).await.map_err(database_failure)
}

/// Whether there are segments that the merge will take up.
async fn is_merging(pool: &PgPool) -> Result<bool, Failure> {
    let query =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM stores WHERE new_segments >= 8 OR ends >= 4096)");
    query.fetch_one(pool).await.map_err(database_failure)
}
