use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::waits::{Limits, Waits};

/// How long a new connection waits until it is looked again for one that can be spared.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// The connections of one listener.
pub(crate) struct OpenConnections {
    max: usize,
    limits: Limits,
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    open: HashMap<u64, Open>,
}

struct Open {
    waits: Arc<Waits>,
    /// None until its task runs.
    task: Option<AbortHandle>,
}

/// A connection's place among the others, until dropped.
pub(crate) struct Opened {
    all: Arc<OpenConnections>,
    number: u64,
    pub(crate) waits: Arc<Waits>,
}

impl OpenConnections {
    pub(crate) fn new(max: usize, limits: Limits) -> Arc<Self> {
        Arc::new(Self { max: max.max(1), limits, state: Mutex::default(), ended: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is a place for one more. If all are taken, the connection that has waited the longest without
    /// ever sending a request gives way, then the one that has been idle for the longest: so a client that only
    /// holds connections open shuts no other out.
    pub(crate) async fn room(&self) {
        loop {
            let ended = self.ended.notified();
            if self.state().open.len() < self.max {
                return;
            }
            self.evict();
            // One that is busy now may be idle the next time.
            let _ = tokio::time::timeout(LOOK_AGAIN, ended).await;
        }
    }

    /// Ends the connection that can best be spared; whether there is one.
    pub(crate) fn evict(&self) -> bool {
        let state = self.state();
        let waiting =
            state.open.values().filter_map(|open| Some((open.waits.waiting()?, open.task.as_ref()?)));
        let Some((_, task)) = waiting.filter(|(_, task)| !task.is_finished()).min_by_key(|(since, _)| *since)
        else {
            return false;
        };
        task.abort();
        metrics::counter!("daybook_http_connections_evicted_total").increment(1);
        true
    }

    /// A new connection.
    pub(crate) fn open(self: &Arc<Self>) -> Opened {
        let waits = Arc::new(Waits::new(self.limits));
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.open.insert(number, Open { waits: Arc::clone(&waits), task: None });
        Opened { all: Arc::clone(self), number, waits }
    }

    /// Names the task of a connection.
    pub(crate) fn runs(&self, number: u64, task: AbortHandle) {
        if let Some(open) = self.state().open.get_mut(&number) {
            open.task = Some(task);
        }
    }

    /// Waits until all have ended.
    pub(crate) async fn drained(&self) {
        loop {
            let ended = self.ended.notified();
            if self.state().open.is_empty() {
                return;
            }
            ended.await;
        }
    }

    /// Ends all at once.
    pub(crate) fn cut(&self) {
        for open in self.state().open.values() {
            if let Some(task) = &open.task {
                task.abort();
            }
        }
    }
}

impl Opened {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.all.state().open.remove(&self.number);
        self.all.ended.notify_waiters();
    }
}
