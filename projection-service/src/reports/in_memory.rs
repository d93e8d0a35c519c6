//! Rows in memory, for tests of reports: what a view would scan.

use std::ops::Range;
use std::sync::Arc;

use crate::columns::{Dictionary, Mask, Needs, Numbers, Row, RowSet, Rows, Values};
use crate::view::Scan;

/// The columns of a set of rows, in the order of a chunk.
pub(crate) struct Chunk {
    times: Numbers,
    actors: Vec<u32>,
    values: Values,
    positions: Numbers,
    first_positions: Numbers,
    fields: Vec<Arc<Dictionary>>,
}

impl Chunk {
    pub(crate) fn new(mut set: RowSet, needs: &Needs) -> Self {
        set.sort_by_time();
        let rows = set.rows();
        let numbers = |number: fn(&Row) -> i64| Numbers::of(rows.iter().map(number).collect());
        Self {
            times: numbers(|row| row.time),
            actors: rows.iter().map(|row| row.actor).collect(),
            values: set.values(),
            positions: numbers(|row| row.position),
            first_positions: numbers(|row| row.first_position),
            fields: needs.fields.iter().map(|field| Arc::new(set.dictionary(field))).collect(),
        }
    }

    /// What happened in `window`, with only what was asked for.
    pub(crate) fn rows<'a>(&'a self, window: &Range<i64>, needs: &Needs, mask: Option<&'a Mask>) -> Rows<'a> {
        let all = Rows {
            range: 0..self.times.len(),
            mask,
            times: &self.times,
            actors: if needs.actors { &self.actors } else { &[] },
            values: needs.values.then_some(&self.values),
            positions: &self.positions,
            first_positions: if needs.order { &self.first_positions } else { Numbers::EMPTY },
            fields: &self.fields,
        };
        Rows { range: all.between(window.start, window.end), ..all }
    }
}

/// Scans sets of rows as a view does, each set by a thread of its own.
pub(crate) fn scan<S: Scan>(
    sets: &[RowSet],
    window: &Range<i64>,
    needs: &Needs,
    scan: &S,
) -> Vec<S::Partial> {
    sets.iter()
        .map(|set| {
            let mut partial = scan.begin();
            scan.scan(&mut partial, &Chunk::new(set.clone(), needs).rows(window, needs, None));
            partial
        })
        .collect()
}
