use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

/// Offsets of all zones have been multiples of it since 1972.
const STEP: TimeDelta = TimeDelta::minutes(15);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tests) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Unit {
    pub(in crate::tests) fn parse(text: &str) -> Self {
        match text {
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            other => panic!("no unit is called {other}"),
        }
    }
}

pub(in crate::tests) fn day_of(zone: Tz, time: DateTime<Utc>) -> NaiveDate {
    time.with_timezone(&zone).date_naive()
}

/// The first instant that lies on a day or after it.
pub(in crate::tests) fn start_of_day(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    let mut time = day.and_hms_opt(0, 0, 0).unwrap().and_utc() - TimeDelta::hours(16);
    while day_of(zone, time) < day {
        time += STEP;
    }
    time
}

/// What a clock on the wall shows of the hour. Of an hour that is shown twice, the offset tells which it is.
fn hour_of(zone: Tz, time: DateTime<Utc>) -> (NaiveDateTime, TimeDelta) {
    let local = time.with_timezone(&zone).naive_local();
    (local.date().and_hms_opt(local.hour(), 0, 0).unwrap(), local - time.naive_utc())
}

fn floor(time: DateTime<Utc>, width: TimeDelta) -> DateTime<Utc> {
    let width = width.num_seconds();
    DateTime::from_timestamp(time.timestamp().div_euclid(width) * width, 0).unwrap()
}

fn first_day(unit: Unit, day: NaiveDate) -> NaiveDate {
    match unit {
        Unit::Week => day - Days::new(day.weekday().num_days_from_monday().into()),
        Unit::Month => day.with_day(1).unwrap(),
        _ => day,
    }
}

/// The beginning of the unit in which a time lies.
pub(in crate::tests) fn start(unit: Unit, zone: Tz, time: DateTime<Utc>) -> DateTime<Utc> {
    match unit {
        Unit::Minute => floor(time, TimeDelta::minutes(1)),
        Unit::Hour => {
            let mut start = floor(time, STEP);
            while hour_of(zone, start - STEP) == hour_of(zone, time) {
                start -= STEP;
            }
            start
        }
        Unit::Day | Unit::Week | Unit::Month => start_of_day(zone, first_day(unit, day_of(zone, time))),
    }
}

/// The beginnings of all units that have something of `[from, to)`; the first may lie before it.
pub(in crate::tests) fn starts(
    unit: Unit,
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<DateTime<Utc>> {
    let mut starts = Vec::new();
    let mut next = start(unit, zone, from);
    while next < to {
        starts.push(next);
        next = match unit {
            Unit::Minute => next + TimeDelta::minutes(1),
            Unit::Hour => {
                let mut time = next + STEP;
                while hour_of(zone, time) == hour_of(zone, next) {
                    time += STEP;
                }
                time
            }
            Unit::Day => start_of_day(zone, day_of(zone, next) + Days::new(1)),
            Unit::Week => start_of_day(zone, day_of(zone, next) + Days::new(7)),
            Unit::Month => start_of_day(zone, day_of(zone, next) + Months::new(1)),
        };
    }
    starts
}

/// The days that have something of `[from, to)`.
pub(in crate::tests) fn days(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<NaiveDate> {
    starts(Unit::Day, zone, from, to).into_iter().map(|start| day_of(zone, start)).collect()
}

/// As JSON writes an instant.
pub(in crate::tests) fn instant(time: DateTime<Utc>) -> String {
    serde_json::to_value(time).unwrap().as_str().unwrap().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::house::at;

    fn of(unit: Unit, zone: &str, from: &str, to: &str) -> Vec<String> {
        let starts = starts(unit, zone.parse().unwrap(), at(from), at(to));
        starts.into_iter().map(|start| start.format("%m-%dT%H:%M").to_string()).collect()
    }

    #[test]
    fn days_begin_where_the_zone_says_so() {
        let kathmandu = of(Unit::Day, "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-02T18:15:00Z");
        assert_eq!(kathmandu, ["12-31T18:15", "01-01T18:15"]);
        let eucla = of(Unit::Day, "Australia/Eucla", "2026-01-01T00:00:00Z", "2026-01-01T15:15:01Z");
        assert_eq!(eucla, ["12-31T15:15", "01-01T15:15"]);
        // Clocks go forward at midnight, so the day begins at one o'clock.
        let cairo = of(Unit::Day, "Africa/Cairo", "2026-04-22T22:00:00Z", "2026-04-25T00:00:00Z");
        assert_eq!(cairo, ["04-22T22:00", "04-23T22:00", "04-24T21:00"]);
        let santiago = of(Unit::Day, "America/Santiago", "2026-09-05T04:00:00Z", "2026-09-07T03:00:01Z");
        assert_eq!(santiago, ["09-05T04:00", "09-06T04:00", "09-07T03:00"]);
    }

    #[test]
    fn an_hour_that_comes_twice_is_two() {
        let berlin = of(Unit::Hour, "Europe/Berlin", "2026-10-24T23:10:00Z", "2026-10-25T02:00:00Z");
        assert_eq!(berlin, ["10-24T23:00", "10-25T00:00", "10-25T01:00"]);
        // By half an hour here, from two o'clock to half past one.
        let howe = of(Unit::Hour, "Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:30:00Z");
        assert_eq!(howe, ["04-04T14:00", "04-04T15:00", "04-04T15:30"]);
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let weeks = of(Unit::Week, "Europe/Berlin", "2026-03-25T00:00:00Z", "2026-04-06T00:00:00Z");
        assert_eq!(weeks, ["03-22T23:00", "03-29T22:00", "04-05T22:00"]);
        let months = of(Unit::Month, "Europe/Berlin", "2026-02-10T00:00:00Z", "2026-04-01T00:00:00Z");
        assert_eq!(months, ["01-31T23:00", "02-28T23:00", "03-31T22:00"]);
    }
}
