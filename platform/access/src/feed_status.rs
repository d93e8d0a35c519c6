use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// How long the log of revocations may be unreachable before cached tokens are validated again, in milliseconds. It is also
/// how long a revocation may take to arrive while the log is reachable.
const DISCONNECTED_MAX_MS: i64 = 1_000;
const NEVER_CONNECTED: i64 = i64::MIN;
const CONNECTED: i64 = i64::MAX;

/// Whether the log of revocations is being followed; otherwise since when it is not, in milliseconds since 1970.
#[derive(Debug)]
pub(crate) struct FeedStatus(AtomicI64);

impl Default for FeedStatus {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER_CONNECTED))
    }
}

impl FeedStatus {
    pub(crate) fn set_connected(&self) {
        self.0.store(CONNECTED, Ordering::Release);
    }

    /// Remembers when the connection was lost. Nothing changes if it was lost before, or never was there.
    pub(crate) fn set_disconnected(&self, now: DateTime<Utc>) {
        let _ =
            self.0.compare_exchange(CONNECTED, now.timestamp_millis(), Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether every revocation from now on will arrive, sooner or later: the position to read on from is known.
    pub(crate) fn was_connected(&self) -> bool {
        self.0.load(Ordering::Acquire) != NEVER_CONNECTED
    }

    /// Whether revocations may have been missed for too long.
    pub(crate) fn is_stale(&self, now: DateTime<Utc>) -> bool {
        match self.0.load(Ordering::Acquire) {
            CONNECTED | NEVER_CONNECTED => false,
            since => now.timestamp_millis() - since > DISCONNECTED_MAX_MS,
        }
    }
}
