use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::super::source::Source;
use super::{BUCKETS, Entry, Layout};
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::view::Scan;

/// Chooses rows to gather.
pub(crate) trait Select: Send + Sync + 'static {
    /// Calls `take` with each row that counts and is chosen, and its tag.
    fn select(&self, rows: &Rows<'_>, take: impl FnMut(usize, u32));
}

/// Gathers rows of the actors from one ordinal on.
pub(super) struct Gather<E, S> {
    layout: Layout,
    select: S,
    rows_max: usize,
    /// Capacity of each bucket of a thread at first, in rows. Memory that is not written to costs nothing.
    bucket_rows: usize,
    /// The end of the pass, exclusive: later ordinals are left to the next pass.
    end: AtomicU64,
    taken: Mutex<Taken>,
    entry: std::marker::PhantomData<fn() -> E>,
}

/// The rows that all threads have taken since the pass was last shortened.
#[derive(Default)]
struct Taken {
    rows: usize,
    /// The greatest ordinal of all rows, also of those that are left to later passes; likewise the greatest tag.
    greatest_actor: u32,
    greatest_tag: u32,
}

/// What one thread has gathered.
pub(super) struct Gathered<E> {
    pub(super) buckets: Vec<Vec<E>>,
    /// Parts that came from one chunk, and so are in order of time.
    pub(super) runs: Vec<Run>,
    /// The end of the pass as this thread knows it.
    end: u64,
    /// How many of its rows are among those that all threads have taken.
    rows: usize,
}

/// A part of each bucket.
pub(super) struct Run {
    /// The time of the first row, in microseconds since 1970.
    pub(super) time: i64,
    /// Where it ends in each bucket.
    pub(super) ends: Box<[u32; BUCKETS]>,
}

/// A bucket has room for one part in this number more than the mean, because buckets are not equal.
const BUCKET_SLACK: usize = 8;
/// A chunk with fewer rows is no run of its own.
const RUN_ROWS_MIN: usize = 4_096;

/// What is known after a pass.
pub(super) struct Pass<S> {
    /// It has the rows of the actors before.
    pub(super) end: u64,
    /// No actor with rows comes after.
    pub(super) actors_end: u64,
    /// The ordinal at which the next pass begins, if there are rows of later actors.
    pub(super) next: Option<u32>,
    /// Whether entries have room for all tags.
    pub(super) fits: bool,
    pub(super) select: S,
}

impl<E: Entry, S: Select> Gather<E, S> {
    /// `rows` is about how many there are.
    pub(super) fn new(layout: Layout, select: S, rows: usize, bytes_max: usize) -> Self {
        let rows_max = bytes_max / size_of::<E>();
        let bucket_rows = rows.min(rows_max) / BUCKETS;
        Self {
            layout,
            select,
            rows_max,
            bucket_rows: bucket_rows + bucket_rows / BUCKET_SLACK,
            end: AtomicU64::new(layout.actors_end()),
            taken: Mutex::default(),
            entry: std::marker::PhantomData,
        }
    }

    /// Where the pass ends: it has the rows of the actors before.
    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Relaxed)
    }

    /// What is known after all rows were scanned.
    pub(super) fn finish(self) -> Pass<S> {
        let end = self.end();
        let taken = self.taken.into_inner().unwrap_or_else(PoisonError::into_inner);
        let next = u32::try_from(end).ok().filter(|next| *next <= taken.greatest_actor);
        let actors_end = end.min(u64::from(taken.greatest_actor) + 1);
        Pass { end, actors_end, next, fits: taken.greatest_tag < E::TAG_END, select: self.select }
    }

    /// Adds to what all threads have taken, and shortens the pass as long as that is too much.
    fn account(&self, gathered: &mut Gathered<E>, greatest_actor: u32, greatest_tag: u32) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.greatest_actor = taken.greatest_actor.max(greatest_actor);
        taken.greatest_tag = taken.greatest_tag.max(greatest_tag);
        let first = u64::from(self.layout.first_actor());
        loop {
            gathered.shorten(self.layout, self.end());
            let rows: usize = gathered.buckets.iter().map(Vec::len).sum();
            taken.rows += rows - gathered.rows;
            gathered.rows = rows;
            let end = self.end().min(u64::from(taken.greatest_actor) + 1);
            let groups = end.saturating_sub(first).div_ceil(BUCKETS as u64);
            if taken.rows <= self.rows_max || groups <= 1 {
                return;
            }
            // Each thread drops its rows of later actors at its next chunk, and then adds the rows that it keeps.
            taken.rows = 0;
            self.end.store(first + groups / 2 * BUCKETS as u64, Ordering::Relaxed);
        }
    }
}

impl<E: Entry> Gathered<E> {
    /// Drops the rows of actors that are left to the next pass.
    pub(super) fn shorten(&mut self, layout: Layout, end: u64) {
        if self.end == end {
            return;
        }
        for (bucket, entries) in self.buckets.iter_mut().enumerate() {
            entries.retain(|entry| u64::from(layout.actor(bucket, *entry)) < end);
            entries.shrink_to_fit();
        }
        self.end = end;
        self.rows = 0;
        self.runs = vec![Run { time: i64::MIN, ends: self.ends() }];
    }

    fn ends(&self) -> Box<[u32; BUCKETS]> {
        Box::new(std::array::from_fn(|bucket| self.buckets[bucket].len() as u32))
    }

    fn add_run(&mut self, time: i64, rows: usize) {
        let ends = self.ends();
        match self.runs.last_mut() {
            Some(last) if rows < RUN_ROWS_MIN => last.ends = ends,
            _ => self.runs.push(Run { time, ends }),
        }
    }
}

impl<E: Entry, S: Select> Scan for Gather<E, S> {
    type Partial = Gathered<E>;

    fn begin(&self) -> Gathered<E> {
        let buckets = (0..BUCKETS).map(|_| Vec::with_capacity(self.bucket_rows)).collect();
        Gathered { buckets, runs: Vec::new(), end: self.end(), rows: 0 }
    }

    fn scan(&self, gathered: &mut Gathered<E>, rows: &Rows<'_>) {
        if rows.range.is_empty() {
            return;
        }
        gathered.shorten(self.layout, self.end());
        let (first, end) = (self.layout.first_actor(), gathered.end);
        let (mut greatest_actor, mut greatest_tag) = (0, 0);
        self.select.select(rows, |row, tag| {
            let actor = rows.actors[row];
            greatest_actor = greatest_actor.max(actor);
            if actor < first || u64::from(actor) >= end {
                return;
            }
            let (bucket, key) = self.layout.key(actor, rows.times.get(row));
            greatest_tag = greatest_tag.max(tag);
            let first_position = if E::HAS_POSITION { rows.first_positions.get(row) } else { 0 };
            gathered.buckets[bucket].push(E::new(key, first_position, tag));
        });
        gathered.add_run(rows.times.get(rows.range.start), rows.range.len());
        self.account(gathered, greatest_actor, greatest_tag);
    }
}

/// Finds the times between which all rows of a window happened.
pub(super) struct Extent;

impl Extent {
    pub(super) async fn scan(source: &impl Source, window: Range<i64>) -> Result<Range<i64>, ReportsError> {
        let (_, parts) = source.scan(window, &Needs::default(), Self).await?;
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let whole = parts.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end));
        Ok(whole.unwrap_or(0..0))
    }
}

/// The extent of no rows: anything joins it to itself.
const NOTHING: Range<i64> = Range { start: i64::MAX, end: i64::MIN };

impl Scan for Extent {
    type Partial = Range<i64>;

    fn begin(&self) -> Range<i64> {
        NOTHING
    }

    fn scan(&self, extent: &mut Range<i64>, rows: &Rows<'_>) {
        if rows.range.is_empty() {
            return;
        }
        let last = rows.times.get(rows.range.end - 1);
        extent.start = extent.start.min(rows.times.get(rows.range.start));
        extent.end = extent.end.max(last.saturating_add(1));
    }
}
