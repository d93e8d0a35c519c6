use std::marker::PhantomData;

use chrono::{DateTime, Utc};

use super::cells::each_bucket;
use super::tally::Tally;
use crate::columns::Rows;
use crate::reports::groups::{ByGroup, Group, Grouping};
use crate::view::Scan;

/// The most cells of a thread: groups times buckets. Few in tests, so that they come to the other way too.
const CELLS_MAX: usize = if cfg!(test) { 64 } else { 1 << 18 };

/// The measure of every bucket and every group, in one scan, if there are few groups.
pub(super) struct EveryGroup<T> {
    grouping: Grouping,
    /// When each bucket begins, in microseconds since 1970.
    starts: Vec<i64>,
    tally: PhantomData<fn() -> T>,
}

/// The result of one thread.
pub(super) struct GroupCells<T> {
    groups: ByGroup<()>,
    /// One for each bucket, group by group.
    cells: Vec<T>,
    /// Whether there are too many groups, and the rest is not worth a look.
    is_over: bool,
}

impl<T: Tally> EveryGroup<T> {
    pub(super) fn new(grouping: Grouping, starts: &[DateTime<Utc>]) -> Self {
        let starts = starts.iter().map(DateTime::timestamp_micros).collect();
        Self { grouping, starts, tally: PhantomData }
    }

    /// Each group with its buckets, from what all threads have gathered. None if there are too many groups.
    pub(super) fn merge(&self, partials: Vec<GroupCells<T>>) -> Option<Vec<(Group, Vec<T>)>> {
        let mut all = ByGroup::<Vec<T>>::default();
        for GroupCells { groups, cells, is_over } in partials {
            if is_over {
                return None;
            }
            let mut cells = cells.into_iter();
            let buckets = groups.gathered.iter().map(|()| cells.by_ref().take(self.starts.len()).collect());
            let buckets = buckets.collect();
            all.merge(groups.with(buckets), |own: &mut Vec<T>, other| {
                if own.is_empty() {
                    *own = other;
                } else {
                    own.iter_mut().zip(other).for_each(|(cell, other)| cell.merge(other));
                }
            });
        }
        Some(all.into_groups())
    }
}

impl<T: Tally> Scan for EveryGroup<T> {
    type Partial = GroupCells<T>;

    fn begin(&self) -> Self::Partial {
        GroupCells { groups: ByGroup::default(), cells: Vec::new(), is_over: false }
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        if partial.is_over {
            return;
        }
        let buckets = self.starts.len();
        let mut numbers = self.grouping.numbers(rows);
        each_bucket(rows, &self.starts, |bucket, part| {
            numbers.each_of(
                (rows, part),
                partial,
                |partial, group| partial.number(group, buckets),
                |partial, row, number| partial.cells[number as usize * buckets + bucket].add(rows, row),
            );
        });
    }
}

impl<T: Tally> GroupCells<T> {
    /// The number of a group, which then has cells; any number if there are too many.
    fn number(&mut self, group: Group, buckets: usize) -> u32 {
        self.is_over |= self.cells.len() + buckets > CELLS_MAX && !self.cells.is_empty();
        if self.is_over {
            return 0;
        }
        let number = self.groups.number(group);
        self.cells.resize(self.groups.gathered.len() * buckets, T::default());
        number
    }
}
