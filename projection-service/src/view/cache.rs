use std::sync::Arc;

use moka::sync::Cache;

use crate::columns::{ColumnName, Dictionary, Field, Numbers, Rare, RowSet, Sparse, Values};

/// A decoded column of a chunk.
#[derive(Debug)]
pub(super) enum Column {
    /// Times or positions.
    Numbers(Numbers),
    Actors(Vec<u32>),
    Values(Values),
    Dictionary(Arc<Dictionary>),
    Rare(Rare),
    /// Some rows, each with a position: of its end, or of the event that first recorded it.
    Sparse(Sparse),
    /// All rows of a delta; its columns are built from them.
    Rows(RowSet),
}

impl Column {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Numbers(numbers) => numbers.bytes(),
                Self::Actors(actors) => size_of_val(actors.as_slice()),
                Self::Values(values) => values.bytes(),
                Self::Dictionary(column) => column.bytes(),
                Self::Rare(rare) => rare.bytes(),
                Self::Sparse(rows) => size_of_val(rows.as_slice()),
                Self::Rows(rows) => rows.bytes(),
            }
    }
}

/// A part of a chunk that can be cached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Column(ColumnName),
    /// All rows of a delta.
    Rows,
    /// The column `ended`, at the time when it had this number of ended rows.
    Ended(i32),
    /// The rows that have an end in the table of ends, by the number and the hash of the ends that were looked for.
    EndedElsewhere(usize, u64),
    /// A trait of each row's actor, by the number of the column of all actors.
    Trait(Field, u64),
}

/// A cache of decoded columns, shared by all queries and limited in bytes. An entry never becomes stale, because the number
/// of a chunk is never used again.
#[derive(Clone)]
pub(crate) struct ColumnCache(Cache<(i64, Part), Arc<Column>>);

impl ColumnCache {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let weigh =
            |(_, _): &(i64, Part), column: &Arc<Column>| u32::try_from(column.bytes()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(bytes_max).weigher(weigh).build())
    }

    pub(super) fn get(&self, chunk: i64, part: &Part) -> Option<Arc<Column>> {
        self.0.get(&(chunk, part.clone()))
    }

    pub(super) fn insert(&self, chunk: i64, part: Part, column: Column) -> Arc<Column> {
        let column = Arc::new(column);
        self.0.insert((chunk, part), Arc::clone(&column));
        column
    }
}
