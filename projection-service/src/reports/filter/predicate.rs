use std::sync::Arc;

use super::numbers::NumberTest;
use super::ordinals::Ordinals;
use super::{Condition, Test};
use crate::columns::{Dictionary, Field, Mask, Needs, Rows};

/// A filter that is ready to be applied to rows. Each condition is evaluated once for every value in a chunk's dictionary; a
/// row then costs a look-up by its code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Predicate {
    tests: Vec<ColumnTest>,
}

#[derive(Clone, Debug)]
enum ColumnTest {
    /// A column of [`Rows::fields`].
    Field {
        field: Field,
        test: Test,
        index: usize,
    },
    Actor(Arc<Ordinals>),
    Value(Arc<NumberTest>),
    /// No row passes.
    Never,
}

impl Predicate {
    /// Takes the ordinals of the actors that each condition names or finds.
    pub(super) fn new(conditions: Vec<(&Condition, Vec<u32>)>) -> Self {
        let tests = conditions.into_iter().filter_map(|(condition, actors)| column_test(condition, &actors));
        Self { tests: tests.collect() }
    }

    /// Adds the columns that are read. Must be called before [`Self::mask`], with what is then scanned.
    pub(crate) fn add_needs(&mut self, needs: &mut Needs) {
        for test in &mut self.tests {
            match test {
                ColumnTest::Field { field, index, .. } => {
                    *index = needs.fields.iter().position(|known| known == field).unwrap_or_else(|| {
                        needs.fields.push(field.clone());
                        needs.fields.len() - 1
                    });
                }
                ColumnTest::Actor(_) => needs.actors = true,
                ColumnTest::Value(_) => needs.values = true,
                ColumnTest::Never => {}
            }
        }
    }

    /// The rows of a chunk that pass, whether or not they count otherwise; none if every row passes.
    pub(crate) fn mask(&self, rows: &Rows<'_>) -> Option<Mask> {
        let mut all: Option<Mask> = None;
        for test in &self.tests {
            let Some(mask) = test.mask(rows) else { continue };
            match &mut all {
                Some(all) => all.and(&mask),
                None => all = Some(mask),
            }
        }
        all
    }
}

fn column_test(condition: &Condition, actors: &[u32]) -> Option<ColumnTest> {
    let Condition { field, test } = condition;
    let constant = |passes: bool| (!passes).then_some(ColumnTest::Never);
    match field {
        Field::Actor => match test {
            // Every activity has an actor, so only conditions on names matter.
            Test::Is(_) | Test::Contains(_) | Test::StartsWith(_) => {
                Some(ColumnTest::Actor(Arc::new(Ordinals::new(actors, false))))
            }
            Test::IsNot(_) => Some(ColumnTest::Actor(Arc::new(Ordinals::new(actors, true)))),
            Test::Exists => constant(true),
            Test::NotExists | Test::Compare(..) => constant(false),
        },
        Field::Value => Some(ColumnTest::Value(Arc::new(NumberTest::new(test)))),
        Field::Type | Field::Property(_) | Field::Context(_) | Field::Trait(_) => {
            Some(ColumnTest::Field { field: field.clone(), test: test.clone(), index: 0 })
        }
    }
}

impl ColumnTest {
    fn mask(&self, rows: &Rows<'_>) -> Option<Mask> {
        match self {
            Self::Field { test, index, .. } => mask_of_codes(&rows.fields[*index], test),
            Self::Actor(actors) => Some(Mask::of(rows.actors.len(), |row| actors.has(rows.actors[row]))),
            Self::Value(test) => rows.values.map(|values| test.mask(values)),
            Self::Never => Some(Mask::of(rows.times.len(), |_| false)),
        }
    }
}

fn mask_of_codes(column: &Dictionary, test: &Test) -> Option<Mask> {
    let passes: Vec<bool> = column.values.iter().map(|value| test.holds(value)).collect();
    let codes = &column.codes;
    let mut passing = (0..passes.len()).filter(|code| passes[*code]);
    match (passing.next(), passing.next()) {
        (Some(_), _) if passes.iter().all(|passes| *passes) => None,
        (Some(one), None) => Some(Mask::of(codes.len(), |row| usize::from(codes[row]) == one)),
        (None, _) => Some(Mask::of(codes.len(), |_| false)),
        _ => Some(Mask::of(codes.len(), |row| passes[usize::from(codes[row])])),
    }
}
