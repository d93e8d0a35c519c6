use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::task::JoinHandle;

/// How often a query is asked.
const INTERVAL: Duration = Duration::from_millis(1);

/// Runs the statements with which every query of reports begins, until it is stopped.
pub(super) struct Watch {
    ended: Arc<AtomicBool>,
    queries: JoinHandle<Duration>,
}

impl Watch {
    pub(super) fn start(reports: PgPool) -> Self {
        let ended = Arc::<AtomicBool>::default();
        let until = Arc::clone(&ended);
        let queries = tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            while !until.load(Ordering::Relaxed) {
                let began = Instant::now();
                let query = sqlx::query(
                    "SELECT p.live_generation, c.position, s.rows, d.rows FROM projections p
                       JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
                       LEFT JOIN LATERAL (SELECT rows FROM segments
                                           WHERE generation = p.live_generation AND customer_id = $1 LIMIT 1) s ON true
                       LEFT JOIN LATERAL (SELECT rows FROM deltas
                                           WHERE generation = p.live_generation AND customer_id = $1 LIMIT 1) d ON true
                      WHERE c.partition = 0",
                );
                if query.bind(uuid::Uuid::nil()).fetch_optional(&reports).await.is_ok() {
                    longest = longest.max(began.elapsed());
                }
                tokio::time::sleep(INTERVAL).await;
            }
            longest
        });
        Self { ended, queries }
    }

    /// How long the longest one took.
    pub(super) async fn end(self) -> Duration {
        self.ended.store(true, Ordering::Relaxed);
        self.queries.await.unwrap_or_default()
    }
}
