use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use event_store::EventLog;

/// Where so many events a second are recorded, somebody waits for the machine.
const BUSY_PER_S: f64 = 1_000.0;
/// A rebuild then rests so long for the time that it has worked.
const REST: f64 = 1.0;

/// Lets those who record activities have their turn: a rebuild that meets them pauses after each page.
#[derive(Default)]
pub(super) struct Turns(Mutex<Option<(Instant, i64)>>);

impl Turns {
    /// To be called after work that took so long.
    pub(super) async fn take(&self, log: &EventLog, worked: Duration) {
        // What cannot be asked now is said by the next page.
        let Ok(heads) = log.heads().await else { return };
        let recorded = heads.iter().map(|head| head.position).sum();
        if self.is_busy(Instant::now(), recorded) {
            tokio::time::sleep(worked.mul_f64(REST)).await;
        }
    }

    /// Whether much was recorded since it was last asked.
    fn is_busy(&self, now: Instant, recorded: i64) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((before, fewer)) = last.replace((now, recorded)) else { return false };
        (recorded - fewer) as f64 > now.duration_since(before).as_secs_f64() * BUSY_PER_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_log_that_grows_fast_is_busy() {
        let (turns, begin) = (Turns::default(), Instant::now());
        let at = |ms, recorded| turns.is_busy(begin + Duration::from_millis(ms), recorded);
        assert!(!at(0, 5_000_000));
        assert!(!at(200, 5_000_100));
        assert!(at(400, 5_010_000));
        assert!(!at(600, 5_010_000));
    }
}
