use std::collections::BTreeMap;

use num_bigint::BigInt;

use super::shortest;

/// A sum of doubles, each taken as the shortest decimal that reads back as it. Exact until it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExactSum {
    /// By power of ten.
    parts: BTreeMap<i32, i128>,
}

/// Digits that a quotient is computed to, beyond those of the divisor: a double has 17.
const QUOTIENT_DIGITS: i32 = 40;

impl ExactSum {
    /// Adds a double.
    pub(crate) fn add(&mut self, value: f64) {
        if let Some((number, exponent)) = shortest(value) {
            self.add_part(number.into(), exponent);
        }
    }

    /// Adds `number` times 10 to the power of −`scale`.
    pub(crate) fn add_scaled(&mut self, number: i128, scale: u8) {
        self.add_part(number, -i32::from(scale));
    }

    /// Adds another sum.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (exponent, number) in &other.parts {
            self.add_part(*number, *exponent);
        }
    }

    fn add_part(&mut self, number: i128, exponent: i32) {
        if number != 0 {
            *self.parts.entry(exponent).or_default() += number;
        }
    }

    /// The sum as a whole number and a power of ten.
    fn total(&self) -> (BigInt, i32) {
        let Some((&least, _)) = self.parts.first_key_value() else { return (BigInt::ZERO, 0) };
        let ten = BigInt::from(10);
        let total =
            self.parts.iter().map(|(exponent, number)| ten.pow((exponent - least) as u32) * number).sum();
        (total, least)
    }

    /// The double nearest to the sum; the largest one where no double holds it.
    pub(crate) fn to_f64(&self) -> f64 {
        let (total, exponent) = self.total();
        nearest(&format!("{total}e{exponent}"))
    }

    /// The double nearest to the sum divided by a count; zero where the count is.
    pub(crate) fn mean(&self, count: u64) -> f64 {
        if count == 0 {
            return 0.0;
        }
        let (total, exponent) = self.total();
        let scaled = total * BigInt::from(10).pow(QUOTIENT_DIGITS as u32);
        let count = BigInt::from(count);
        let quotient = &scaled / &count;
        // One more digit stands for the rest, so that the quotient is rounded once and to the right side.
        let rest = u8::from(&quotient * &count != scaled);
        let sign = if rest != 0 && quotient == BigInt::ZERO && scaled < BigInt::ZERO { "-" } else { "" };
        nearest(&format!("{sign}{quotient}{rest}e{}", exponent - QUOTIENT_DIGITS - 1))
    }
}

fn nearest(decimal: &str) -> f64 {
    decimal.parse::<f64>().unwrap_or(0.0).clamp(f64::MIN, f64::MAX)
}

#[cfg(test)]
#[expect(clippy::float_cmp, clippy::excessive_precision, reason = "sums are exact")]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        for value in values {
            sum.add(*value);
        }
        sum
    }

    #[test]
    fn sums_are_exact_in_any_order() {
        assert_eq!(sum(&[1e16, 1.0, -1e16]).to_f64(), 1.0);
        assert_eq!(sum(&[0.1, 0.2]).to_f64(), 0.3);
        assert_eq!(sum(&[1e300, 5e-324, -1e300]).to_f64(), 5e-324);
        assert_eq!(sum(&[]).to_f64(), 0.0);
    }

    #[test]
    fn a_sum_is_of_the_decimals_that_the_log_has() {
        // Two decimals of 17 digits are equally near to this double, and JSON has the even one.
        let log: Vec<f64> = vec![1_501_199_875_790_165.25; 3];
        assert_eq!(serde_json::json!(log[0]).to_string(), "1501199875790165.2");
        assert_eq!(sum(&log).to_f64(), 4_503_599_627_370_495.5);
    }

    #[test]
    fn a_mean_is_right_where_the_sum_fits_no_double() {
        assert_eq!(sum(&[1e308, 1e308, 1e308]).mean(3), 1e308);
        assert_eq!(sum(&[1e308, 1e308]).to_f64(), f64::MAX);
        assert_eq!(sum(&[1.7e308, -1.7e308]).to_f64(), 0.0);
        assert_eq!(sum(&[1.0, 0.0, 0.0]).mean(3), 1.0 / 3.0);
        assert_eq!(sum(&[-1.0]).mean(3), -1.0 / 3.0);
        assert_eq!(sum(&[]).mean(0), 0.0);
    }

    #[test]
    fn parts_of_a_sum_are_added_exactly() {
        let mut whole = sum(&[0.1]);
        let mut part = ExactSum::default();
        part.add_scaled(20, 2);
        whole.merge(&part);
        assert_eq!(whole.to_f64(), 0.3);
    }
}
