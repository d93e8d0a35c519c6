use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

/// How long the log of revocations may be out of reach before what is cached is validated again, in milliseconds: as long
/// as a revocation may take to be heard of when it is within reach.
const CUT_OFF_MAX_MS: i64 = 1_000;
const NEVER_CONNECTED: i64 = i64::MIN;
const CONNECTED: i64 = i64::MAX;

/// Whether revocations are being followed; otherwise since when they are not.
#[derive(Debug)]
pub(crate) struct Link(AtomicI64);

impl Default for Link {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER_CONNECTED))
    }
}

impl Link {
    pub(crate) fn connected(&self) {
        self.0.store(CONNECTED, Ordering::Release);
    }

    /// The first cut counts; before the first connection there is nothing to cut.
    pub(crate) fn cut_off(&self, now: DateTime<Utc>) {
        let _ =
            self.0.compare_exchange(CONNECTED, now.timestamp_millis(), Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether every revocation from now on will be heard of, sooner or later.
    pub(crate) fn has_a_place(&self) -> bool {
        self.0.load(Ordering::Acquire) != NEVER_CONNECTED
    }

    /// Whether revocations may have gone unheard for too long.
    pub(crate) fn is_stale(&self, now: DateTime<Utc>) -> bool {
        match self.0.load(Ordering::Acquire) {
            CONNECTED | NEVER_CONNECTED => false,
            since => now.timestamp_millis() - since > CUT_OFF_MAX_MS,
        }
    }
}
