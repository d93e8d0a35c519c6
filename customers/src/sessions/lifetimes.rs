use chrono::{DateTime, TimeDelta, Utc};

/// The longest time for which a session that is used is not written.
const REFRESH_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// How long a session lasts after it was last used.
    pub(crate) idle: TimeDelta,
    /// How long it lasts at most, from its beginning.
    pub(crate) absolute: TimeDelta,
}

impl Lifetimes {
    /// When a session that is used now ends, if it is not used again.
    pub(super) fn end(self, created_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        (now + self.idle).min(created_at + self.absolute)
    }

    /// How often a session in use is written: often enough that it does not end meanwhile.
    pub(super) fn refresh_interval(self) -> TimeDelta {
        REFRESH_INTERVAL.min(self.idle / 10)
    }
}
