use std::marker::PhantomData;
use std::ops::Range;

use chrono::{DateTime, Utc};

use super::tally::Tally;
use crate::columns::Rows;
use crate::reports::groups::{ByGroup, Grouping, Places};
use crate::view::Scan;

/// The measure of every group over the whole range.
pub(super) struct Sizes<T> {
    grouping: Grouping,
    tally: PhantomData<fn() -> T>,
}

impl<T> Sizes<T> {
    pub(super) fn new(grouping: Grouping) -> Self {
        Self { grouping, tally: PhantomData }
    }
}

impl<T: Tally> Scan for Sizes<T> {
    type Partial = ByGroup<T>;

    fn begin(&self) -> Self::Partial {
        ByGroup::default()
    }

    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>) {
        self.grouping.numbers(rows).each_of(
            (rows, rows.range.clone()),
            partial,
            ByGroup::number,
            |partial, row, number| partial.gathered[number as usize].add(rows, row),
        );
    }
}

/// The measure of every bucket and every line: one cell for each, bucket by bucket.
pub(super) struct Cells<T> {
    grouping: Grouping,
    places: Places,
    /// When each bucket begins, in microseconds since 1970.
    starts: Vec<i64>,
    tally: PhantomData<fn() -> T>,
}

impl<T: Tally> Cells<T> {
    pub(super) fn new(grouping: Grouping, places: Places, starts: &[DateTime<Utc>]) -> Self {
        let starts = starts.iter().map(DateTime::timestamp_micros).collect();
        Self { grouping, places, starts, tally: PhantomData }
    }

    fn width(&self) -> usize {
        self.places.other as usize + 1
    }

    /// What all threads have gathered.
    pub(super) fn merge(&self, partials: Vec<Vec<T>>) -> Vec<T> {
        let mut partials = partials.into_iter();
        let mut all = partials.next().unwrap_or_else(|| self.begin());
        for partial in partials {
            all.iter_mut().zip(partial).for_each(|(cell, other)| cell.merge(other));
        }
        all
    }
}

impl<T: Tally> Scan for Cells<T> {
    type Partial = Vec<T>;

    fn begin(&self) -> Self::Partial {
        vec![T::default(); self.starts.len() * self.width()]
    }

    fn scan(&self, cells: &mut Self::Partial, rows: &Rows<'_>) {
        let width = self.width();
        if width == 1 {
            each_bucket(rows, &self.starts, |bucket, part| {
                let cell = &mut cells[bucket];
                if !cell.add_count(0) {
                    rows.each_of(part, |row| cell.add(rows, row));
                    return;
                }
                cell.add_count(rows.count_of(part));
            });
            return;
        }
        let mut numbers = self.grouping.numbers(rows);
        each_bucket(rows, &self.starts, |bucket, part| {
            numbers.each_of(
                (rows, part),
                &mut cells[bucket * width..(bucket + 1) * width],
                |_, group| self.places.of(&group),
                |line, row, number| line[number as usize].add(rows, row),
            );
        });
    }
}

/// Calls `see` for every bucket that has rows of the range, with these.
pub(in crate::reports) fn each_bucket(
    rows: &Rows<'_>,
    starts: &[i64],
    mut see: impl FnMut(usize, Range<usize>),
) {
    let Range { start: mut row, end } = rows.range;
    while row < end {
        let bucket = starts.partition_point(|start| *start <= rows.times.get(row)).saturating_sub(1);
        let stop = match starts.get(bucket + 1) {
            None => end,
            Some(next) => rows.times.lower_bound(row..end, *next),
        };
        see(bucket, row..stop);
        row = stop;
    }
}
