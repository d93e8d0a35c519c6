//! Columns of activities in memory: what a segment or a delta holds, and what a report scans. No I/O.
//!
//! A chunk (a segment or a delta) has at most [`CHUNK_ROWS_MAX`] rows, sorted by the time at which they happened and then
//! by the position that first recorded them. Every column of a chunk has its rows in this order.

mod column;
mod delta;
mod dictionary;
mod field;
mod flatten;
mod numbers;
mod off_async;
mod parquet_file;
mod row_set;
mod rows;
mod scalar;
mod segment;
mod shortest;
mod sum;
mod texts;
mod values;
mod varint;

pub(crate) use column::{ColumnName, Rare, Sparse, read_dictionary, read_sparse, read_values, write_sparse};
pub(crate) use dictionary::Dictionary;
pub(crate) use field::{Field, Path};
pub(crate) use flatten::flatten;
pub(crate) use numbers::Numbers;
pub(crate) use off_async::off_async;
pub(crate) use parquet_file::{read_i32, read_i64};
pub(crate) use row_set::{Row, RowSet};
pub(crate) use rows::{Mask, Needs, Rows};
pub(crate) use scalar::Scalar;
pub(crate) use segment::{Ends, Segment};
pub(crate) use shortest::shortest;
pub(crate) use sum::ExactSum;
pub(crate) use texts::Texts;
pub(crate) use values::Values;
pub(crate) use varint::Unreadable;

/// The most rows of a chunk: a code of a [`Dictionary`] column has 16 bits.
pub(crate) const CHUNK_ROWS_MAX: usize = 65_536;
