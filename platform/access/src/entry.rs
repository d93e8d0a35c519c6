use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::CustomerId;
use domain::token::TokenHash;
use moka::Expiry;

use crate::uses::TokenUses;
use crate::{Denied, Principal, Refusal, Subject, Validated};

/// What the cache holds of a token.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) state: State,
    /// How long the cache keeps the entry after it was written.
    pub(crate) ttl: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum State {
    Valid {
        principal: Arc<Principal>,
        ends_at: Option<DateTime<Utc>>,
        /// Where uses are recorded, if it is a token's.
        uses: Option<Arc<TokenUses>>,
    },
    Refused(Refusal),
}

/// What the log said lately of a token. An answer of the authority that is under way may be older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restriction {
    Revoked,
    EndsAt(DateTime<Utc>),
}

impl Restriction {
    /// Both restrictions. They only add up, so their order does not matter.
    pub(crate) fn combined_with(self, other: Self) -> Self {
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
        let uses = match principal.subject {
            Subject::Token(token_id) => Some(Arc::new(TokenUses::new(token_id))),
            Subject::Member(_) => None,
        };
        let state = State::Valid { principal: Arc::new(principal), ends_at: expires_at, uses };
        Self { state, ttl }.until(expires_at, now)
    }

    pub(crate) fn refused(refusal: Refusal, ttl: Duration) -> Self {
        Self { state: State::Refused(refusal), ttl }
    }

    fn until(mut self, end: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        if let Some(end) = end {
            self.ttl = self.ttl.min((end - now).to_std().unwrap_or(Duration::ZERO));
        }
        self
    }

    /// The entry with a restriction.
    pub(crate) fn restricted(self, restriction: Restriction, ttl: Duration, now: DateTime<Utc>) -> Self {
        match (self.state, restriction) {
            (_, Restriction::Revoked) => Self::refused(Refusal::Revoked, ttl),
            (State::Valid { principal, ends_at, uses }, Restriction::EndsAt(end)) => {
                let ends_at = Some(ends_at.map_or(end, |before| before.min(end)));
                Self { state: State::Valid { principal, ends_at, uses }, ttl: self.ttl }.until(ends_at, now)
            }
            (state @ State::Refused(_), Restriction::EndsAt(_)) => Self { state, ttl: self.ttl },
        }
    }

    /// The same entry that records uses where `other` does, so that validating again does not count as a first use.
    pub(crate) fn with_uses_of(mut self, other: &Self) -> Self {
        if let (State::Valid { uses, .. }, State::Valid { uses: before, .. }) =
            (&mut self.state, &other.state)
        {
            uses.clone_from(before);
        }
        self
    }

    /// The same entry with another time zone of its customer; `None` if it is another customer's or has that zone already.
    pub(crate) fn in_zone(&self, customer: CustomerId, time_zone: Tz) -> Option<Self> {
        let State::Valid { principal, ends_at, uses } = &self.state else { return None };
        if principal.customer_id != customer || principal.time_zone == time_zone {
            return None;
        }
        let principal = Arc::new(Principal { time_zone, ..(**principal).clone() });
        let state = State::Valid { principal, ends_at: *ends_at, uses: uses.clone() };
        Some(Self { state, ttl: self.ttl })
    }

    pub(crate) fn customer(&self) -> Option<CustomerId> {
        match &self.state {
            State::Valid { principal, .. } => Some(principal.customer_id),
            State::Refused(_) => None,
        }
    }

    pub(crate) fn uses(&self) -> Option<&Arc<TokenUses>> {
        match &self.state {
            State::Valid { uses, .. } => uses.as_ref(),
            State::Refused(_) => None,
        }
    }

    /// Returns the principal, if the token is still valid. The cache may keep an entry longer than the token lives, so the
    /// token's end is checked each time.
    pub(crate) fn admit(&self, now: DateTime<Utc>) -> Result<Arc<Principal>, Denied> {
        match &self.state {
            State::Valid { ends_at: Some(end), .. } if *end <= now => Err(Denied::Refused(Refusal::Expired)),
            State::Valid { principal, .. } => Ok(Arc::clone(principal)),
            State::Refused(refusal) => Err(Denied::Refused(*refusal)),
        }
    }
}

/// Keeps each entry for its own `ttl`, which begins again when it is overwritten.
pub(crate) struct Lifetimes;

impl Expiry<TokenHash, Entry> for Lifetimes {
    fn expire_after_create(&self, _: &TokenHash, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &TokenHash,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}
