use super::shortest;

/// The column `value`. Numbers are kept as decimals with one scale wherever they all fit, so that sums are exact and cheap.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    /// Each value is its number times 10 to the power of −`scale`; [`Values::NONE`] where there is none.
    Scaled {
        /// 0 to [`SCALE_MAX`].
        scale: u8,
        /// One for each row, at most 2^53 in size.
        numbers: Vec<i64>,
    },
    /// Anything else: the doubles as they were sent; NaN where there is none.
    Doubles(Vec<f64>),
}

/// Powers of ten up to here are exact in a double.
const SCALE_MAX: u8 = 22;
/// Whole numbers up to here are exact in a double.
const NUMBER_MAX: i64 = 1 << 53;

impl Values {
    /// Stands for no value.
    pub(crate) const NONE: i64 = i64::MIN;

    /// The column of these values, in the order of rows.
    pub(crate) fn of(values: &[Option<f64>]) -> Self {
        let decimals: Option<Vec<Option<(i64, u8)>>> =
            values.iter().map(|value| value.map_or(Some(None), |value| decimal(value).map(Some))).collect();
        let doubles = || Self::Doubles(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect());
        let Some(decimals) = decimals else { return doubles() };
        let scale = decimals.iter().flatten().map(|(_, scale)| *scale).max().unwrap_or(0);
        let scaled = decimals.iter().map(|decimal| match decimal {
            None => Some(Self::NONE),
            Some((number, own)) => 10_i64
                .checked_pow(u32::from(scale - own))
                .and_then(|factor| number.checked_mul(factor))
                .filter(|number| number.abs() <= NUMBER_MAX),
        });
        scaled.collect::<Option<Vec<i64>>>().map_or_else(doubles, |numbers| Self::Scaled { scale, numbers })
    }

    /// The value of a row.
    pub(crate) fn get(&self, row: usize) -> Option<f64> {
        match self {
            Self::Scaled { scale, numbers } => {
                let number = numbers[row];
                // Both are exact in a double, so the quotient is the double nearest to the decimal.
                (number != Self::NONE).then(|| number as f64 / 10_f64.powi(i32::from(*scale)))
            }
            Self::Doubles(doubles) => Some(doubles[row]).filter(|value| !value.is_nan()),
        }
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Scaled { numbers, .. } => numbers.len() * size_of::<i64>(),
            Self::Doubles(doubles) => doubles.len() * size_of::<f64>(),
        }
    }
}

/// The shortest decimal that reads back as this double: a whole number and a scale, if it is small enough.
fn decimal(value: f64) -> Option<(i64, u8)> {
    if value.fract() == 0.0 && value.abs() <= NUMBER_MAX as f64 {
        return Some((value as i64, 0));
    }
    let (number, exponent) = shortest(value)?;
    let scale = u8::try_from(-exponent).ok().filter(|scale| *scale <= SCALE_MAX)?;
    (number.abs() <= NUMBER_MAX).then_some((number, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_numbers_of_one_scale() {
        let values = Values::of(&[Some(42.5), None, Some(0.01), Some(-3.0)]);
        assert_eq!(values, Values::Scaled { scale: 2, numbers: vec![4_250, Values::NONE, 1, -300] });
        assert_eq!([0, 1, 2, 3].map(|row| values.get(row)), [Some(42.5), None, Some(0.01), Some(-3.0)]);
    }

    #[test]
    fn what_does_not_fit_stays_a_double() {
        for odd in [1e300, 5e-324, 1.797_693_134_862_315_7e308] {
            let values = Values::of(&[Some(odd), None, Some(0.1)]);
            assert!(matches!(values, Values::Doubles(_)), "{odd}");
            assert_eq!([0, 1, 2].map(|row| values.get(row)), [Some(odd), None, Some(0.1)]);
        }
    }
}
