use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::CustomerId;
use domain::token::TokenHash;
use moka::Expiry;

use crate::uses::Noted;
use crate::{Denied, Principal, Refusal, Subject, Validated};

/// What is known of a token.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) state: State,
    /// How long the cache keeps it, counted from when it is written.
    pub(crate) lives: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum State {
    Valid {
        principal: Arc<Principal>,
        ends_at: Option<DateTime<Utc>>,
        /// Where its uses are noted, if it is a token's.
        noted: Option<Arc<Noted>>,
    },
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
        let noted = match principal.subject {
            Subject::Token(token_id) => Some(Arc::new(Noted::new(token_id))),
            Subject::Member(_) => None,
        };
        let state = State::Valid { principal: Arc::new(principal), ends_at: expires_at, noted };
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
            (State::Valid { principal, ends_at, noted }, Mark::EndsAt(end)) => {
                let ends_at = Some(ends_at.map_or(end, |before| before.min(end)));
                Self { state: State::Valid { principal, ends_at, noted }, lives: self.lives }
                    .until(ends_at, now)
            }
            (state @ State::Refused(_), Mark::EndsAt(_)) => Self { state, lives: self.lives },
        }
    }

    /// The same entry with the uses noted where `other` notes them, so that validating again does not report anew.
    pub(crate) fn noting_as(mut self, other: &Self) -> Self {
        if let (State::Valid { noted, .. }, State::Valid { noted: before, .. }) =
            (&mut self.state, &other.state)
        {
            noted.clone_from(before);
        }
        self
    }

    /// The same entry with the customer's days in another time zone; none if it is not that customer's or already says so.
    pub(crate) fn in_zone(&self, customer: CustomerId, time_zone: Tz) -> Option<Self> {
        let State::Valid { principal, ends_at, noted } = &self.state else { return None };
        if principal.customer_id != customer || principal.time_zone == time_zone {
            return None;
        }
        let principal = Arc::new(Principal { time_zone, ..(**principal).clone() });
        let state = State::Valid { principal, ends_at: *ends_at, noted: noted.clone() };
        Some(Self { state, lives: self.lives })
    }

    pub(crate) fn customer(&self) -> Option<CustomerId> {
        match &self.state {
            State::Valid { principal, .. } => Some(principal.customer_id),
            State::Refused(_) => None,
        }
    }

    pub(crate) fn noted(&self) -> Option<&Arc<Noted>> {
        match &self.state {
            State::Valid { noted, .. } => noted.as_ref(),
            State::Refused(_) => None,
        }
    }

    /// Lets the bearer in, if the token still does. An entry may outlive the token by the cache's own pace, so its end is
    /// looked at each time.
    pub(crate) fn admit(&self, now: DateTime<Utc>) -> Result<Arc<Principal>, Denied> {
        match &self.state {
            State::Valid { ends_at: Some(end), .. } if *end <= now => Err(Denied::Refused(Refusal::Expired)),
            State::Valid { principal, .. } => Ok(Arc::clone(principal)),
            State::Refused(refusal) => Err(Denied::Refused(*refusal)),
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
