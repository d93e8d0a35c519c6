//! Reading the live generation, in one consistent snapshot.

pub(crate) mod active_users;
pub(crate) mod activity;
pub(crate) mod feed;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::CustomerId;
use sqlx::{Postgres, Transaction};

use crate::answers::{AsOf, EntityTag};
use crate::calendar;
use crate::error::ReportsError;
use crate::projections::Place;
use crate::state::AppState;

/// Days that a report covers when it is not said.
const DAYS_DEFAULT: i64 = 30;

/// What a query sees of a customer: one generation of one projection, at one position.
pub(crate) struct Snapshot {
    transaction: Transaction<'static, Postgres>,
    place: Place,
    customer: CustomerId,
    version: i32,
    /// Grows when dead letters are folded, though the position stays.
    folded: i64,
    pub(crate) as_of: AsOf,
    pub(crate) lag_ms: i64,
}

impl Snapshot {
    /// Begins to read a projection.
    pub(crate) async fn begin(
        state: &AppState,
        projection: &str,
        customer: CustomerId,
    ) -> Result<Self, ReportsError> {
        let partition = state.partition(customer);
        let mut transaction =
            state.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // Each query is planned for its own range and filters, and none may take for ever.
        let row = sqlx::query!(
            "SELECT p.live_generation, p.version, c.position, c.folded, c.recorded_at,
                    set_config('plan_cache_mode', 'force_custom_plan', true) AS planned,
                    set_config('statement_timeout', '10s', true) AS limited
               FROM projections p
               JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
              WHERE p.name = $1 AND c.partition = $2",
            projection,
            i32::from(partition.0),
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(|| ReportsError::Unavailable(format!("{projection} has no live generation")))?;
        let lag = state.board.lag(partition, row.position, Instant::now());
        Ok(Self {
            transaction,
            place: Place { generation: row.live_generation, partition: i32::from(partition.0) },
            customer,
            version: row.version,
            folded: row.folded,
            as_of: AsOf { position: row.position, time: row.recorded_at },
            lag_ms: lag.as_millis() as i64,
        })
    }

    /// Names the answer to a question at this position.
    pub(crate) fn tag(&self, question: impl Hash) -> EntityTag {
        let mut hasher = DefaultHasher::new();
        (self.customer, self.version, self.folded, question).hash(&mut hasher);
        EntityTag(format!("W/\"{}-{}-{:016x}\"", self.place.generation, self.as_of.position, hasher.finish()))
    }
}

/// The whole minutes and the time zone that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
    pub(crate) zone: Tz,
}

impl Range {
    /// `from` is rounded down to the minute and `to` up. Without them it is the last 30 days, today among them.
    pub(crate) fn new(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<Self, ReportsError> {
        let to = calendar::minute_after(to.unwrap_or(now));
        let from = from.map_or_else(
            || {
                let last = calendar::day_of(zone, to - TimeDelta::seconds(1));
                calendar::start_of_day(zone, last - TimeDelta::days(DAYS_DEFAULT - 1))
            },
            calendar::minute_before,
        );
        if from >= to {
            return Err(ReportsError::parameter("from", "must be before to"));
        }
        Ok(Self { from, to, zone })
    }
}

/// The time zone that was asked for, else the customer's own.
pub(crate) fn zone(asked: Option<&str>, own: Tz) -> Result<Tz, ReportsError> {
    let Some(asked) = asked else { return Ok(own) };
    let unknown =
        |_| ReportsError::parameter("time_zone", "must be the IANA name of a time zone, as Europe/Berlin");
    asked.parse().map_err(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_default_is_the_last_30_days_with_today() {
        let now = at("2026-03-30T10:00:30Z");
        let range = Range::new(None, None, Tz::Europe__Berlin, now).unwrap();
        assert_eq!((range.from, range.to), (at("2026-02-28T23:00:00Z"), at("2026-03-30T10:01:00Z")));
        // At midnight, the day that has just ended is the last one.
        let range = Range::new(None, Some(at("2026-03-29T22:00:00Z")), Tz::Europe__Berlin, now).unwrap();
        assert_eq!(range.from, at("2026-02-27T23:00:00Z"));
    }

    #[test]
    fn a_range_must_not_be_empty() {
        let now = at("2026-03-30T10:00:00Z");
        assert!(Range::new(Some(now), Some(now), Tz::UTC, now).is_err());
        assert!(Range::new(Some(now), Some(now + TimeDelta::seconds(1)), Tz::UTC, now).is_ok());
    }
}
