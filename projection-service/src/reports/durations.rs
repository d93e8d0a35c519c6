use std::time::Duration;

use crate::error::ReportsError;

/// Lengths of time, for quantiles.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    /// How many are 0; of sessions, that is most of them.
    zeros: usize,
    /// The others, in microseconds.
    others: Vec<u64>,
}

impl Durations {
    /// Adds a length in microseconds.
    pub(crate) fn push(&mut self, length: u64) {
        if length == 0 {
            self.zeros += 1;
        } else {
            self.others.push(length);
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.zeros += other.zeros;
        self.others.extend(other.others);
    }

    /// The least length, in seconds, that at least so many percent do not exceed (nearest rank).
    pub(crate) fn percentile(&mut self, percent: usize) -> Option<f64> {
        let count = self.zeros + self.others.len();
        let index = (count * percent).div_ceil(100).max(1) - 1;
        let length = match index.checked_sub(self.zeros) {
            _ if count == 0 => return None,
            None => 0,
            Some(index) => *self.others.select_nth_unstable(index).1,
        };
        Some(length as f64 / 1e6)
    }
}

/// Reads a length of time such as 30m: a whole number and s, m, h or d.
///
/// # Errors
/// 422 that names the parameter if it cannot be read, is 0, or is above `max`.
pub(crate) fn parse(parameter: &'static str, text: &str, max: Duration) -> Result<Duration, ReportsError> {
    let unit_s = |unit| match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        _ => None,
    };
    let length = text
        .char_indices()
        .next_back()
        .map(|(last, _)| text.split_at(last))
        .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|(number, unit)| number.parse::<u64>().ok()?.checked_mul(unit_s(unit)?))
        .map(Duration::from_secs);
    length.filter(|length| !length.is_zero() && *length <= max).ok_or_else(|| {
        let days = max.as_secs() / 86_400;
        let detail =
            format!("must be a whole number with s, m, h or d behind it, as 30m, and at most {days}d");
        ReportsError::parameter(parameter, detail)
    })
}

/// A duration in microseconds.
pub(crate) fn micros(length: Duration) -> i64 {
    length.as_micros() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percentiles(lengths: &[u64]) -> [Option<f64>; 3] {
        let mut durations = Durations::default();
        for length in lengths {
            durations.push(*length);
        }
        [50, 90, 100].map(|percent| durations.percentile(percent))
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        assert_eq!(percentiles(&[]), [None, None, None]);
        assert_eq!(percentiles(&[5_000_000]), [Some(5.0); 3]);
        assert_eq!(percentiles(&[2_000_000, 0, 1_500_000, 0]), [Some(0.0), Some(2.0), Some(2.0)]);
        assert_eq!(percentiles(&[3, 1, 2]), [Some(2e-6), Some(3e-6), Some(3e-6)]);
        let ten: Vec<u64> = (1..=10).rev().map(|second| second * 1_000_000).collect();
        assert_eq!(percentiles(&ten), [Some(5.0), Some(9.0), Some(10.0)]);
    }

    #[test]
    fn a_length_is_a_number_and_a_unit() {
        let max = Duration::from_hours(7 * 24);
        let read = |text| parse("gap", text, max).ok().map(|length| length.as_secs());
        assert_eq!(["45s", "30m", "2h", "7d"].map(read), [Some(45), Some(1_800), Some(7_200), Some(604_800)]);
        for text in
            ["", "m", "0m", "8d", "-1m", "+1m", "1.5h", "30", "30 m", "30M", "99999999999999999999d", "1é"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
