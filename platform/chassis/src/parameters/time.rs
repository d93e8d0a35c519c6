use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, de};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The years that a time may lie in. Arithmetic with zones and buckets cannot overflow within them.
const YEARS: RangeInclusive<i32> = 1900..=2200;
/// What a time looks like.
const LOOKS: &str = "a time with its zone such as 2026-03-01T09:30:00Z, or a day such as 2026-03-01";
/// Steps of a search for the first instant of a day: two days' worth, since a zone once left out a whole one.
const STEPS_MAX: usize = 200;
const STEP: TimeDelta = TimeDelta::minutes(15);

/// A point in time as a parameter gives it: RFC 3339 with a zone, or a day, whose beginning is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Time {
    /// An instant.
    Instant(DateTime<Utc>),
    /// The first instant of a day, in a zone that the parameter does not name.
    Day(NaiveDate),
}

/// A text that is no time. The message follows the parameter's name: `must be a time …`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTime(Cow<'static, str>);

impl Time {
    /// The instant; a day begins when it does in `zone`, the customer's own.
    #[must_use]
    pub fn instant(self, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::Instant(instant) => instant,
            Self::Day(day) => start_of_day(zone, day),
        }
    }
}

/// The first instant of a day; not always midnight, where clocks are put forward at that hour.
#[must_use]
pub fn start_of_day(zone: Tz, day: NaiveDate) -> DateTime<Utc> {
    let mut local = day.and_time(NaiveTime::MIN);
    for _ in 0..STEPS_MAX {
        match zone.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => return time.to_utc(),
            LocalResult::None => {}
        }
        local = local.checked_add_signed(STEP).unwrap_or(local);
    }
    local.and_utc()
}

impl FromStr for Time {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        if text.is_empty() {
            return Err(InvalidTime(format!("is empty; give {LOOKS}").into()));
        }
        if text.len() == "2026-03-01".len() && text.starts_with(|first: char| first.is_ascii_digit()) {
            let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| no_time(text))?;
            return within(day.year()).map(|()| Self::Day(day));
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => within(time.year()).map(|()| Self::Instant(time.to_utc())),
            Err(_) => Err(fault(text)),
        }
    }
}

/// What is wrong with a text that is no time.
fn fault(text: &str) -> InvalidTime {
    let is_time = |text: &str| DateTime::parse_from_rfc3339(text).is_ok();
    if let Some((before, offset)) = text.rsplit_once(' ')
        && is_time(&format!("{before}+{offset}"))
    {
        let fault = "has a space where the + of its offset should be: in a query string write %2B for a +";
        InvalidTime(fault.into())
    } else if NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").is_ok()
    {
        let fault =
            "has no zone: write Z after it for UTC, or an offset such as -05:00 or %2B02:00 for +02:00";
        InvalidTime(fault.into())
    } else if has_long_year(text) {
        no_year()
    } else {
        no_time(text)
    }
}

/// Whether it begins with a year of more than four digits or with a sign, as ISO 8601 writes those far away.
fn has_long_year(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-', ' ']);
    let Some((year, _)) = unsigned.split_once('-') else { return false };
    let digits = !year.is_empty() && year.bytes().all(|digit| digit.is_ascii_digit());
    digits && (year.len() > 4 || unsigned.len() < text.len())
}

fn no_time(text: &str) -> InvalidTime {
    InvalidTime(format!("must be {LOOKS}; this is \"{}\"", super::shown(text)).into())
}

fn no_year() -> InvalidTime {
    InvalidTime(format!("must lie between the years {} and {}", YEARS.start(), YEARS.end()).into())
}

fn within(year: i32) -> Result<(), InvalidTime> {
    if YEARS.contains(&year) { Ok(()) } else { Err(no_year()) }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(instant) => {
                f.write_str(&instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
            }
            Self::Day(day) => write!(f, "{day}"),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .description(Some(
                "A time with its zone (RFC 3339), or a day, which begins when it does in the zone.",
            ))
            .examples(["2026-03-01T09:30:00Z", "2026-03-01"])
            .into()
    }
}

impl ToSchema for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        text.parse::<Time>().unwrap_err().to_string()
    }

    #[test]
    fn a_time_has_a_zone_and_a_day_begins_in_one() {
        let instant = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let read = |text: &str| text.parse::<Time>().unwrap();
        assert_eq!(read("2026-03-01T09:30:00+02:00"), Time::Instant(instant("2026-03-01T07:30:00Z")));
        assert_eq!(read("2026-03-01T09:30:00.25Z"), Time::Instant(instant("2026-03-01T09:30:00.25Z")));
        assert_eq!(read("2026-03-01").instant(Tz::Europe__Berlin), instant("2026-02-28T23:00:00Z"));
        // Midnight is left out on that day.
        assert_eq!(read("2026-09-06").instant(Tz::America__Santiago), instant("2026-09-06T04:00:00Z"));
        for text in ["2026-03-01", "2026-03-01T07:30:00Z", "2026-03-01T07:30:00.250Z"] {
            assert_eq!(read(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_time_is_told_what_one_looks_like() {
        for text in [
            "yesterday",
            "2026-02-30",
            "2026-13-01T00:00:00Z",
            "1700000000",
            "2026-03-01T10:00",
            "2026-3-1",
            "é026-03-01",
        ] {
            assert!(
                message(text).starts_with("must be a time with its zone such as 2026-03-01T09:30:00Z"),
                "{text}: {}",
                message(text)
            );
        }
        assert!(message("").starts_with("is empty; give a time"));
    }

    #[test]
    fn a_lost_plus_and_a_missing_zone_are_named() {
        assert!(message("2026-03-01T09:30:00 02:00").contains("write %2B for a +"));
        assert!(message("2026-03-01T09:30:00.5 02:00").contains("write %2B for a +"));
        assert!(message("2026-03-01T09:30:00").starts_with("has no zone"));
        assert!(message("2026-03-01 09:30:00.123").starts_with("has no zone"));
    }

    #[test]
    fn a_year_out_of_range_is_refused() {
        for text in [
            "1899-12-31",
            "2201-01-01",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "-9999-01-01",
            "-9999-01-01T00:00:00Z",
            "+262000-01-01T00:00:00Z",
            " 262000-01-01T00:00:00Z",
            "262000-01-01",
            "-262000-01-01T00:00:00Z",
            "12026-01-01",
        ] {
            assert_eq!(message(text), "must lie between the years 1900 and 2200", "{text}");
        }
        assert!("1900-01-01".parse::<Time>().is_ok() && "2200-12-31T23:59:59Z".parse::<Time>().is_ok());
    }
}
