use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Job;

/// A group of no more events is small: what it costs is the commit, not the events.
const SMALL_GROUP_EVENTS: usize = 250;

/// What waits to be committed. Partitions are dealt out to lanes; a lane is in one group at a time, so that no two commits
/// of a process ever wait for each other's heads.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// How long a small group waits for the one that is being committed.
    patience: Duration,
    /// Notified when there may be a group to take.
    ready: Notify,
}

#[derive(Debug)]
struct State {
    lanes: Vec<Lane>,
    /// Since when a small group is being committed. There is one at a time, which gathers all lanes: two halves of it
    /// side by side cost two commits for the same events.
    small_since: Option<Instant>,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Lane {
    jobs: VecDeque<Job>,
    events: usize,
    is_taken: bool,
}

/// Jobs to be committed together; their lanes are free again when it is dropped.
pub(super) struct Group {
    pub(super) jobs: Vec<Job>,
    pub(super) events: usize,
    lanes: Vec<usize>,
    small_since: Option<Instant>,
    queue: Arc<Queue>,
}

/// Whether there is a group to take.
enum Ready {
    Now,
    /// At this time, or when the small group that is being committed ends.
    At(Instant),
    /// Nothing waits in a lane that is free.
    No,
}

impl Queue {
    pub(super) fn new(lanes: usize, patience: Duration) -> Arc<Self> {
        let lanes = (0..lanes).map(|_| Lane::default()).collect();
        Arc::new(Self {
            state: Mutex::new(State { lanes, small_since: None, is_closed: false }),
            patience,
            ready: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a job wait for its commit; gives it back if there are no more commits.
    pub(super) fn push(&self, partition: usize, job: Job) -> Result<(), Job> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(job);
        }
        let before = state.ready(self.patience);
        let lane = partition % state.lanes.len();
        state.lanes[lane].push(job);
        match (before, state.ready(self.patience)) {
            // From now on an appender has to look at the clock.
            (_, Ready::Now) | (Ready::No, Ready::At(_)) => self.ready.notify_one(),
            // In a lane that is taken it is seen when the lane is free again.
            (_, Ready::At(_) | Ready::No) => {}
        }
        Ok(())
    }

    /// The next group, to which no job is added once it has `events_max` events, if there is one now.
    pub(super) fn try_next(self: &Arc<Self>, events_max: usize) -> Option<Group> {
        let mut state = self.lock();
        matches!(state.ready(self.patience), Ready::Now).then(|| self.take(&mut state, events_max))
    }

    fn take(self: &Arc<Self>, state: &mut State, events_max: usize) -> Group {
        let group = state.take(events_max, self);
        if matches!(state.ready(self.patience), Ready::Now) {
            self.ready.notify_one();
        }
        group
    }

    /// The next group as soon as there is one; none after the last one.
    pub(super) async fn next(self: &Arc<Self>, events_max: usize) -> Option<Group> {
        loop {
            let notified = self.ready.notified();
            let ready = {
                let mut state = self.lock();
                let ready = state.ready(self.patience);
                if matches!(ready, Ready::Now) {
                    return Some(self.take(&mut state, events_max));
                }
                if state.is_closed && state.lanes.iter().all(|lane| lane.jobs.is_empty()) {
                    return None;
                }
                ready
            };
            match ready {
                Ready::At(time) => {
                    // Whichever comes first.
                    let _ = tokio::time::timeout_at(time, notified).await;
                }
                Ready::Now | Ready::No => notified.await,
            }
        }
    }

    /// Takes no more jobs; those that wait are still committed.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_waiters();
    }
}

impl State {
    fn free(&self) -> impl Iterator<Item = (usize, &Lane)> {
        self.lanes.iter().enumerate().filter(|(_, lane)| !lane.is_taken && !lane.jobs.is_empty())
    }

    fn ready(&self, patience: Duration) -> Ready {
        let waiting: usize = self.free().map(|(_, lane)| lane.events).sum();
        match self.small_since {
            _ if waiting == 0 => Ready::No,
            Some(since) if waiting <= SMALL_GROUP_EVENTS && since.elapsed() < patience => {
                Ready::At(since + patience)
            }
            _ => Ready::Now,
        }
    }

    /// All that waits, if that is little; otherwise the fullest lane, and others may take the rest at the same time.
    fn take(&mut self, events_max: usize, queue: &Arc<Queue>) -> Group {
        let waiting: usize = self.free().map(|(_, lane)| lane.events).sum();
        let is_small = waiting <= SMALL_GROUP_EVENTS;
        let mut lanes: Vec<usize> = self.free().map(|(n, _)| n).collect();
        if !is_small {
            lanes.sort_unstable_by_key(|&n| std::cmp::Reverse(self.lanes[n].events));
            lanes.truncate(1);
        }
        let (mut jobs, mut events) = (Vec::new(), 0);
        lanes.retain(|&n| {
            let lane = &mut self.lanes[n];
            while events < events_max
                && let Some(job) = lane.pop()
            {
                events += job.events();
                jobs.push(job);
                lane.is_taken = true;
            }
            lane.is_taken
        });
        let small_since = is_small.then(Instant::now);
        if is_small {
            self.small_since = small_since;
        }
        Group { jobs, events, lanes, small_since, queue: Arc::clone(queue) }
    }
}

impl Lane {
    fn push(&mut self, job: Job) {
        self.events += job.events();
        self.jobs.push_back(job);
    }

    fn pop(&mut self) -> Option<Job> {
        let job = self.jobs.pop_front()?;
        self.events -= job.events();
        Some(job)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        for &n in &self.lanes {
            state.lanes[n].is_taken = false;
        }
        // A later one may have lost its patience with this one.
        if self.small_since.is_some() && state.small_since == self.small_since {
            state.small_since = None;
        }
        // The appender that has committed it looks for the next one itself.
        if state.is_closed || std::thread::panicking() {
            self.queue.ready.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{CustomerId, Partition};
    use tokio::sync::{Semaphore, oneshot};
    use uuid::Uuid;

    use super::*;
    use crate::{Append, NewEvent};

    const EVENTS_MAX: usize = 1_000;
    /// Longer than any test.
    const FOR_EVER: Duration = Duration::from_hours(1);

    fn push(queue: &Queue, partition: u16, events: usize) {
        let event = || NewEvent {
            event_id: Uuid::now_v7(),
            event_type: String::new(),
            event_version: String::new(),
            payload: String::new(),
            metadata: String::new(),
        };
        let append = Append {
            partition: Partition(partition),
            customer_id: CustomerId(Uuid::now_v7()),
            aggregate_type: "activity",
            aggregate_id: String::new(),
            sequence: 1,
            events: (0..events).map(|_| event()).collect(),
        };
        let places = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let job = Job { appends: vec![append], answer: oneshot::channel().0, places };
        assert!(queue.push(usize::from(partition), job).is_ok());
    }

    fn partitions(group: &Group) -> Vec<u16> {
        group.jobs.iter().map(|job| job.appends[0].partition.0).collect()
    }

    /// The next group and its partitions, if there is one without waiting for another.
    async fn next(queue: &Arc<Queue>) -> Option<(Vec<u16>, Group)> {
        let group = tokio::time::timeout(Duration::from_millis(1), queue.next(EVENTS_MAX)).await.ok()??;
        Some((partitions(&group), group))
    }

    #[tokio::test]
    async fn few_events_of_all_partitions_are_one_group_and_the_next_ones_wait_for_it() {
        let queue = Queue::new(2, FOR_EVER);
        for partition in [0, 1, 2, 0] {
            push(&queue, partition, 1);
        }
        let (partitions, group) = next(&queue).await.unwrap();
        assert_eq!((partitions, group.events), (vec![0, 2, 0, 1], 4));
        push(&queue, 1, 1);
        assert!(next(&queue).await.is_none());
        drop(group);
        assert_eq!(next(&queue).await.unwrap().0, [1]);
    }

    #[tokio::test]
    async fn a_small_group_that_takes_long_holds_up_no_other_partitions() {
        const PATIENCE: Duration = Duration::from_millis(50);
        let queue = Queue::new(2, PATIENCE);
        push(&queue, 0, 1);
        let began = Instant::now();
        let slow = queue.next(EVENTS_MAX).await.unwrap();
        push(&queue, 2, 1);
        push(&queue, 1, 1);
        let second = queue.next(EVENTS_MAX).await.unwrap();
        assert!(began.elapsed() >= PATIENCE, "{:?}", began.elapsed());
        assert_eq!(partitions(&second), [1], "partition 2 is in the lane of the slow one");
        drop((slow, second));
        assert_eq!(partitions(&queue.next(EVENTS_MAX).await.unwrap()), [2]);
    }

    #[tokio::test]
    async fn many_events_are_committed_by_all_at_the_same_time_and_hold_up_no_few() {
        let queue = Queue::new(3, FOR_EVER);
        push(&queue, 0, 1_000);
        push(&queue, 1, 900);
        push(&queue, 0, 1_000);
        push(&queue, 2, 1);
        let (first, _first) = next(&queue).await.unwrap();
        let (second, _second) = next(&queue).await.unwrap();
        let (third, _third) = next(&queue).await.unwrap();
        assert_eq!((first, second, third), (vec![0], vec![1], vec![2]));
        assert!(next(&queue).await.is_none(), "partition 0 is being committed");
    }

    #[tokio::test]
    async fn after_the_close_what_waits_is_still_committed() {
        let queue = Queue::new(2, FOR_EVER);
        push(&queue, 0, 1);
        let (_, group) = next(&queue).await.unwrap();
        push(&queue, 0, 1);
        queue.close();
        assert!(next(&queue).await.is_none(), "its lane is taken");
        drop(group);
        assert!(queue.next(EVENTS_MAX).await.is_some());
        assert!(queue.next(EVENTS_MAX).await.is_none());
    }
}
