use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::Partition;
use event_bus::Published;
use tokio::sync::watch;

/// Notes of one partition; when there are more, the newest ones are drawn together.
const NOTES_MAX: usize = 128;

/// How far partitions are known to be published, and since when, and how far this process has folded them. Only ever a hint:
/// the checkpoints decide.
#[derive(Default)]
pub(crate) struct Board {
    published: Mutex<HashMap<Partition, VecDeque<Note>>>,
    folded: Mutex<HashMap<Partition, watch::Sender<i64>>>,
}

#[derive(Clone, Copy)]
struct Note {
    position: i64,
    heard: Instant,
}

impl Board {
    /// Writes down what was heard, and answers what of it is new.
    pub(crate) fn hear(&self, published: Vec<Published>, now: Instant) -> Vec<Published> {
        let mut notes = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published
            .into_iter()
            .filter(|Published { partition, position }| {
                let notes = notes.entry(*partition).or_default();
                let position = *position;
                let is_full = notes.len() >= NOTES_MAX;
                match notes.back_mut() {
                    Some(last) if last.position >= position => return false,
                    Some(last) if is_full => last.position = position,
                    _ => notes.push_back(Note { position, heard: now }),
                }
                true
            })
            .collect()
    }

    /// How far a partition is known to be published.
    pub(crate) fn published(&self, partition: Partition) -> i64 {
        let notes = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        notes.get(&partition).and_then(VecDeque::back).map_or(0, |note| note.position)
    }

    /// How long the first event after `position` has been published; nothing if there is none.
    pub(crate) fn lag(&self, partition: Partition, position: i64, now: Instant) -> Duration {
        let notes = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting =
            notes.get(&partition).and_then(|notes| notes.iter().find(|note| note.position > position));
        waiting.map_or(Duration::ZERO, |note| now.saturating_duration_since(note.heard))
    }

    /// Tells those who wait that a fold up to a position is committed.
    pub(crate) fn committed(&self, partition: Partition, position: i64) {
        self.folded(partition).send_replace(position);
    }

    /// Waits until this process has folded a position; another process may fold it instead.
    pub(crate) async fn until_folded(&self, partition: Partition, position: i64) {
        let mut folded = self.folded(partition).subscribe();
        // The sender is kept, so that this only ends when the position has come.
        let _ = folded.wait_for(|folded| *folded >= position).await;
    }

    fn folded(&self, partition: Partition) -> watch::Sender<i64> {
        let mut folded = self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        folded.entry(partition).or_default().clone()
    }

    /// Forgets what every projection has folded.
    pub(crate) fn forget(&self, partition: Partition, folded: i64) {
        let mut notes = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notes) = notes.get_mut(&partition) {
            // The last one stays: it says how far the partition is published.
            while notes.len() > 1 && notes.front().is_some_and(|note| note.position <= folded) {
                notes.pop_front();
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
        let board = Board::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(board.lag(PARTITION, 0, start), Duration::ZERO);
        assert_eq!(board.hear(published(5), after(0)), published(5));
        assert_eq!(board.hear(published(5), after(1)), []);
        assert_eq!(board.hear(published(4), after(1)), []);
        assert_eq!(board.hear(published(9), after(2)), published(9));
        assert_eq!(board.lag(PARTITION, 4, after(3)), Duration::from_secs(3));
        assert_eq!(board.lag(PARTITION, 5, after(3)), Duration::from_secs(1));
        board.forget(PARTITION, 9);
        assert_eq!(board.lag(PARTITION, 9, after(3)), Duration::ZERO);
        assert_eq!(board.published(PARTITION), 9);
    }

    #[tokio::test]
    async fn who_waits_for_a_position_is_told_when_it_is_folded() {
        let board = Board::default();
        let mut waiting = Box::pin(board.until_folded(PARTITION, 7));
        assert!(waiting.as_mut().now_or_never().is_none());
        board.committed(Partition(4), 9);
        board.committed(PARTITION, 6);
        assert!(waiting.as_mut().now_or_never().is_none());
        board.committed(PARTITION, 8);
        waiting.await;
    }

    #[test]
    fn a_long_wait_does_not_grow_the_notes() {
        let board = Board::default();
        let start = Instant::now();
        for position in 1..=1_000 {
            board.hear(published(position), start + Duration::from_secs(position as u64));
        }
        assert_eq!(board.published(PARTITION), 1_000);
        assert_eq!(board.lag(PARTITION, 0, start + Duration::from_secs(1_001)), Duration::from_secs(1_000));
        assert!(board.published.lock().unwrap()[&PARTITION].len() <= NOTES_MAX);
    }
}
