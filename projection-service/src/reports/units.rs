use std::ops::Range;

use chrono::{Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::ToSchema;

use super::query::TimeRange;
use crate::calendar::{day_of, start_of_day};

/// How long a unit of the calendar is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    #[default]
    Day,
    /// Begins on the customer's first day of the week.
    Week,
    Month,
}

/// Days, weeks or months that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Units {
    /// The first day of each.
    pub(crate) dates: Vec<NaiveDate>,
    /// The first instant of each, and of the one after the last, in microseconds since 1970.
    pub(crate) starts: Vec<i64>,
}

impl Units {
    /// Those that have something of a range, and `before` more before them. None if the range touches more than `max`.
    pub(crate) fn new(unit: Unit, range: &TimeRange, before: u32, max: usize) -> Option<Self> {
        let touched = first_day(unit, range, day_of(range.zone, range.from));
        let first = back(unit, touched, before);
        let (mut dates, mut starts) = (Vec::new(), vec![start(range.zone, first)]);
        let mut day = first;
        while starts.last().is_some_and(|start| *start < range.to.timestamp_micros()) {
            let next = after(unit, day)?;
            let end = start(range.zone, next);
            // A day that a zone left out begins where the next one does.
            if starts.last().is_some_and(|start| *start < end) {
                dates.push(day);
                starts.push(end);
            }
            if dates.len() > max + before as usize {
                return None;
            }
            day = next;
        }
        Some(Self { dates, starts })
    }

    pub(crate) fn len(&self) -> usize {
        self.dates.len()
    }

    /// The time of a unit, in microseconds since 1970.
    pub(crate) fn window(&self, index: usize) -> Range<i64> {
        self.starts[index]..self.starts[index + 1]
    }

    /// The index of the unit that begins on a day.
    pub(crate) fn find(&self, date: NaiveDate) -> Option<usize> {
        self.dates.binary_search(&date).ok()
    }
}

/// The time of a range, in microseconds since 1970.
pub(crate) fn window(range: &TimeRange) -> Range<i64> {
    range.from.timestamp_micros()..range.to.timestamp_micros()
}

fn start(zone: Tz, day: NaiveDate) -> i64 {
    start_of_day(zone, day).timestamp_micros()
}

fn first_day(unit: Unit, range: &TimeRange, day: NaiveDate) -> NaiveDate {
    let back = match unit {
        Unit::Day => 0,
        Unit::Week => day.weekday().days_since(range.week_start),
        Unit::Month => day.day0(),
    };
    day.checked_sub_days(Days::new(back.into())).unwrap_or(day)
}

fn back(unit: Unit, day: NaiveDate, count: u32) -> NaiveDate {
    let before = match unit {
        Unit::Day => day.checked_sub_days(Days::new(count.into())),
        Unit::Week => day.checked_sub_days(Days::new(7 * u64::from(count))),
        Unit::Month => day.checked_sub_months(Months::new(count)),
    };
    before.unwrap_or(day)
}

fn after(unit: Unit, day: NaiveDate) -> Option<NaiveDate> {
    match unit {
        Unit::Day => day.checked_add_days(Days::new(1)),
        Unit::Week => day.checked_add_days(Days::new(7)),
        Unit::Month => day.checked_add_months(Months::new(1)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;

    use super::*;

    fn range(zone: &str, week_start: Weekday, from: &str, to: &str) -> TimeRange {
        TimeRange {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            zone: zone.parse().unwrap(),
            week_start,
        }
    }

    fn first_instants(units: &Units) -> Vec<String> {
        let hours = |index: usize| (units.starts[index + 1] - units.starts[index]) / 3_600_000_000;
        units.dates.iter().enumerate().map(|(index, date)| format!("{date} {}", hours(index))).collect()
    }

    #[test]
    fn days_are_as_long_as_the_zone_makes_them() {
        let days = |zone, from, to| {
            first_instants(&Units::new(Unit::Day, &range(zone, Weekday::Mon, from, to), 0, 400).unwrap())
        };
        assert_eq!(
            days("Europe/Berlin", "2026-03-28T22:59:00Z", "2026-03-29T22:00:01Z"),
            ["2026-03-28 24", "2026-03-29 23", "2026-03-30 24"]
        );
        // This day begins at one o'clock.
        assert_eq!(days("Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24T01:00:00Z"), ["2026-04-24 23"]);
        // The zone went over the date line, and never had the 30th.
        assert_eq!(
            days("Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-30T11:00:00Z"),
            ["2011-12-29 24", "2011-12-31 24"]
        );
    }

    #[test]
    fn weeks_begin_where_the_customer_says() {
        let weeks = |week_start| {
            let range = range("UTC", week_start, "2026-03-04T00:00:00Z", "2026-03-10T00:00:00Z");
            Units::new(Unit::Week, &range, 1, 400)
                .unwrap()
                .dates
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(weeks(Weekday::Mon), ["2026-02-23", "2026-03-02", "2026-03-09"]);
        assert_eq!(weeks(Weekday::Sun), ["2026-02-22", "2026-03-01", "2026-03-08"]);
        assert_eq!(weeks(Weekday::Wed), ["2026-02-25", "2026-03-04"]);
    }

    #[test]
    fn a_range_of_too_many_units_gives_none() {
        let range = range("UTC", Weekday::Mon, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        assert_eq!(Units::new(Unit::Day, &range, 29, 365).unwrap().len(), 365 + 29);
        assert_eq!(Units::new(Unit::Day, &range, 29, 364), None);
        assert_eq!(Units::new(Unit::Month, &range, 0, 12).unwrap().len(), 12);
    }
}
