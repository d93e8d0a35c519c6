use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use event_store::EventLog;

/// Events recorded a second, above which a rebuild rests between its pages.
const BUSY_PER_S: f64 = 1_000.0;
/// The length of that rest, as a multiple of the time that the page took.
const REST: f64 = 1.0;

/// Lets those who record activities have their turn: a rebuild that meets them pauses after each page.
#[derive(Default)]
pub(super) struct Turns(Mutex<Option<(Instant, i64)>>);

impl Turns {
    /// Rests after a page that took `worked`, if activities are recorded meanwhile.
    pub(super) async fn take(&self, log: &EventLog, worked: Duration) {
        // If the log cannot be read now, the next page finds out.
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
