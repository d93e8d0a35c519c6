use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The rate is the mean of this time, or of the whole rebuild if that is shorter.
const RATE_WINDOW: Duration = Duration::from_secs(10);

/// The progress of a rebuild.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Events that are folded.
    pub folded: u64,
    /// Events in the log when the rebuild began, or `folded` if that is more.
    pub total: u64,
    /// Events a second, lately.
    pub rate: f64,
    /// The time that the rest takes at this rate; none if nothing was folded lately.
    pub remaining: Option<Duration>,
    /// Why the rebuild pauses; none while it runs.
    pub paused: Option<&'static str>,
}

/// Measures the progress of a rebuild, and reports it.
pub(super) struct Meter {
    state: Mutex<State>,
    report: Box<dyn Fn(Progress) + Send + Sync>,
}

struct State {
    folded: u64,
    total: u64,
    /// Times, each with the number of events that were folded until then.
    marks: VecDeque<(Instant, u64)>,
    paused: Option<&'static str>,
}

impl Meter {
    pub(super) fn new(folded: u64, total: u64, report: Box<dyn Fn(Progress) + Send + Sync>) -> Self {
        let marks = VecDeque::from([(Instant::now(), folded)]);
        Self { state: Mutex::new(State { folded, total, marks, paused: None }), report }
    }

    /// Adds events that were folded.
    pub(super) fn folded(&self, events: u64) {
        self.change(Instant::now(), |state| state.folded += events);
    }

    /// Sets why the rebuild pauses, or that it goes on.
    pub(super) fn pause(&self, why: Option<&'static str>) {
        self.change(Instant::now(), |state| state.paused = why);
    }

    fn change(&self, now: Instant, change: impl FnOnce(&mut State)) {
        let progress = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut state);
            state.progress(now)
        };
        (self.report)(progress);
    }
}

impl State {
    fn progress(&mut self, now: Instant) -> Progress {
        self.total = self.total.max(self.folded);
        self.marks.push_back((now, self.folded));
        while self.marks.len() > 2 && now.duration_since(self.marks[1].0) >= RATE_WINDOW {
            self.marks.pop_front();
        }
        let (since, folded) = self.marks.front().copied().unwrap_or((now, self.folded));
        let seconds = now.duration_since(since).as_secs_f64();
        let rate = if seconds > 0.0 { (self.folded - folded) as f64 / seconds } else { 0.0 };
        let left = (self.total - self.folded) as f64;
        let remaining = (rate > 0.0).then(|| Duration::try_from_secs_f64(left / rate).ok()).flatten();
        Progress { folded: self.folded, total: self.total, rate, remaining, paused: self.paused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut state = State { folded: 0, total: 1_000, marks: VecDeque::from([(start, 0)]), paused: None };
        let mut at = |seconds, folded| {
            state.folded = folded;
            state.progress(start + Duration::from_secs(seconds))
        };
        let progress = at(2, 200);
        assert!((progress.rate - 100.0).abs() < 1e-9, "{progress:?}");
        assert_eq!(progress.remaining, Some(Duration::from_secs(8)));
        // A long pause, and then slowly on: what was long ago does not count.
        at(60, 200);
        at(61, 210);
        let progress = at(70, 300);
        assert!((progress.rate - 10.0).abs() < 1e-9, "{progress:?}");
        assert_eq!(at(71, 1_200).total, 1_200);
    }
}
