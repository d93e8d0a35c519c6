use serde::{Deserialize, Deserializer, de};

use crate::{Decimal, Json};

/// Every decimal of so many significant digits survives a double (`DBL_DIG` of C).
const DIGITS_ALWAYS_HELD: usize = 15;
/// No double needs more significant digits to differ from its neighbours.
const DIGITS_MAX: usize = 17;
/// No double has more significant digits when it is written out in full.
const DIGITS_EXACT_MAX: usize = 767;

/// Reads the value of a stored activity: the double whose shortest text it is.
pub(super) fn stored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let Some(json) = Option::<Json>::deserialize(deserializer)? else { return Ok(None) };
    number(json.as_str()).map(Some)
}

/// Reads a value as a client sends it, and refuses one that would be changed without a word: one that a double does not
/// hold to its last digit. Minus zero is zero.
pub(super) fn exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let Some(json) = Option::<Json>::deserialize(deserializer)? else { return Ok(None) };
    let number = number(json.as_str())?;
    if !is_held(json.as_str(), number) {
        return Err(de::Error::custom(
            "must be a number that a double (IEEE 754) holds to its last digit: of up to 15 significant digits each, of \
             16 and 17 some; what needs more goes into properties, which keep every digit",
        ));
    }
    Ok(Some(if number == 0.0 { 0.0 } else { number }))
}

/// The number that a JSON text is, if it is one that a double holds to its last digit.
#[must_use]
pub fn exact_number(text: &str) -> Option<f64> {
    let number = number::<serde_json::Error>(text).ok().filter(|number| is_held(text, *number))?;
    Some(if number == 0.0 { 0.0 } else { number })
}

/// The nearest double. `serde_json` alone takes a neighbour of some numbers, and of that neighbour another one when it reads
/// what it wrote: the same content sent again would differ from what is stored.
fn number<E: de::Error>(text: &str) -> Result<f64, E> {
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Err(de::Error::custom("must be a number"));
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| de::Error::custom("must be a finite number"))
}

/// Whether the nearest double, rounded to as many significant digits as the text has, says what the text says. Beyond 17
/// digits it must be equal: 0.1 is written 0.10000000000000001 by some, and none means 0.100000000000000006.
fn is_held(text: &str, number: f64) -> bool {
    let Some(decimal) = Decimal::parse(text) else { return false };
    let digits = decimal.significant_digits();
    if digits <= DIGITS_ALWAYS_HELD && number.abs() >= f64::MIN_POSITIVE {
        return true;
    }
    if digits > DIGITS_EXACT_MAX {
        return false;
    }
    let shown_digits = if digits <= DIGITS_MAX { digits } else { DIGITS_EXACT_MAX };
    Decimal::parse(&format!("{number:.*e}", shown_digits - 1)).is_some_and(|shown| shown == decimal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<f64>, serde_json::Error> {
        exact(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn what_a_double_holds_to_its_last_digit_is_a_value() {
        for text in [
            "0",
            "-0",
            "0.1",
            "1e2",
            "12.50",
            "-1.5e300",
            "9007199254740992",
            "9007199254740994",
            "5e-324",
            "1.7976931348623157e308",
            "0.30000000000000004",
            "0.10000000000000001",
            "18446744073709551616",
            "0.1000000000000000055511151231257827021181583404541015625",
            "100000000000000000000000",
            "0e999",
        ] {
            assert!(read(text).is_ok(), "{text}");
        }
        assert_eq!(read("-0").unwrap().map(f64::is_sign_negative), Some(false));
        assert_eq!(read("null").unwrap(), None);
    }

    #[test]
    fn what_a_double_would_change_is_refused() {
        let nines = "9".repeat(200);
        for text in [
            "9007199254740993",
            "-9007199254740993",
            "9007199254740993.0",
            "9.007199254740993e15",
            "20000000000000000001",
            "0.100000000000000005",
            "0.1000000000000000056",
            "1e-400",
            "4e-324",
            "1e999",
            "123456789012345678901234567890",
            &nines,
            "1e99999999999999999999",
            "\"1\"",
            "true",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        // What is found becomes a test by hand; no files are kept.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_double_is_a_value_by_its_shortest_text_and_by_17_digits(
            number in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL,
        ) {
            for text in [format!("{number:e}"), format!("{number:.16e}"), serde_json::json!(number).to_string()] {
                prop_assert_eq!(read(&text).unwrap(), Some(number));
            }
        }

        #[test]
        fn every_decimal_of_15_digits_is_a_value(digits in 0u64..1_000_000_000_000_000, power in -300i32..290) {
            let text = format!("{digits}e{power}");
            prop_assert!(read(&text).is_ok());
        }
    }
}
