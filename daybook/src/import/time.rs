use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// Times without a zone are taken as UTC.
const WITHOUT_ZONE: [&str; 3] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
const WITH_ZONE: [&str; 3] = ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%dT%H:%M:%S%.f%z"];
/// Digits of milliseconds since 1970 from 2001 to 2286; three fewer are seconds.
const MILLISECONDS_DIGITS: usize = 13;

/// A time as exports write it, in RFC 3339; a text that is none stays as it is, for the server to refuse it.
pub(super) fn normal(text: &str) -> Cow<'_, str> {
    match read(text.trim()) {
        Some(time) => Cow::Owned(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
        None => Cow::Borrowed(text),
    }
}

fn read(text: &str) -> Option<DateTime<Utc>> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            MILLISECONDS_DIGITS => DateTime::from_timestamp_millis(number),
            digits if digits + 3 == MILLISECONDS_DIGITS => DateTime::from_timestamp(number, 0),
            _ => None,
        };
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let text = text.strip_suffix(" UTC").or_else(|| text.strip_suffix('Z')).unwrap_or(text);
    let zoned = WITH_ZONE.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
    let plain = || WITHOUT_ZONE.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    zoned.map(|time| time.to_utc()).or_else(|| plain().or_else(day).map(|time| time.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_exports_write_them() {
        for text in [
            "2026-03-01T09:30:00Z",
            "2026-03-01 09:30:00",
            "2026-03-01 09:30",
            "2026-03-01 09:30:00 UTC",
            "2026-03-01 10:30:00+01:00",
            "2026-03-01 10:30:00 +0100",
            "2026-03-01T10:30:00.000+0100",
            "1772357400",
            "1772357400000",
        ] {
            assert_eq!(normal(text), "2026-03-01T09:30:00Z", "{text}");
        }
        assert_eq!(normal("2026-03-01 09:30:00.123456+00:00"), "2026-03-01T09:30:00.123456Z");
        assert_eq!(normal("2026-03-01"), "2026-03-01T00:00:00Z");
        for text in ["soon", "17", "", "2026-13-01"] {
            assert_eq!(normal(text), text);
        }
    }
}
