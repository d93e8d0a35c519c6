use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row after which a service is not called any more.
const FAILURES_MAX: u32 = 5;
/// How long it is then not called; after that one call at a time finds out whether it is back.
const REST: Duration = Duration::from_secs(1);

/// A circuit breaker: a service that has failed again and again is not called for a moment, so that callers fail at
/// once instead of waiting.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether the service may be called now.
    pub(crate) fn admits(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.rests_until {
            Some(until) if now < until => false,
            Some(_) => {
                // Other calls fail at once until this one has succeeded.
                state.rests_until = Some(now + REST);
                true
            }
            None => true,
        }
    }

    pub(crate) fn succeeded(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    pub(crate) fn failed(&self, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_MAX {
            state.rests_until = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_fails_again_and_again_is_left_alone_for_a_moment() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES_MAX {
            breaker.failed(now);
            assert!(breaker.admits(now));
        }
        breaker.failed(now);
        assert!(!breaker.admits(now + REST / 2));
        assert!(breaker.admits(now + REST), "somebody has to find out");
        assert!(!breaker.admits(now + REST), "one is enough");
        breaker.failed(now + REST);
        assert!(!breaker.admits(now + REST));
        assert!(breaker.admits(now + REST * 2));
        breaker.succeeded();
        assert!(breaker.admits(now + REST * 2) && breaker.admits(now + REST * 2));
    }

    #[test]
    fn only_failures_in_a_row_count() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..100 {
            breaker.failed(now);
            breaker.succeeded();
        }
        assert!(breaker.admits(now));
    }
}
