use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bench::database_failure;
use crate::failure::Failure;

/// How often the lag is read.
const INTERVAL: Duration = Duration::from_millis(100);

/// How far the fold was behind the log, in seconds.
pub(super) struct Lag {
    /// Events a second.
    pub(super) fold_rate: f64,
    pub(super) longest: f64,
    pub(super) middle_third: f64,
    pub(super) last_third: f64,
}

/// Reads for how long the first event that is not folded has been in the log, until it is stopped.
pub(super) struct LagWatch {
    ended: CancellationToken,
    task: JoinHandle<Result<Vec<Look>, Failure>>,
}

struct Look {
    at: Instant,
    folded: i64,
    lag_s: f64,
}

impl LagWatch {
    pub(super) fn start(log: PgPool, reports: PgPool) -> Self {
        let ended = CancellationToken::new();
        let until = ended.clone();
        let task = tokio::spawn(async move {
            let mut looks = Vec::new();
            while !until.is_cancelled() {
                looks.push(look(&log, &reports).await.map_err(database_failure)?);
                tokio::time::sleep(INTERVAL).await;
            }
            Ok(looks)
        });
        Self { ended, task }
    }

    pub(super) async fn end(self) -> Result<Lag, Failure> {
        self.ended.cancel();
        let looks = self.task.await.map_err(|error| Failure::Failed(error.to_string()))??;
        let [Some(first), Some(last)] = [looks.first(), looks.last()] else {
            return Err(Failure::Failed("the lag was never looked at".to_owned()));
        };
        let third = looks.len() / 3;
        let mean =
            |looks: &[Look]| looks.iter().map(|look| look.lag_s).sum::<f64>() / looks.len().max(1) as f64;
        Ok(Lag {
            fold_rate: (last.folded - first.folded) as f64 / (last.at - first.at).as_secs_f64(),
            longest: looks.iter().map(|look| look.lag_s).fold(0.0, f64::max),
            middle_third: mean(&looks[third..2 * third]),
            last_third: mean(&looks[2 * third..]),
        })
    }
}

async fn look(log: &PgPool, reports: &PgPool) -> Result<Look, sqlx::Error> {
    let checkpoints: Vec<(i32, i64)> = sqlx::query_as(
        "SELECT c.partition, c.position FROM checkpoints c
           JOIN projections p ON p.name = c.projection AND p.live_generation = c.generation",
    )
    .fetch_all(reports)
    .await?;
    let (partitions, positions): (Vec<i32>, Vec<i64>) = checkpoints.into_iter().unzip();
    let lag_s = sqlx::query_scalar(
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - e.recorded_at)), 0)::float8
           FROM unnest($1::int[], $2::bigint[]) AS c (partition, position)
           JOIN events e ON e.partition = c.partition AND e.position = c.position + 1",
    )
    .bind(partitions)
    .bind(&positions)
    .fetch_one(log)
    .await?;
    Ok(Look { at: Instant::now(), folded: positions.iter().sum(), lag_s })
}
