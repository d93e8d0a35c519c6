use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use futures::TryStreamExt;
use roaring::{MultiOps, RoaringBitmap};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Range, Snapshot};
use crate::answers::AsOf;
use crate::calendar::{day_of, start_of_day};
use crate::error::ReportsError;
use crate::projections::read_bitmap;

/// The most days of one report.
pub(crate) const DAYS_MAX: usize = 400;
const WEEK: usize = 7;
const MONTH: usize = 30;

/// Active users by day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActiveUsersReport {
    /// Every day that the range touches, each counted whole.
    days: Vec<Day>,
    /// How far history is in it.
    as_of: AsOf,
    /// How long the first event that is not in it has been waiting, in milliseconds.
    lag_ms: i64,
}

/// One day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActiveUsersDay)]
pub(crate) struct Day {
    /// The day, in the time zone of the report.
    date: NaiveDate,
    /// How many actors were active on it.
    daily: u64,
    /// How many were active on it or on one of the 6 days before.
    weekly: u64,
    /// How many were active on it or on one of the 29 days before.
    monthly: u64,
    /// `daily` as a part of `monthly`; none where that is 0.
    #[schema(required)]
    stickiness: Option<f64>,
}

/// The days that a range touches.
pub(crate) fn days(range: &Range) -> Result<Vec<NaiveDate>, ReportsError> {
    let first = day_of(range.zone, range.from);
    let days = std::iter::successors(Some(first), |day| day.checked_add_days(Days::new(1)));
    let days = days
        .take_while(|day| *day <= day_of(range.zone, range.to) && start_of_day(range.zone, *day) < range.to);
    let days: Vec<NaiveDate> = days.take(DAYS_MAX + 1).collect();
    if days.len() > DAYS_MAX {
        return Err(ReportsError::parameter("from", format!("must be at most {DAYS_MAX} days before to")));
    }
    Ok(days)
}

impl Snapshot {
    /// The report.
    pub(crate) async fn active_users(
        mut self,
        range: &Range,
        days: &[NaiveDate],
    ) -> Result<ActiveUsersReport, ReportsError> {
        let actors = self.actors_by_day(range, days).await?;
        let day = |date: &NaiveDate| {
            let [daily, weekly, monthly] = [1, WEEK, MONTH].map(|length| {
                let first = date.checked_sub_days(Days::new(length as u64 - 1)).unwrap_or(*date);
                actors.range(first..=*date).map(|(_, actors)| actors).union().len()
            });
            let stickiness = (monthly > 0).then(|| daily as f64 / monthly as f64);
            Day { date: *date, daily, weekly, monthly, stickiness }
        };
        let days = days.iter().map(day).collect();
        Ok(ActiveUsersReport { days, as_of: self.as_of, lag_ms: self.lag_ms })
    }

    /// Who was active on each of these days and of the month before them.
    async fn actors_by_day(
        &mut self,
        range: &Range,
        days: &[NaiveDate],
    ) -> Result<BTreeMap<NaiveDate, RoaringBitmap>, ReportsError> {
        let mut actors: BTreeMap<NaiveDate, RoaringBitmap> = BTreeMap::new();
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(actors) };
        let first = first.checked_sub_days(Days::new(MONTH as u64 - 1)).unwrap_or(*first);
        let after = last.checked_add_days(Days::new(1)).unwrap_or(*last);
        let mut rows = sqlx::query!(
            "SELECT bucket, actors FROM active_quarters
              WHERE generation = $1 AND partition = $2 AND customer_id = $3 AND bucket >= $4 AND bucket < $5",
            self.place.generation,
            self.place.partition,
            self.customer.0,
            start_of_day(range.zone, first),
            start_of_day(range.zone, after),
        )
        .fetch(&mut *self.transaction);
        while let Some(row) = rows.try_next().await? {
            *actors.entry(day_of(range.zone, row.bucket)).or_default() |= read_bitmap(&row.actors)?;
        }
        Ok(actors)
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    #[test]
    fn every_day_that_the_range_touches_is_told() {
        let range = |from: &str, to: &str| Range {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: Tz::Europe__Berlin,
        };
        let told =
            |range: Range| days(&range).map(|days| days.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(told(range("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")).unwrap(), ["2026-03-29"]);
        assert_eq!(
            told(range("2026-03-28T22:59:00Z", "2026-03-29T22:01:00Z")).unwrap(),
            ["2026-03-28", "2026-03-29", "2026-03-30"]
        );
        assert!(told(range("2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z")).is_err());
    }
}
