use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use projection_service::{RebuildOptions, rebuild};

use super::log::FilledLog;
use super::watch::Watch;
use super::{MIB, storage};
use crate::failure::Failure;

/// What a rebuild has shown.
pub(super) struct Rebuilt {
    /// Events a second, from its beginning until its generation is live.
    pub(super) per_s: f64,
    /// Events a second while the first fifth of them was folded, and the last one.
    pub(super) first_per_s: f64,
    pub(super) last_per_s: f64,
    /// The most that this process had in memory, with everything that it had before.
    pub(super) memory_mib: f64,
    pub(super) longest_query_ms: f64,
}

/// When so many events were folded.
type Marks = Vec<(Instant, u64)>;

/// Rebuilds the read model of a log at full speed.
pub(super) async fn rebuild_once(log: &FilledLog, parallel: usize) -> Result<Rebuilt, Failure> {
    storage::forget_peak();
    let watch = Watch::start(log.reports.clone());
    let marks = Arc::<Mutex<Marks>>::default();
    let noted = Arc::clone(&marks);
    let note = move |progress: projection_service::Progress| {
        noted.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), progress.folded));
    };
    let began = Instant::now();
    let options = RebuildOptions { verify: false, parallel, load_max: None };
    let rebuilt = rebuild(&log.reports, &log.log, options, note).await;
    let took = began.elapsed();
    let longest = watch.end().await;
    rebuilt.map_err(|error| Failure::Failed(error.to_string()))?;
    let mut marks = std::mem::take(&mut *marks.lock().unwrap_or_else(PoisonError::into_inner));
    marks.insert(0, (began, 0));
    let events = log.events as f64;
    Ok(Rebuilt {
        per_s: events / took.as_secs_f64(),
        first_per_s: rate(&marks, 0.0, events / 5.0),
        last_per_s: rate(&marks, events * 4.0 / 5.0, events),
        memory_mib: storage::peak_bytes() as f64 / MIB,
        longest_query_ms: longest.as_secs_f64() * 1e3,
    })
}

/// Events a second between two of them.
fn rate(marks: &[(Instant, u64)], from: f64, to: f64) -> f64 {
    let at = |events: f64| {
        let next = marks.partition_point(|(_, folded)| (*folded as f64) < events).clamp(1, marks.len() - 1);
        let [(before, fewer), (after, more)] = [marks[next - 1], marks[next]];
        let part = (events - fewer as f64) / (more - fewer).max(1) as f64;
        before.duration_since(marks[0].0).as_secs_f64() + after.duration_since(before).as_secs_f64() * part
    };
    (to - from) / (at(to) - at(from))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_that_of_a_part() {
        let began = Instant::now();
        let mark = |seconds, folded| (began + Duration::from_secs(seconds), folded);
        let marks = vec![mark(0, 0), mark(1, 400), mark(2, 800), mark(4, 1_000)];
        assert!((rate(&marks, 0.0, 200.0) - 400.0).abs() < 1e-6);
        assert!((rate(&marks, 800.0, 1_000.0) - 100.0).abs() < 1e-6);
    }
}
