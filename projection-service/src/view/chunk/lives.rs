use std::sync::Arc;

use super::super::cache::{Column, Part};
use super::{Chunk, Kind, Parts, Preparation, numbers};
use crate::columns::{ColumnName, Dictionary, Field, Numbers, Scalar};

/// The value by which rows are searched.
#[derive(Clone, Debug)]
pub(in crate::view) enum Wanted {
    /// The ordinal of an actor.
    Actor(u32),
    /// A type of activity.
    Type(Box<str>),
}

impl Wanted {
    fn column(&self) -> ColumnName {
        match self {
            Self::Actor(_) => ColumnName::Actor,
            Self::Type(_) => ColumnName::Field(Field::Type),
        }
    }
}

/// The positions at which each row of a chunk begins and ends, also of rows that are no longer current.
pub(in crate::view) struct Lives {
    positions: Arc<Column>,
    /// Rows that have ended, each with the position of its end, sorted by row.
    pub(in crate::view) ended: Vec<(u32, i64)>,
}

impl Lives {
    /// The position at which each row begins.
    pub(in crate::view) fn positions(&self) -> &Numbers {
        numbers(Some(&self.positions))
    }
}

impl Chunk {
    /// The parts that [`Self::find`] needs in memory.
    pub(in crate::view) fn parts_of(&self, wanted: &Wanted) -> Vec<Part> {
        match &self.kind {
            Kind::Segment { .. } => vec![Part::Column(wanted.column())],
            Kind::Delta => vec![Part::Rows],
        }
    }

    /// The parts that [`Self::lives`] needs in memory.
    pub(in crate::view) fn parts_of_lives(&self) -> Vec<Part> {
        match self.kind {
            Kind::Segment { ended_rows: 0, .. } => vec![Part::Column(ColumnName::Position)],
            Kind::Segment { ended_rows, .. } => {
                vec![Part::Column(ColumnName::Position), Part::Ended(ended_rows)]
            }
            Kind::Delta => vec![Part::Rows],
        }
    }

    /// Whether its column `ended` has a row that has ended.
    pub(in crate::view) fn has_ended_rows(&self) -> bool {
        matches!(self.kind, Kind::Segment { ended_rows: 1.., .. })
    }
}

impl Preparation<'_> {
    /// The numbers of the rows that match. None if a column is not in memory.
    pub(in crate::view) fn find(
        &self,
        chunk: &Chunk,
        loaded: &[(Part, Arc<Column>)],
        wanted: &Wanted,
    ) -> Option<Vec<u32>> {
        let parts = Parts { preparation: self, chunk, loaded };
        match (wanted, &*parts.column(wanted.column())?) {
            (Wanted::Actor(ordinal), Column::Actors(actors)) => Some(equal(actors, ordinal)),
            (Wanted::Type(name), Column::Dictionary(types)) => Some(of_type(types, name)),
            _ => None,
        }
    }

    /// The positions of its rows. None if a column is not in memory.
    pub(in crate::view) fn lives(&self, chunk: &Chunk, loaded: &[(Part, Arc<Column>)]) -> Option<Lives> {
        let parts = Parts { preparation: self, chunk, loaded };
        let positions = parts.column(ColumnName::Position)?;
        let mut ended = Vec::new();
        if let Kind::Segment { ended_rows: ended_rows @ 1.., .. } = chunk.kind {
            let Column::Sparse(rows) = &*parts.part(&Part::Ended(ended_rows))? else { return None };
            ended.clone_from(rows);
        }
        if !self.ends.is_empty() {
            ended.extend(parts.ended_rows(numbers(Some(&positions))));
            ended.sort_unstable();
        }
        Some(Lives { positions, ended })
    }
}

fn of_type(types: &Dictionary, name: &str) -> Vec<u32> {
    let is_it = |value: &Scalar| matches!(value, Scalar::Text(text) if **text == *name);
    match types.values.iter().position(is_it) {
        Some(code) => equal(&types.codes, &(code as u16)),
        None => Vec::new(),
    }
}

/// Rows that are compared as one block, with a few vector instructions.
const BLOCK: usize = 64;

/// The numbers of the rows of a column that have a value.
fn equal<T: PartialEq>(column: &[T], wanted: &T) -> Vec<u32> {
    let mut rows = Vec::new();
    for (block, first) in column.chunks(BLOCK).zip((0..).step_by(BLOCK)) {
        // No early exit, so that the compiler can use vector instructions; most blocks have no such row.
        if block.iter().filter(|value| *value == wanted).count() > 0 {
            rows.extend(block.iter().zip(first..).filter(|(value, _)| *value == wanted).map(|(_, row)| row));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_a_value_is_found() {
        let column: Vec<u32> = (0..200).map(|row| row % 67).collect();
        assert_eq!(equal(&column, &66), [66, 133]);
        assert_eq!(equal(&column, &0), [0, 67, 134]);
        assert_eq!(equal(&column, &67), [0; 0]);
        assert_eq!(equal(&[7_u16; 130], &7).len(), 130);
    }
}
