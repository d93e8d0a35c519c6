use std::cmp::Ordering;

use serde::{Serialize, Serializer};

use crate::columns::{ExactSum, Rows, Values};
use crate::reports::actor_set::ActorSet;

/// Computes a measure of the rows of one bucket and one group.
pub(super) trait Tally: Clone + Default + Send + Sync + 'static {
    /// Whether it takes few bytes however many rows it has, so that every group may have its own in each bucket.
    const IS_SMALL: bool;

    /// Adds a row.
    fn add(&mut self, rows: &Rows<'_>, row: usize);

    /// Adds rows by their number alone. Returns false if the measure needs the rows themselves.
    fn add_count(&mut self, _count: usize) -> bool {
        false
    }

    fn merge(&mut self, other: Self);

    /// The number in the report; may sort what was gathered.
    fn number(&mut self, percent: u64) -> Number;
}

/// A whole number where one is counted, a double where one is computed, nothing where there is nothing to compute it from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Real(f64),
    None,
}

impl Number {
    /// The larger one comes first, and nothing last.
    pub(super) fn larger_first(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => other.cmp(&one),
            (Self::None, Self::None) => Ordering::Equal,
            (Self::None, _) => Ordering::Greater,
            (_, Self::None) => Ordering::Less,
            (one, other) => other.double().total_cmp(&one.double()),
        }
    }

    fn double(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
            Self::None => 0.0,
        }
    }

    fn of(value: Option<f64>) -> Self {
        // Both zeros are one number.
        value.map_or(Self::None, |value| Self::Real(value + 0.0))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::None => serializer.serialize_none(),
        }
    }
}

/// How many activities.
#[derive(Clone, Default)]
pub(super) struct Count(u64);

impl Tally for Count {
    const IS_SMALL: bool = true;

    fn add(&mut self, _: &Rows<'_>, _: usize) {
        self.0 += 1;
    }

    fn add_count(&mut self, count: usize) -> bool {
        self.0 += count as u64;
        true
    }

    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn number(&mut self, _: u64) -> Number {
        Number::Whole(self.0)
    }
}

/// How many different actors.
#[derive(Clone, Default)]
pub(super) struct Actors(pub(super) ActorSet);

impl Tally for Actors {
    const IS_SMALL: bool = false;

    fn add(&mut self, rows: &Rows<'_>, row: usize) {
        self.0.insert(rows.actors[row]);
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn number(&mut self, _: u64) -> Number {
        Number::Whole(self.0.count())
    }
}

/// The sum of values, exact.
#[derive(Clone, Default)]
pub(super) struct Sum {
    count: u64,
    exact: ExactSum,
    /// Not yet added to `exact`; in units of 10 to the power of −`scale`.
    pending: i128,
    scale: u8,
}

impl Sum {
    fn settle(&mut self) {
        self.exact.add_scaled(self.pending, self.scale);
        self.pending = 0;
    }
}

impl Tally for Sum {
    const IS_SMALL: bool = true;

    fn add(&mut self, rows: &Rows<'_>, row: usize) {
        match rows.values {
            Some(Values::Scaled { scale, numbers }) if numbers[row] != Values::NONE => {
                if self.scale != *scale {
                    self.settle();
                    self.scale = *scale;
                }
                self.pending += i128::from(numbers[row]);
                self.count += 1;
            }
            Some(Values::Doubles(doubles)) if !doubles[row].is_nan() => {
                self.exact.add(doubles[row]);
                self.count += 1;
            }
            _ => {}
        }
    }

    fn merge(&mut self, mut other: Self) {
        other.settle();
        self.exact.merge(&other.exact);
        self.count += other.count;
    }

    fn number(&mut self, _: u64) -> Number {
        self.settle();
        Number::of(Some(self.exact.to_f64()))
    }
}

/// The mean of values, exact until it is written; 0 where there are none.
#[derive(Clone, Default)]
pub(super) struct Mean(Sum);

impl Tally for Mean {
    const IS_SMALL: bool = true;

    fn add(&mut self, rows: &Rows<'_>, row: usize) {
        self.0.add(rows, row);
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(other.0);
    }

    fn number(&mut self, _: u64) -> Number {
        self.0.settle();
        Number::of(Some(self.0.exact.mean(self.0.count)))
    }
}

/// The least value, or the greatest one.
#[derive(Clone, Default)]
pub(super) struct Extreme<const GREATEST: bool>(Option<f64>);

impl<const GREATEST: bool> Extreme<GREATEST> {
    fn take(&mut self, value: f64) {
        let better = |known: f64| if GREATEST { known.max(value) } else { known.min(value) };
        self.0 = Some(self.0.map_or(value, better));
    }
}

impl<const GREATEST: bool> Tally for Extreme<GREATEST> {
    const IS_SMALL: bool = true;

    fn add(&mut self, rows: &Rows<'_>, row: usize) {
        if let Some(value) = rows.values.and_then(|values| values.get(row)) {
            self.take(value);
        }
    }

    fn merge(&mut self, other: Self) {
        if let Some(value) = other.0 {
            self.take(value);
        }
    }

    fn number(&mut self, _: u64) -> Number {
        Number::of(self.0)
    }
}

/// A quantile of values by nearest rank: the least value that so many percent of the values do not exceed.
#[derive(Clone, Default)]
pub(super) struct Quantile(Vec<f64>);

impl Tally for Quantile {
    const IS_SMALL: bool = false;

    fn add(&mut self, rows: &Rows<'_>, row: usize) {
        self.0.extend(rows.values.and_then(|values| values.get(row)));
    }

    fn merge(&mut self, mut other: Self) {
        if self.0.is_empty() { *self = other } else { self.0.append(&mut other.0) }
    }

    fn number(&mut self, percent: u64) -> Number {
        let rank = (self.0.len() as u64 * percent).div_ceil(100).max(1) as usize - 1;
        if rank >= self.0.len() {
            return Number::None;
        }
        let (_, value, _) = self.0.select_nth_unstable_by(rank, f64::total_cmp);
        Number::of(Some(*value))
    }
}
