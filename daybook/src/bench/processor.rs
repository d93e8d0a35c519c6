//! Processor time of one piece of work, apart from everything else that runs in this process.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinHandle;

use crate::failure::Failure;

/// Runs work on a thread and with a scheduler of its own; whatever it spawns runs there too.
pub(super) fn alone<T: Send + 'static, W: Future<Output = Result<T, Failure>>>(
    work: impl FnOnce() -> W + Send + 'static,
) -> JoinHandle<Result<T, Failure>> {
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(Failure::io("cannot start a scheduler"))?.block_on(work())
    })
}

/// Counts the time of the thread on which it is made and asked.
pub(super) struct Meter(Duration);

impl Meter {
    pub(super) fn start() -> Self {
        Self(thread_time())
    }

    /// Processor time since then.
    pub(super) fn used(&self) -> Duration {
        thread_time().saturating_sub(self.0)
    }
}

fn thread_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(used.tv_sec as u64, used.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_works_own_time_counts() {
        let idle = alone(|| async {
            let meter = Meter::start();
            tokio::time::sleep(Duration::from_millis(200)).await;
            Ok(meter.used())
        });
        let busy = alone(|| async {
            let (meter, until) = (Meter::start(), std::time::Instant::now() + Duration::from_millis(200));
            while std::time::Instant::now() < until {}
            Ok(meter.used())
        });
        let (idle, busy) = (idle.await.unwrap().unwrap(), busy.await.unwrap().unwrap());
        assert!(idle < busy, "{idle:?} {busy:?}");
    }
}
