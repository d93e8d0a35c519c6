/// The shortest decimal that reads back as this double, as JSON writes it and the log has it: a whole number, and the power
/// of ten that it is multiplied by. None for what is no number.
///
/// Where two decimals are equally near to the double, JSON has the even one; Rust's own formatting takes the larger one.
pub(crate) fn shortest(value: f64) -> Option<(i64, i32)> {
    let text = serde_json::to_string(&value).ok()?;
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    // At most 17 digits, and with zeros before the point 18.
    let number = format!("{whole}{fraction}").parse().ok()?;
    Some((number, exponent.parse::<i32>().ok()? - fraction.len() as i32))
}

#[cfg(test)]
#[expect(clippy::excessive_precision, reason = "decimals as they were sent")]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_the_decimal_that_json_writes() {
        for (value, decimal) in [
            (0.1, (1, -1)),
            (-12.5, (-125, -1)),
            (3.0, (3, 0)),
            (9_007_199_254_740_992.0, (9_007_199_254_740_992, 0)),
            (1e16, (1, 16)),
            (1.5e300, (15, 299)),
            (5e-324, (5, -324)),
            (1_501_199_875_790_165.25, (15_011_998_757_901_652, -1)),
        ] {
            assert_eq!(shortest(value), Some(decimal), "{value}");
        }
        assert_eq!(shortest(f64::NAN), None);
    }
}
