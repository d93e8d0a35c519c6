//! Days, weeks and months of a time zone, as instants.

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
    Timelike, Utc,
};
use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::ToSchema;

/// Seconds of a UTC minute and of a UTC quarter of an hour.
const MINUTE_S: i64 = 60;
const QUARTER_S: i64 = 15 * MINUTE_S;

/// How long a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Interval {
    Minute,
    Hour,
    Day,
    /// From Monday on.
    Week,
    Month,
}

/// The start of the bucket of `width_s` seconds in which a time lies.
fn bucket(time: DateTime<Utc>, width_s: i64) -> DateTime<Utc> {
    let seconds = time.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(width_s), 0).unwrap_or(time)
}

/// Steps of a search for the first instant of a day: two days' worth, since a zone once left out a whole one.
const STEPS_MAX: usize = 200;

/// The time rounded down to a full quarter of an hour of UTC; every zone's offset is a multiple of it.
fn quarter_before(time: DateTime<Utc>) -> DateTime<Utc> {
    bucket(time, QUARTER_S)
}

/// The time rounded down to a full minute.
pub(crate) fn minute_before(time: DateTime<Utc>) -> DateTime<Utc> {
    bucket(time, MINUTE_S)
}

/// The time rounded up to a full minute.
pub(crate) fn minute_after(time: DateTime<Utc>) -> DateTime<Utc> {
    up(time, MINUTE_S)
}

fn up(time: DateTime<Utc>, width_s: i64) -> DateTime<Utc> {
    let down = bucket(time, width_s);
    if down == time { time } else { down + TimeDelta::seconds(width_s) }
}

/// The day of a zone on which an instant lies.
pub(crate) fn day_of(zone: Tz, time: DateTime<Utc>) -> NaiveDate {
    time.with_timezone(&zone).date_naive()
}

/// The first instant of a day; not always midnight, where clocks are put forward at that hour.
pub(crate) fn start_of_day(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    let mut local = day.and_time(NaiveTime::MIN);
    for _ in 0..STEPS_MAX {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => return time.to_utc(),
            LocalResult::None => local += TimeDelta::seconds(QUARTER_S),
        }
    }
    local.and_utc()
}

/// The starts of all buckets that have something of `[from, to)`, in order; the first may lie before `from`. None if there
/// are more than `max`.
pub(crate) fn starts(
    interval: Interval,
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    max: usize,
) -> Option<Vec<DateTime<Utc>>> {
    let span = to - from;
    match interval {
        Interval::Minute if span.num_minutes() > max as i64 => None,
        Interval::Hour if span.num_hours() > max as i64 => None,
        Interval::Minute => {
            let minute = TimeDelta::seconds(MINUTE_S);
            collect(std::iter::successors(Some(minute_before(from)), |start| Some(*start + minute)), to, max)
        }
        Interval::Hour => hours(zone, from, to, max),
        Interval::Day | Interval::Week | Interval::Month => {
            let first = first_day(interval, day_of(zone, from));
            let days = std::iter::successors(Some(first), |day| next_day(interval, *day));
            collect(days.map(|day| start_of_day(zone, day)), to, max)
        }
    }
}

fn collect(
    starts: impl Iterator<Item = DateTime<Utc>>,
    to: DateTime<Utc>,
    max: usize,
) -> Option<Vec<DateTime<Utc>>> {
    let mut kept: Vec<DateTime<Utc>> = starts.take_while(|start| *start < to).take(max + 1).collect();
    // A day that a zone left out begins where the next one does.
    kept.dedup();
    (kept.len() <= max).then_some(kept)
}

fn first_day(interval: Interval, day: NaiveDate) -> NaiveDate {
    let back = match interval {
        Interval::Week => day.weekday().num_days_from_monday(),
        Interval::Month => day.day0(),
        Interval::Minute | Interval::Hour | Interval::Day => 0,
    };
    day.checked_sub_days(Days::new(back.into())).unwrap_or(day)
}

fn next_day(interval: Interval, day: NaiveDate) -> Option<NaiveDate> {
    match interval {
        Interval::Month => day.checked_add_months(Months::new(1)),
        Interval::Week => day.checked_add_days(Days::new(7)),
        Interval::Minute | Interval::Hour | Interval::Day => day.checked_add_days(Days::new(1)),
    }
}

/// An hour that a clock shows twice is two buckets: what tells them apart is the offset.
fn hours(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>, max: usize) -> Option<Vec<DateTime<Utc>>> {
    let quarter = TimeDelta::seconds(QUARTER_S);
    let mut first = quarter_before(from);
    while hour_of(zone, first - quarter) == hour_of(zone, first) {
        first -= quarter;
    }
    let quarters = std::iter::successors(Some(first), |start| Some(*start + quarter));
    let begins =
        |start: &DateTime<Utc>| *start == first || hour_of(zone, *start - quarter) != hour_of(zone, *start);
    collect(quarters.take_while(|start| *start < to).filter(begins), to, max)
}

fn hour_of(zone: Tz, time: DateTime<Utc>) -> (Option<NaiveDateTime>, TimeDelta) {
    let local = time.with_timezone(&zone).naive_local();
    (local.date().and_hms_opt(local.hour(), 0, 0), local - time.naive_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn of(interval: Interval, zone: &str, from: &str, to: &str) -> Vec<String> {
        let starts = starts(interval, zone.parse().unwrap(), at(from), at(to), 1_000).unwrap();
        starts.into_iter().map(|start| start.format("%m-%dT%H:%M").to_string()).collect()
    }

    #[test]
    fn days_have_23_and_25_hours_where_clocks_change() {
        let spring = of(Interval::Day, "Europe/Berlin", "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z");
        assert_eq!(spring, ["03-27T23:00", "03-28T23:00", "03-29T22:00"]);
        let autumn = of(Interval::Day, "Europe/Berlin", "2026-10-23T22:00:00Z", "2026-10-26T22:00:00Z");
        assert_eq!(autumn, ["10-23T22:00", "10-24T22:00", "10-25T23:00"]);
    }

    #[test]
    fn days_of_a_zone_with_half_an_hour_begin_there() {
        let days = of(Interval::Day, "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-02T18:30:00Z");
        assert_eq!(days, ["12-31T18:30", "01-01T18:30"]);
        let hours = of(Interval::Hour, "Asia/Kolkata", "2026-01-01T00:10:00Z", "2026-01-01T02:00:00Z");
        assert_eq!(hours, ["12-31T23:30", "01-01T00:30", "01-01T01:30"]);
    }

    #[test]
    fn an_hour_that_comes_twice_is_two_buckets() {
        let hours = of(Interval::Hour, "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z");
        assert_eq!(hours, ["10-24T23:00", "10-25T00:00", "10-25T01:00", "10-25T02:00"]);
        // Clocks go back by half an hour here, at 2 o'clock to 1:30.
        let hours = of(Interval::Hour, "Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z");
        assert_eq!(hours, ["04-04T14:00", "04-04T15:00", "04-04T15:30"]);
    }

    #[test]
    fn a_day_that_has_no_midnight_begins_with_its_first_instant() {
        let days = of(Interval::Day, "Africa/Cairo", "2026-04-22T22:00:00Z", "2026-04-25T00:00:00Z");
        assert_eq!(days, ["04-22T22:00", "04-23T22:00", "04-24T21:00"]);
    }

    #[test]
    fn a_day_that_never_was_has_no_bucket() {
        let days = of(Interval::Day, "Pacific/Apia", "2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z");
        assert_eq!(days, ["12-29T10:00", "12-30T10:00"]);
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let weeks = of(Interval::Week, "Europe/Berlin", "2026-03-25T00:00:00Z", "2026-04-06T00:00:00Z");
        assert_eq!(weeks, ["03-22T23:00", "03-29T22:00", "04-05T22:00"]);
        let months = of(Interval::Month, "Europe/Berlin", "2026-02-10T00:00:00Z", "2026-04-01T00:00:00Z");
        assert_eq!(months, ["01-31T23:00", "02-28T23:00", "03-31T22:00"]);
    }

    #[test]
    fn too_many_buckets_are_refused_before_they_are_made() {
        let (from, to) = (at("1900-01-01T00:00:00Z"), at("2100-01-01T00:00:00Z"));
        for interval in [Interval::Minute, Interval::Hour, Interval::Day] {
            assert_eq!(starts(interval, Tz::UTC, from, to, 10_000), None);
        }
        assert_eq!(starts(Interval::Month, Tz::UTC, from, to, 10_000).unwrap().len(), 2_400);
    }

    #[test]
    fn times_are_rounded_to_what_is_counted() {
        let time = at("2026-01-01T10:07:30.5Z");
        assert_eq!(
            (minute_before(time), minute_after(time)),
            (at("2026-01-01T10:07:00Z"), at("2026-01-01T10:08:00Z"))
        );
        assert_eq!(quarter_before(time), at("2026-01-01T10:00:00Z"));
        let full = at("2026-01-01T10:15:00Z");
        assert_eq!((quarter_before(full), minute_after(full)), (full, full));
    }
}
