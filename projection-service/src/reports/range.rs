use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::ToSchema;

use super::query::TimeRange;
use crate::calendar::{day_of, minute_after, minute_before, start_of_day};
use crate::error::ReportsError;

/// Days of the default range, with today.
const DAYS_DEFAULT: u64 = 30;

/// A range of time by its name. Today, and the current hour, are always part of what ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NamedRange {
    /// The 24 hours before now.
    #[serde(rename = "24h")]
    Hours24,
    #[serde(rename = "7d")]
    Days7,
    #[serde(rename = "30d")]
    Days30,
    #[serde(rename = "90d")]
    Days90,
    /// This month and the 11 before it.
    #[serde(rename = "12mo")]
    Months12,
    Today,
    Yesterday,
    /// Up to and with today.
    ThisWeek,
    LastWeek,
    /// Up to and with today.
    ThisMonth,
    LastMonth,
    /// From the first activity to the last one, and today.
    All,
}

/// The zone and the first day of a week of a customer, and the current time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    pub(crate) zone: Tz,
    pub(crate) week_start: Weekday,
    pub(crate) now: DateTime<Utc>,
}

impl Calendar {
    fn today(&self) -> NaiveDate {
        day_of(self.zone, self.now)
    }

    fn start(&self, day: NaiveDate) -> DateTime<Utc> {
        start_of_day(self.zone, day)
    }

    /// The range of a name; `all` is the time of the first and of the last activity.
    pub(crate) fn named(
        &self,
        name: NamedRange,
        all: Option<(DateTime<Utc>, DateTime<Utc>)>,
    ) -> Result<TimeRange, ReportsError> {
        let today = self.today();
        let tomorrow = after(today, 1);
        let week = before(today, u64::from(today.weekday().days_since(self.week_start)));
        let month = before(today, u64::from(today.day0()));
        let months_before = |count| month.checked_sub_months(Months::new(count)).unwrap_or(month);
        let days = |from, to| self.range(self.start(from), self.start(to));
        match name {
            NamedRange::Hours24 => {
                self.range(minute_before(self.now) - TimeDelta::hours(24), minute_after(self.now))
            }
            NamedRange::Days7 => days(before(today, 6), tomorrow),
            NamedRange::Days30 => days(before(today, 29), tomorrow),
            NamedRange::Days90 => days(before(today, 89), tomorrow),
            NamedRange::Months12 => days(months_before(11), tomorrow),
            NamedRange::Today => days(today, tomorrow),
            NamedRange::Yesterday => days(before(today, 1), today),
            NamedRange::ThisWeek => days(week, tomorrow),
            NamedRange::LastWeek => days(before(week, 7), week),
            NamedRange::ThisMonth => days(month, tomorrow),
            NamedRange::LastMonth => days(months_before(1), month),
            NamedRange::All => {
                let (first, last) = all.unwrap_or((self.now, self.now));
                let [first, last] = [first, last].map(|time| day_of(self.zone, time));
                days(first.min(today), after(last.max(today), 1))
            }
        }
    }

    /// The range between two times. Without `to` it ends with today, without `from` it has 30 days.
    ///
    /// # Errors
    /// 422 if it is empty.
    pub(crate) fn between(
        &self,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<TimeRange, ReportsError> {
        let to = to.unwrap_or_else(|| self.start(after(self.today(), 1)));
        let from = from.unwrap_or_else(|| {
            let last = day_of(self.zone, to - TimeDelta::microseconds(1));
            self.start(before(last, DAYS_DEFAULT - 1))
        });
        self.range(from, to)
    }

    /// As [`Self::between`], but a bound that is not given is no limit.
    pub(crate) fn open(
        &self,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
    ) -> Result<TimeRange, ReportsError> {
        self.range(from.unwrap_or(DateTime::<Utc>::MIN_UTC), to.unwrap_or(DateTime::<Utc>::MAX_UTC))
    }

    fn range(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<TimeRange, ReportsError> {
        let (from, to) = (whole_micros(from), whole_micros(to));
        if from >= to {
            return Err(ReportsError::parameter("from", "must be before to"));
        }
        Ok(TimeRange { from, to, zone: self.zone, week_start: self.week_start })
    }
}

/// Rounds up to whole microseconds. Times of activities are whole microseconds, so this changes no comparison with them.
fn whole_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    let down = DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time);
    if down < time { down.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(down) } else { down }
}

fn before(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_sub_days(Days::new(days)).unwrap_or(day)
}

fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn calendar(zone: &str, now: &str) -> Calendar {
        Calendar { zone: zone.parse().unwrap(), week_start: Weekday::Mon, now: at(now) }
    }

    fn named(zone: &str, now: &str, name: &str) -> (String, String) {
        let name = serde_json::from_value(name.into()).unwrap();
        let range = calendar(zone, now).named(name, None).unwrap();
        let text = |time: DateTime<Utc>| time.format("%Y-%m-%dT%H:%M").to_string();
        (text(range.from), text(range.to))
    }

    #[test]
    fn a_named_range_has_today_in_the_days_of_the_zone() {
        // A Thursday; in Kathmandu (+05:45) it is the 26th already.
        let now = "2026-03-25T20:00:30Z";
        for (zone, name, from, to) in [
            ("UTC", "24h", "2026-03-24T20:00", "2026-03-25T20:01"),
            ("UTC", "7d", "2026-03-19T00:00", "2026-03-26T00:00"),
            ("UTC", "today", "2026-03-25T00:00", "2026-03-26T00:00"),
            ("Asia/Kathmandu", "today", "2026-03-25T18:15", "2026-03-26T18:15"),
            ("Asia/Kathmandu", "yesterday", "2026-03-24T18:15", "2026-03-25T18:15"),
            ("Asia/Kolkata", "this_week", "2026-03-22T18:30", "2026-03-26T18:30"),
            ("UTC", "last_week", "2026-03-16T00:00", "2026-03-23T00:00"),
            ("Europe/Berlin", "this_month", "2026-02-28T23:00", "2026-03-25T23:00"),
            ("Europe/Berlin", "last_month", "2026-01-31T23:00", "2026-02-28T23:00"),
            ("UTC", "12mo", "2025-04-01T00:00", "2026-03-26T00:00"),
            ("UTC", "90d", "2025-12-26T00:00", "2026-03-26T00:00"),
            ("UTC", "all", "2026-03-25T00:00", "2026-03-26T00:00"),
        ] {
            assert_eq!(named(zone, now, name), (from.to_owned(), to.to_owned()), "{zone} {name}");
        }
    }

    #[test]
    fn a_day_without_midnight_begins_with_its_first_instant() {
        // Clocks go from 00:00 to 01:00 on the 6th of September here.
        let (from, to) = named("America/Santiago", "2026-09-06T12:00:00Z", "today");
        assert_eq!((&*from, &*to), ("2026-09-06T04:00", "2026-09-07T03:00"));
        let (from, _) = named("America/Santiago", "2026-09-07T12:00:00Z", "yesterday");
        assert_eq!(from, "2026-09-06T04:00");
    }

    #[test]
    fn everything_reaches_from_the_first_to_the_last_activity() {
        let all = (at("2025-01-05T10:00:00Z"), at("2026-03-26T01:00:00Z"));
        let range = calendar("UTC", "2026-03-25T20:00:00Z").named(NamedRange::All, Some(all)).unwrap();
        assert_eq!((range.from, range.to), (at("2025-01-05T00:00:00Z"), at("2026-03-27T00:00:00Z")));
    }

    #[test]
    fn the_default_is_the_last_30_days_with_today() {
        let calendar = calendar("Europe/Berlin", "2026-03-30T10:00:30Z");
        let range = calendar.between(None, None).unwrap();
        assert_eq!((range.from, range.to), (at("2026-02-28T23:00:00Z"), at("2026-03-30T22:00:00Z")));
        // At midnight, the day that has just ended is the last one.
        let range = calendar.between(None, Some(at("2026-03-29T22:00:00Z"))).unwrap();
        assert_eq!(range.from, at("2026-02-27T23:00:00Z"));
    }

    #[test]
    fn a_range_is_not_empty_and_is_cut_between_the_times_that_are_kept() {
        let calendar = calendar("UTC", "2026-03-30T10:00:00Z");
        let now = calendar.now;
        assert!(calendar.between(Some(now), Some(now)).is_err());
        let range = calendar
            .between(Some(now + TimeDelta::nanoseconds(1)), Some(now + TimeDelta::seconds(1)))
            .unwrap();
        assert_eq!(range.from, now + TimeDelta::microseconds(1));
    }
}
