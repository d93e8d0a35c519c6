use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};

/// An exact decimal: `digits` times 10 to the power of `exponent`, without zeros at the end, so that equal numbers have one
/// form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::tests) struct Number {
    digits: BigInt,
    exponent: i64,
}

impl Number {
    /// Reads a number of JSON.
    pub(in crate::tests) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self::new(digits, exponent.parse::<i64>().ok()? - fraction.len() as i64))
    }

    fn new(mut digits: BigInt, mut exponent: i64) -> Self {
        if digits == BigInt::ZERO {
            return Self { digits, exponent: 0 };
        }
        let ten = BigInt::from(10);
        while &digits % &ten == BigInt::ZERO {
            digits /= &ten;
            exponent += 1;
        }
        Self { digits, exponent }
    }

    /// The shortest decimal that reads back as this double, as JSON writes it. Rust's own formatting takes another one
    /// where two are equally near.
    pub(in crate::tests) fn of(double: f64) -> Self {
        Self::parse(&serde_json::json!(double).to_string()).unwrap()
    }

    /// The digits as a whole number of units of 10 to the power of `exponent`, which is not above its own.
    fn scaled(&self, exponent: i64) -> BigInt {
        &self.digits * BigInt::from(10).pow((self.exponent - exponent) as u32)
    }

    pub(in crate::tests) fn sum<'n>(numbers: impl Iterator<Item = &'n Self> + Clone) -> Self {
        let Some(least) = numbers.clone().map(|number| number.exponent).min() else {
            return Self::new(BigInt::ZERO, 0);
        };
        Self::new(numbers.map(|number| number.scaled(least)).sum(), least)
    }

    /// The double nearest to this number divided by a count; the largest one where none holds it.
    pub(in crate::tests) fn divided(&self, count: usize) -> f64 {
        // A double has at most 17 significant digits, and half of the distance between two of them at most 767: one that is
        // cut off after 800 is on the same side of it, unless the rest would have been zeros.
        let shift = 800;
        let scaled = &self.digits * BigInt::from(10).pow(shift);
        let (quotient, rest) = (&scaled / BigInt::from(count), &scaled % BigInt::from(count));
        let more = if rest == BigInt::ZERO { "0" } else { "1" };
        let sign = if quotient == BigInt::ZERO && self.digits.sign() == Sign::Minus { "-" } else { "" };
        let text = format!("{sign}{quotient}{more}e{}", self.exponent - i64::from(shift) - 1);
        text.parse::<f64>().unwrap().clamp(f64::MIN, f64::MAX)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let least = self.exponent.min(other.exponent);
        self.scaled(least).cmp(&other.scaled(least))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A plain number where it has at most 21 digits before its point and six zeros after it, as JavaScript writes it.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.digits.sign() == Sign::Minus { "-" } else { "" };
        let digits = self.digits.magnitude().to_string();
        let point = digits.len() as i64 + self.exponent;
        if self.exponent >= 0 && point <= 21 {
            write!(f, "{sign}{digits}{}", "0".repeat(self.exponent as usize))
        } else if (1..=21).contains(&point) {
            let (whole, fraction) = digits.split_at(point as usize);
            write!(f, "{sign}{whole}.{fraction}")
        } else if (-5..=0).contains(&point) {
            write!(f, "{sign}0.{}{digits}", "0".repeat(-point as usize))
        } else {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            write!(f, "{sign}{first}{dot}{rest}e{}", point - 1)
        }
    }
}

#[test]
fn numbers_are_equal_and_ordered_by_value() {
    let number = |text| Number::parse(text).unwrap();
    assert_eq!(number("1.0"), number("1"));
    assert_eq!(number("-0"), number("0e9"));
    assert!(number("20000000000000000001") < number("20000000000000000002"));
    assert!(number("-1e300") < number("1e-300") && number("0.1") > number("1e-2"));
    for text in ["0", "-12.5", "20000000000000000001", "1e21", "1e-7", "0.000001", "123.456"] {
        assert_eq!(number(text).to_string(), text);
    }
}

#[test]
fn sums_and_means_are_exact_until_they_are_rounded() {
    let mean = |values: &[f64], count: usize| {
        let numbers: Vec<Number> = values.iter().copied().map(Number::of).collect();
        Number::of(Number::sum(numbers.iter()).divided(count))
    };
    assert_eq!(mean(&[0.1, 0.2], 1), Number::of(0.3));
    assert_eq!(mean(&[1e16, 1.0, -1e16], 1), Number::of(1.0));
    assert_eq!(mean(&[1e308, 1e308, 1e308], 3), Number::of(1e308));
    assert_eq!(mean(&[1e308, 1e308], 1), Number::of(f64::MAX));
    assert_eq!(mean(&[-1.0], 3), Number::of(-1.0 / 3.0));
    assert_eq!(mean(&[], 1), Number::of(0.0));
}
