use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::Partition;
use event_bus::Published;
use tokio::sync::watch;

/// Publications kept for one partition; when there are more, the newest two are merged.
const PUBLICATIONS_MAX: usize = 128;

/// How far each partition is published and since when, and how far this process has folded it. It is only a hint for jobs,
/// metrics and waiting requests: the checkpoints in the database are what counts.
#[derive(Default)]
pub(crate) struct Lag {
    published: Mutex<HashMap<Partition, VecDeque<Publication>>>,
    folded: Mutex<HashMap<Partition, watch::Sender<i64>>>,
}

#[derive(Clone, Copy)]
struct Publication {
    position: i64,
    /// When this process learned of it.
    seen_at: Instant,
}

impl Lag {
    /// Records published positions. Returns those that were not known before.
    pub(crate) fn record_published(&self, published: Vec<Published>, now: Instant) -> Vec<Published> {
        let mut publications = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published
            .into_iter()
            .filter(|Published { partition, position }| {
                let publications = publications.entry(*partition).or_default();
                let position = *position;
                let is_full = publications.len() >= PUBLICATIONS_MAX;
                match publications.back_mut() {
                    Some(last) if last.position >= position => return false,
                    Some(last) if is_full => last.position = position,
                    _ => publications.push_back(Publication { position, seen_at: now }),
                }
                true
            })
            .collect()
    }

    /// The last position of a partition that is known to be published; 0 if none is.
    pub(crate) fn published(&self, partition: Partition) -> i64 {
        let publications = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        publications.get(&partition).and_then(VecDeque::back).map_or(0, |publication| publication.position)
    }

    /// How long ago the first event after `position` was published; zero if there is none.
    pub(crate) fn of(&self, partition: Partition, position: i64, now: Instant) -> Duration {
        let publications = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = publications
            .get(&partition)
            .and_then(|publications| publications.iter().find(|publication| publication.position > position));
        waiting.map_or(Duration::ZERO, |publication| now.saturating_duration_since(publication.seen_at))
    }

    /// Wakes the requests that wait in [`Self::until_folded`] for this position or an earlier one.
    pub(crate) fn committed(&self, partition: Partition, position: i64) {
        self.folded(partition).send_replace(position);
    }

    /// Waits until this process has folded a position. It may wait for ever, since another process may fold it instead.
    pub(crate) async fn until_folded(&self, partition: Partition, position: i64) {
        let mut folded = self.folded(partition).subscribe();
        // The sender stays in the map, so this cannot end before the position is folded.
        let _ = folded.wait_for(|folded| *folded >= position).await;
    }

    fn folded(&self, partition: Partition) -> watch::Sender<i64> {
        let mut folded = self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        folded.entry(partition).or_default().clone()
    }

    /// Forgets publications up to `folded`.
    pub(crate) fn forget_folded(&self, partition: Partition, folded: i64) {
        let mut publications = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(publications) = publications.get_mut(&partition) {
            // The last one stays: it says how far the partition is published.
            while publications.len() > 1
                && publications.front().is_some_and(|publication| publication.position <= folded)
            {
                publications.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    const PARTITION: Partition = Partition(3);

    fn published(position: i64) -> Vec<Published> {
        vec![Published { partition: PARTITION, position }]
    }

    #[test]
    fn the_lag_is_that_of_the_oldest_event_that_waits() {
        let lag = Lag::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(lag.of(PARTITION, 0, start), Duration::ZERO);
        assert_eq!(lag.record_published(published(5), after(0)), published(5));
        assert_eq!(lag.record_published(published(5), after(1)), []);
        assert_eq!(lag.record_published(published(4), after(1)), []);
        assert_eq!(lag.record_published(published(9), after(2)), published(9));
        assert_eq!(lag.of(PARTITION, 4, after(3)), Duration::from_secs(3));
        assert_eq!(lag.of(PARTITION, 5, after(3)), Duration::from_secs(1));
        lag.forget_folded(PARTITION, 9);
        assert_eq!(lag.of(PARTITION, 9, after(3)), Duration::ZERO);
        assert_eq!(lag.published(PARTITION), 9);
    }

    #[tokio::test]
    async fn who_waits_for_a_position_is_told_when_it_is_folded() {
        let lag = Lag::default();
        let mut waiting = Box::pin(lag.until_folded(PARTITION, 7));
        assert!(waiting.as_mut().now_or_never().is_none());
        lag.committed(Partition(4), 9);
        lag.committed(PARTITION, 6);
        assert!(waiting.as_mut().now_or_never().is_none());
        lag.committed(PARTITION, 8);
        waiting.await;
    }

    #[test]
    fn a_long_wait_does_not_grow_the_notes() {
        let lag = Lag::default();
        let start = Instant::now();
        for position in 1..=1_000 {
            lag.record_published(published(position), start + Duration::from_secs(position as u64));
        }
        assert_eq!(lag.published(PARTITION), 1_000);
        assert_eq!(lag.of(PARTITION, 0, start + Duration::from_secs(1_001)), Duration::from_secs(1_000));
        assert!(lag.published.lock().unwrap()[&PARTITION].len() <= PUBLICATIONS_MAX);
    }
}
