use std::cmp::Ordering;
use std::fmt;

/// The number of a JSON text, exact, whatever its length: what is equal by value is equal here, however it was written.
///
/// Costs no allocation up to 19 significant digits. The exponent is a number and never a run of zeros, so that
/// `1e999999999` costs no more than `1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    is_negative: bool,
    digits: Digits,
    /// The value is `digits` × 10^`exponent`; 0 for zero.
    exponent: i64,
}

/// Significant digits as a whole number, without zeros at either end. Few digits are always [`Digits::Few`], so that equal
/// numbers have one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Digits {
    /// At most [`DIGITS_FEW_MAX`].
    Few(u64),
    /// More, in ASCII.
    Many(Box<str>),
}

/// Every number of so many digits fits into 64 bits.
const DIGITS_FEW_MAX: usize = 19;
/// A plain number has at most so many digits before its point …
const PLAIN_WHOLE_DIGITS_MAX: i128 = 21;
/// … and at most so many zeros after it: what JavaScript does (ECMA-262, `Number::toString`).
const PLAIN_ZEROS_MAX: i128 = 6;

impl Decimal {
    /// Reads a number as JSON writes it (RFC 8259, section 6). Returns `None` for other text, and for a number whose
    /// exponent does not fit into 64 bits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, Some(power)),
            None => (unsigned, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, "0"),
        };
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let power_digits = power.map(|power| power.strip_prefix(['+', '-']).unwrap_or(power));
        if !are_digits(whole)
            || !are_digits(fraction)
            || (whole.len() > 1 && whole.starts_with('0'))
            || !power_digits.is_none_or(are_digits)
        {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let whole = whole.trim_start_matches('0');
        let (significant, zeros) = significant(whole, fraction);
        if significant == Digits::Few(0) {
            return Some(Self { is_negative: false, digits: significant, exponent: 0 });
        }
        let power = power.map_or(Some(0), |power| power.parse::<i64>().ok())?;
        let exponent = power.checked_sub(fraction.len() as i64)?.checked_add(zeros as i64)?;
        Some(Self { is_negative, digits: significant, exponent })
    }

    /// How many significant digits it has; 1 for zero.
    #[must_use]
    pub fn significant_digits(&self) -> usize {
        match &self.digits {
            Digits::Few(digits) => digits.checked_ilog10().map_or(1, |log| log as usize + 1),
            Digits::Many(digits) => digits.len(),
        }
    }

    fn is_zero(&self) -> bool {
        self.digits == Digits::Few(0)
    }

    /// The place of the point, counted from the first significant digit: 2 for 12.5, -2 for 0.00125.
    fn point(&self) -> i128 {
        i128::from(self.exponent) + self.significant_digits() as i128
    }

    /// Compares without the signs; neither is zero.
    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        self.point().cmp(&other.point()).then_with(|| match (&self.digits, &other.digits) {
            (Digits::Few(a), Digits::Few(b)) => {
                let (len_a, len_b) = (self.significant_digits() as u32, other.significant_digits() as u32);
                let longer = len_a.max(len_b);
                // At most 19 digits either way.
                (a * 10u64.pow(longer - len_a)).cmp(&(b * 10u64.pow(longer - len_b)))
            }
            // Without zeros at the end, the digits compare as text.
            (a, b) => a.to_string().cmp(&b.to_string()),
        })
    }
}

/// The digits of a mantissa without zeros at either end, and how many zeros were cut off at its end.
fn significant(whole: &str, fraction: &str) -> (Digits, usize) {
    let (cut, zeros) = if fraction.is_empty() {
        let cut = whole.trim_end_matches('0');
        (cut, whole.len() - cut.len())
    } else {
        (whole, 0)
    };
    let fraction = if cut.is_empty() { fraction.trim_start_matches('0') } else { fraction };
    if cut.len() + fraction.len() <= DIGITS_FEW_MAX {
        let digits = cut.bytes().chain(fraction.bytes());
        (Digits::Few(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))), zeros)
    } else {
        (Digits::Many([cut, fraction].concat().into()), zeros)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.is_zero(), number.is_negative) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => -1,
        };
        let signs = (sign(self), sign(other));
        match signs {
            (1, 1) => self.cmp_magnitude(other),
            (-1, -1) => other.cmp_magnitude(self),
            (a, b) => a.cmp(&b),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few(digits) => digits.fmt(f),
            Self::Many(digits) => f.write_str(digits),
        }
    }
}

/// One text for each value, which is a JSON number: `12.5`, `0.00125`, `100`, and with an exponent beyond 21 digits before
/// the point or six zeros after it: `1.5e30`, `1e-7`.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.to_string();
        let (length, point) = (digits.len() as i128, self.point());
        if self.is_negative {
            f.write_str("-")?;
        }
        let zeros = |f: &mut fmt::Formatter<'_>, count: i128| (0..count).try_for_each(|_| f.write_str("0"));
        if self.is_zero() {
            f.write_str("0")
        } else if (length..=PLAIN_WHOLE_DIGITS_MAX).contains(&point) {
            f.write_str(&digits)?;
            zeros(f, point - length)
        } else if (1..=PLAIN_WHOLE_DIGITS_MAX).contains(&point) {
            let (whole, fraction) = digits.split_at(point as usize);
            write!(f, "{whole}.{fraction}")
        } else if (1 - PLAIN_ZEROS_MAX..=0).contains(&point) {
            f.write_str("0.")?;
            zeros(f, -point)?;
            f.write_str(&digits)
        } else {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            write!(f, "{first}{dot}{rest}e{}", point - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is no number"))
    }

    #[test]
    fn what_is_equal_by_value_is_equal_and_has_one_text() {
        for (canonical, others) in [
            ("0", vec!["-0", "0.0", "0e9", "-0.000e-5", "0e99999999999999999999999"]),
            ("1", vec!["1.0", "1e0", "10e-1", "0.1E+1", "1000000000000000000000e-21"]),
            ("100", vec!["1e2", "1.00E2", "100.0"]),
            ("-12.5", vec!["-125e-1", "-0.0125e3"]),
            ("20000000000000000001", vec!["2.0000000000000000001e19", "20000000000000000001.000"]),
            ("1e-7", vec!["0.0000001", "10e-8"]),
            ("0.000001", vec!["1e-6"]),
            ("123456789012345680000", vec!["12345678901234568e4"]),
            ("1e21", vec!["1000000000000000000000"]),
            ("1.5e999999999999", vec!["15e999999999998"]),
        ] {
            assert_eq!(decimal(canonical).to_string(), canonical);
            for other in others {
                assert_eq!(decimal(other), decimal(canonical), "{other}");
                assert_eq!(decimal(other).to_string(), canonical, "{other}");
            }
        }
    }

    #[test]
    fn numbers_are_ordered_by_value_beyond_what_doubles_tell_apart() {
        let ascending = [
            "-1e999999999999",
            "-20000000000000000002",
            "-20000000000000000001",
            "-1",
            "-1e-400",
            "0",
            "1e-400",
            "0.1",
            "0.10000000000000000000000000001",
            "9",
            "9.5",
            "10",
            "9007199254740992",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "20000000000000000001",
            "20000000000000000002",
            "200000000000000000010",
            "1e999999999999",
        ];
        for (n, a) in ascending.iter().enumerate() {
            for (m, b) in ascending.iter().enumerate() {
                assert_eq!(decimal(a).cmp(&decimal(b)), n.cmp(&m), "{a} and {b}");
            }
        }
    }

    #[test]
    fn what_json_does_not_call_a_number_is_none() {
        for text in [
            "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1e1.5", "0x1", "NaN", "1 ", "1e--1", "١",
            "1_0",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        // An exponent beyond every real number in use.
        assert_eq!(Decimal::parse("1e99999999999999999999"), None);
        assert_eq!(Decimal::parse("0.1e-9223372036854775808"), None);
    }

    #[test]
    fn the_digits_are_counted_without_zeros_at_either_end() {
        for (text, digits) in
            [("0", 1), ("0.00120", 2), ("1200", 2), ("9007199254740993", 16), ("-1.5e300", 2)]
        {
            assert_eq!(decimal(text).significant_digits(), digits, "{text}");
        }
        assert_eq!(decimal(&"9".repeat(200)).significant_digits(), 200);
    }

    proptest! {
        // What is found becomes a test by hand; no files are kept.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whole_numbers_compare_as_they_do_elsewhere(a: i128, b: i128, scale in 0u32..30) {
            let shifted = |number: i128| format!("{number}e-{scale}");
            prop_assert_eq!(decimal(&shifted(a)).cmp(&decimal(&shifted(b))), a.cmp(&b));
            prop_assert_eq!(decimal(&decimal(&shifted(a)).to_string()), decimal(&shifted(a)));
        }

        #[test]
        fn doubles_compare_as_they_do_elsewhere(a in proptest::num::f64::NORMAL, b in proptest::num::f64::NORMAL) {
            let (text_a, text_b) = (format!("{a:e}"), format!("{b}"));
            prop_assert_eq!(Some(decimal(&text_a).cmp(&decimal(&text_b))), a.partial_cmp(&b));
            prop_assert_eq!(decimal(&text_a).to_string().parse::<f64>(), Ok(a));
        }
    }
}
