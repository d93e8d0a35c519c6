use std::time::Duration;

use event_store::EventLog;
use sqlx::PgPool;

use super::progress::Meter;
use crate::store::NAME;

/// The interval at which a paused rebuild checks whether it may go on.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Events that the live fold may be behind before a rebuild waits for it.
const LIVE_LAG_EVENTS_MAX: i64 = 50_000;

/// Pauses a rebuild while the machine is busy.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoadLimit {
    /// The load average of the last minute; a rebuild waits above it. None: it never waits.
    pub(super) load_max: Option<f64>,
}

impl LoadLimit {
    /// Waits until the machine is less busy, if there is a limit.
    pub(super) async fn wait(self, pool: &PgPool, log: &EventLog, meter: &Meter) {
        let Some(load_max) = self.load_max else { return };
        let mut waited = false;
        while let Some(why) = busy(load_max, pool, log).await {
            waited = true;
            meter.pause(Some(why));
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        if waited {
            meter.pause(None);
        }
    }
}

async fn busy(load_max: f64, pool: &PgPool, log: &EventLog) -> Option<&'static str> {
    if load_average().is_some_and(|load| load > load_max) {
        return Some("the machine is busy");
    }
    match live_lag(pool, log).await {
        // If the database does not respond, the next page fails and says why.
        Ok(lag) if lag <= LIVE_LAG_EVENTS_MAX => None,
        Ok(_) => Some("the live fold is behind"),
        Err(_) => None,
    }
}

/// The load average of the last minute, where the system says it: Linux does, in `/proc/loadavg` (proc(5)).
fn load_average() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// The number of events that the live generation is behind the log.
async fn live_lag(pool: &PgPool, log: &EventLog) -> Result<i64, event_store::LogError> {
    let folded = sqlx::query_scalar!(
        r#"SELECT coalesce(sum(c.position), 0)::bigint AS "folded!" FROM projections p
             JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation WHERE p.name = $1"#,
        NAME,
    )
    .fetch_one(pool)
    .await?;
    Ok(log.heads().await?.iter().map(|head| head.position).sum::<i64>() - folded)
}
