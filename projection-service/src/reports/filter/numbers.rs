use std::cmp::Ordering;
use std::ops::Range;
use std::sync::OnceLock;

use domain::Decimal;

use super::{Relation, Test};
use crate::columns::{Mask, Scalar, Values, shortest};

/// A test of the column `value`, prepared so that a row costs a comparison or two of whole numbers.
#[derive(Debug)]
pub(super) struct NumberTest {
    /// A number passes if it lies in one of these.
    within: Vec<Bounds>,
    /// … or if it lies in none of them.
    is_negated: bool,
    /// Whether a row without a value passes.
    absent: bool,
    /// The bounds as whole numbers of a scale, by scale.
    scaled: Vec<OnceLock<Vec<Range<i64>>>>,
}

/// What a relation with one number lets pass.
#[derive(Debug)]
struct Bounds {
    number: Decimal,
    /// The double nearest to the number …
    double: f64,
    /// … and how that, as the shortest decimal that reads back as it, compares with the number.
    double_is: Ordering,
    relation: Option<Relation>,
}

/// Scales of [`Values::Scaled`].
const SCALES: usize = 256;
/// Numbers of [`Values::Scaled`] are smaller in size.
const NUMBER_END: i64 = (1 << 53) + 1;

impl NumberTest {
    pub(super) fn new(test: &Test) -> Self {
        let equal = |values: &[Scalar]| {
            let number = |value: &Scalar| match value {
                Scalar::Number(number) => Some(Bounds::new(number, None)),
                _ => None,
            };
            values.iter().filter_map(number).collect()
        };
        let (within, is_negated) = match test {
            Test::Is(values) => (equal(values), false),
            Test::IsNot(values) => (equal(values), true),
            Test::Compare(relation, number) => (vec![Bounds::new(number, Some(*relation))], false),
            Test::Contains(_) | Test::StartsWith(_) | Test::NotExists => (Vec::new(), false),
            Test::Exists => (Vec::new(), true),
        };
        let scaled = (0..SCALES).map(|_| OnceLock::new()).collect();
        Self { within, is_negated, absent: test.holds(&Scalar::Absent), scaled }
    }

    pub(super) fn mask(&self, values: &Values) -> Mask {
        match values {
            Values::Scaled { scale, numbers } => self.mask_scaled(*scale, numbers),
            Values::Doubles(doubles) => Mask::of(doubles.len(), |row| match doubles[row] {
                double if double.is_nan() => self.absent,
                double => self.within.iter().any(|bounds| bounds.holds(double)) != self.is_negated,
            }),
        }
    }

    fn mask_scaled(&self, scale: u8, numbers: &[i64]) -> Mask {
        let ranges = self.scaled[usize::from(scale)]
            .get_or_init(|| self.within.iter().map(|bounds| bounds.scaled(scale)).collect());
        match &ranges[..] {
            // What stands for no value lies in no range.
            [range] if !self.is_negated && !self.absent => {
                Mask::of(numbers.len(), |row| range.start <= numbers[row] && numbers[row] < range.end)
            }
            ranges => Mask::of(numbers.len(), |row| match numbers[row] {
                Values::NONE => self.absent,
                number => ranges.iter().any(|range| range.contains(&number)) != self.is_negated,
            }),
        }
    }
}

impl Bounds {
    /// Without a relation: equal.
    fn new(number: &Decimal, relation: Option<Relation>) -> Self {
        let double = number.to_string().parse::<f64>().unwrap_or(0.0);
        let double_is = match double {
            f64::INFINITY => Ordering::Greater,
            f64::NEG_INFINITY => Ordering::Less,
            finite => shortest(finite)
                .and_then(|(digits, exponent)| Decimal::parse(&format!("{digits}e{exponent}")))
                .map_or(Ordering::Equal, |shortest| shortest.cmp(number)),
        };
        Self { number: number.clone(), double, double_is, relation }
    }

    /// The decimals of two doubles are in the same order as the doubles, so only the double nearest to the number needs a
    /// closer look, and that was taken beforehand.
    fn holds(&self, double: f64) -> bool {
        let order = double.partial_cmp(&self.double).unwrap_or(Ordering::Equal).then(self.double_is);
        match self.relation {
            None => order.is_eq(),
            Some(Relation::Greater) => order.is_gt(),
            Some(Relation::GreaterOrEqual) => order.is_ge(),
            Some(Relation::Less) => order.is_lt(),
            Some(Relation::LessOrEqual) => order.is_le(),
        }
    }

    /// The whole numbers that pass, each times 10 to the power of −`scale`.
    fn scaled(&self, scale: u8) -> Range<i64> {
        let at_least = || least(scale, |number| number >= &self.number);
        let above = || least(scale, |number| number > &self.number);
        match self.relation {
            None => at_least()..above(),
            Some(Relation::Greater) => above()..NUMBER_END,
            Some(Relation::GreaterOrEqual) => at_least()..NUMBER_END,
            Some(Relation::Less) => -NUMBER_END..at_least(),
            Some(Relation::LessOrEqual) => -NUMBER_END..above(),
        }
    }
}

/// The least whole number for which `passes` holds, as it does for every greater one.
fn least(scale: u8, passes: impl Fn(&Decimal) -> bool) -> i64 {
    let (mut fails, mut end) = (-NUMBER_END, NUMBER_END);
    while fails + 1 < end {
        let middle = fails.midpoint(end);
        let decimal = Decimal::parse(&format!("{middle}e-{scale}"));
        if decimal.is_some_and(|decimal| passes(&decimal)) {
            end = middle;
        } else {
            fails = middle;
        }
    }
    end
}
