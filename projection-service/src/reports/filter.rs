//! Filters: which activities a report is about. A condition is written as a JSON array `[op, field, values…]`; all
//! conditions of a filter must hold.

mod numbers;
mod ordinals;
mod parse;
mod predicate;
#[cfg(test)]
mod tests;

use domain::Decimal;

use crate::columns::{Field, Scalar};
use crate::error::ReportsError;
use crate::view::View;

pub(crate) use ordinals::Ordinals;
pub(crate) use predicate::Predicate;

/// The most conditions of one parameter.
const CONDITIONS_MAX: usize = 64;
/// The most values of one condition.
const VALUES_MAX: usize = 1_000;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter(Vec<Condition>);

/// A test of one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    field: Field,
    test: Test,
}

/// A condition on the value of a field.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    /// It is one of these.
    Is(Vec<Scalar>),
    /// It is none of these.
    IsNot(Vec<Scalar>),
    /// It is a text that has this in it.
    Contains(Box<str>),
    /// It is a text that begins with this.
    StartsWith(Box<str>),
    /// It is a number in this relation to another one.
    Compare(Relation, Decimal),
    /// There is one.
    Exists,
    /// There is none.
    NotExists,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Test {
    /// Whether a value passes. An absent value passes only `is_not`, `not_exists` and `is` null.
    fn holds(&self, value: &Scalar) -> bool {
        match self {
            Self::Is(values) => values.contains(value),
            Self::IsNot(values) => !values.contains(value),
            Self::Contains(part) => matches!(value, Scalar::Text(text) if text.contains(&**part)),
            Self::StartsWith(start) => matches!(value, Scalar::Text(text) if text.starts_with(&**start)),
            Self::Compare(relation, other) => {
                matches!(value, Scalar::Number(number) if relation.holds(number, other))
            }
            Self::Exists => *value != Scalar::Absent,
            Self::NotExists => *value == Scalar::Absent,
        }
    }
}

impl Relation {
    fn holds(self, number: &Decimal, other: &Decimal) -> bool {
        match self {
            Self::Greater => number > other,
            Self::GreaterOrEqual => number >= other,
            Self::Less => number < other,
            Self::LessOrEqual => number <= other,
        }
    }
}

impl Filter {
    /// A filter for rows whose field has this text, as the parameters `type` and `actor` make it.
    pub(crate) fn is(field: Field, text: &str) -> Self {
        Self::any_of(field, vec![Scalar::Text(text.into())])
    }

    /// Only where a field has one of these values.
    pub(crate) fn any_of(field: Field, values: Vec<Scalar>) -> Self {
        Self(vec![Condition { field, test: Test::Is(values) }])
    }

    /// Adds the conditions of another filter.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Replaces the names of actors by the ordinals of those that they stand for: an actor is found by any of its names.
    ///
    /// # Errors
    /// As [`View::scan`].
    pub(crate) async fn resolve(&self, view: &View) -> Result<Predicate, ReportsError> {
        let mut conditions = Vec::with_capacity(self.0.len());
        for condition in &self.0 {
            let named: Vec<u32> = match (&condition.field, &condition.test) {
                (Field::Actor, Test::Is(values) | Test::IsNot(values)) => {
                    let known = view.actor_ordinals(&names(values)).await?;
                    known.into_values().collect()
                }
                (Field::Actor, Test::Contains(_) | Test::StartsWith(_)) => {
                    let test = condition.test.clone();
                    view.actors_where(move |name| test.holds(&Scalar::Text(name.into()))).await?
                }
                _ => Vec::new(),
            };
            conditions.push((condition, named.into_iter().map(|ordinal| view.actor_of(ordinal)).collect()));
        }
        Ok(Predicate::new(conditions))
    }
}

#[cfg(test)]
impl Filter {
    /// As [`Self::resolve`], where no condition is about actors.
    pub(crate) fn without_actors(&self) -> Predicate {
        Predicate::new(self.0.iter().map(|condition| (condition, Vec::new())).collect())
    }
}

/// The texts among some values. No actor has NUL in its name, and PostgreSQL knows no such text.
fn names(values: &[Scalar]) -> Vec<String> {
    let text = |value: &Scalar| match value {
        Scalar::Text(text) if !text.contains('\0') => Some(text.to_string()),
        _ => None,
    };
    values.iter().filter_map(text).collect()
}
