use event_store::EventLog;
use projection_service::{RebuildError, RebuildOptions, rebuild};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// As `daybook rebuild` does by default.
const OPTIONS: RebuildOptions = RebuildOptions { verify: false, parallel: 1, load_max: None };

/// Rebuilds again and again until it is stopped; the last rebuild is cancelled.
pub(super) struct Rebuilding {
    ended: CancellationToken,
    task: JoinHandle<Result<(), RebuildError>>,
}

impl Rebuilding {
    pub(super) fn start(reports: &PgPool, log: &EventLog) -> Self {
        let (reports, log) = (reports.clone(), log.clone());
        let ended = CancellationToken::new();
        let until = ended.clone();
        let task = tokio::spawn(async move {
            while let Some(rebuilt) =
                until.run_until_cancelled(rebuild(&reports, &log, OPTIONS, |_| {})).await
            {
                rebuilt?;
            }
            Ok(())
        });
        Self { ended, task }
    }

    pub(super) async fn end(self) -> Result<(), Failure> {
        self.ended.cancel();
        let ended = self.task.await.map_err(|error| Failure::Failed(error.to_string()))?;
        ended.map_err(|error| Failure::Failed(error.to_string()))
    }
}
