use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::token::TokenHash;
use moka::Expiry;

use crate::{Denied, Principal, Refusal, Validated};

/// What is known of a token.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) state: State,
    /// How long the cache keeps it, counted from when it is written.
    pub(crate) lives: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum State {
    Valid { principal: Arc<Principal>, ends_at: Option<DateTime<Utc>> },
    Refused(Refusal),
}

/// What the log says happened to a token, of which an answer that is under way may not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Revoked,
    EndsAt(DateTime<Utc>),
}

impl Mark {
    /// Both together. What is known of a token only narrows, so the order does not matter.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::EndsAt(one), Self::EndsAt(two)) => Self::EndsAt(one.min(two)),
            _ => Self::Revoked,
        }
    }
}

impl Entry {
    /// A validated token: kept for `ttl`, or until its own end if that comes first.
    pub(crate) fn valid(validated: Validated, ttl: Duration, now: DateTime<Utc>) -> Self {
        let Validated { principal, expires_at } = validated;
        let state = State::Valid { principal: Arc::new(principal), ends_at: expires_at };
        Self { state, lives: ttl }.until(expires_at, now)
    }

    pub(crate) fn refused(refusal: Refusal, ttl: Duration) -> Self {
        Self { state: State::Refused(refusal), lives: ttl }
    }

    fn until(mut self, end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        if let Some(end) = end {
            self.lives = self.lives.min((end - now).to_std().unwrap_or(Duration::ZERO));
        }
        self
    }

    /// What remains after a mark.
    pub(crate) fn narrowed(self, mark: Mark, ttl: Duration, now: DateTime<Utc>) -> Self {
        match (self.state, mark) {
            (_, Mark::Revoked) => Self::refused(Refusal::Revoked, ttl),
            (State::Valid { principal, ends_at }, Mark::EndsAt(end)) => {
                let ends_at = Some(ends_at.map_or(end, |before| before.min(end)));
                Self { state: State::Valid { principal, ends_at }, lives: self.lives }.until(ends_at, now)
            }
            (state @ State::Refused(_), Mark::EndsAt(_)) => Self { state, lives: self.lives },
        }
    }

    /// Lets the bearer in, if the token still does. An entry may outlive the token by the cache's own pace, so its end is
    /// looked at each time.
    pub(crate) fn admit(self, now: DateTime<Utc>) -> Result<Arc<Principal>, Denied> {
        match self.state {
            State::Valid { ends_at: Some(end), .. } if end <= now => Err(Denied::Refused(Refusal::Expired)),
            State::Valid { principal, .. } => Ok(principal),
            State::Refused(refusal) => Err(Denied::Refused(refusal)),
        }
    }
}

/// Each entry has its own span of life, counted anew when it is written over.
pub(crate) struct Lifetimes;

impl Expiry<TokenHash, Entry> for Lifetimes {
    fn expire_after_create(&self, _: &TokenHash, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.lives)
    }

    fn expire_after_update(
        &self,
        _: &TokenHash,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.lives)
    }
}
