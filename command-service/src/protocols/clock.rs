//! When something happened, by a client whose clock may be wrong.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::value::RawValue;

/// A client's clock that differs by less is taken as right: a body is under way for a moment, and a time that is kept as it
/// was sent is the better one.
const SKEW_MIN: TimeDelta = TimeDelta::seconds(60);

/// Reads a time: RFC 3339, the same without a zone (then UTC), a date, or milliseconds since 1970. None of null.
///
/// # Errors
/// A phrase for the client.
pub(super) fn read_time(raw: Option<&RawValue>) -> Result<Option<DateTime<Utc>>, &'static str> {
    const SHAPE: &str = "must be a time such as 2026-03-01T09:30:00Z";
    let Some(raw) = raw.map(RawValue::get).filter(|raw| *raw != "null") else { return Ok(None) };
    if raw.starts_with('"') {
        let text: String = serde_json::from_str(raw).map_err(|_| SHAPE)?;
        return read_text(&text).map(Some).ok_or(SHAPE);
    }
    let milliseconds = raw.parse::<f64>().ok().filter(|number| number.is_finite());
    let time = milliseconds.and_then(|number| DateTime::from_timestamp_millis(number as i64));
    time.map(Some).ok_or(SHAPE)
}

fn read_text(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    for shape in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, shape) {
            return Some(time.and_utc());
        }
    }
    // As Python writes a time with its zone.
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z") {
        return Some(time.to_utc());
    }
    Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?.and_utc())
}

/// A client's clock, as far as it is wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    behind: Option<TimeDelta>,
}

impl Clock {
    /// A clock whose times are taken as they are.
    pub(super) fn right() -> Self {
        Self { behind: None }
    }

    /// The clock of a client that says it has sent at one time what came at another. A time that cannot be read says nothing.
    pub(super) fn of(sent_at: Option<&RawValue>, received_at: DateTime<Utc>) -> Self {
        let behind = read_time(sent_at).ok().flatten().map(|sent_at| received_at - sent_at);
        Self { behind: behind.filter(|behind| behind.abs() >= SKEW_MIN) }
    }

    /// The time by the right clock, and whether it was corrected.
    pub(super) fn correct(self, time: DateTime<Utc>) -> (DateTime<Utc>, bool) {
        match self.behind.and_then(|behind| time.checked_add_signed(behind)) {
            Some(corrected) => (corrected, true),
            None => (time, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_time_is_read_as_clients_write_it() {
        let expected = Utc.with_ymd_and_hms(2026, 3, 1, 9, 30, 0).unwrap();
        for text in [
            r#""2026-03-01T09:30:00Z""#,
            r#""2026-03-01T10:30:00.000+01:00""#,
            r#""2026-03-01T09:30:00.000000""#,
            r#""2026-03-01 09:30:00""#,
            r#""2026-03-01 09:30:00+00:00""#,
            "1772357400000",
            "1772357400000.0",
        ] {
            assert_eq!(read_time(Some(&raw(text))), Ok(Some(expected)), "{text}");
        }
        assert_eq!(read_time(Some(&raw("null"))), Ok(None));
        for text in [r#""soon""#, r#""""#, "{}", "true", "1e300", "-9e18", r#""2026-02-30""#] {
            assert!(read_time(Some(&raw(text))).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_clock_is_corrected_by_what_it_says_at_sending() {
        let received = Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap();
        let clock = Clock::of(Some(&raw(r#""2020-01-01T00:00:10Z""#)), received);
        let happened = Utc.with_ymd_and_hms(2020, 1, 1, 0, 0, 0).unwrap();
        assert_eq!(clock.correct(happened), (received - TimeDelta::seconds(10), true));
        for nearly in [r#""2026-03-01T11:59:01Z""#, r#""2026-03-01T12:00:59Z""#, r#""soon""#] {
            assert_eq!(Clock::of(Some(&raw(nearly)), received).correct(happened), (happened, false));
        }
    }
}
