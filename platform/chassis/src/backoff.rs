use std::time::Duration;

/// How long to wait before each retry: twice as long as before the one before it, up to a longest wait.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    /// Failures since the last success.
    failures: u32,
}

impl Backoff {
    /// Waits of `first`, twice `first`, four times `first` and so on, none longer than `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// The wait after so many failures in a row, counted from 1.
    #[must_use]
    pub fn after(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.longest)
    }

    /// Counts one more failure, and returns how long to wait after it.
    #[must_use]
    pub fn failed(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.after(self.failures)
    }

    /// After a success the next wait is the first one again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(100);

    #[test]
    fn waits_double_up_to_the_longest_and_begin_again_after_a_success() {
        let mut backoff = Backoff::new(FIRST, FIRST * 5);
        let waits: Vec<Duration> = (0..5).map(|_| backoff.failed()).collect();
        assert_eq!(waits, [FIRST, FIRST * 2, FIRST * 4, FIRST * 5, FIRST * 5]);
        backoff.succeeded();
        assert_eq!(backoff.failed(), FIRST);
    }

    #[test]
    fn however_many_failures_there_were_a_wait_is_at_most_the_longest() {
        let backoff = Backoff::new(FIRST, FIRST * 5);
        assert_eq!((backoff.after(0), backoff.after(1)), (FIRST, FIRST));
        assert_eq!(backoff.after(u32::MAX), FIRST * 5);
    }
}
