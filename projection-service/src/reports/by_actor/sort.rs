use std::ops::Range;
use std::sync::Arc;

use super::gather::{Gathered, Pass};
use super::{Actor, BUCKETS, Entry, Layout};

/// The rows of the actors that share the lowest bits of their ordinals, from all threads.
pub(super) struct Bucket<E> {
    number: usize,
    /// One for each thread.
    parts: Vec<Vec<E>>,
    order: Arc<Vec<Piece>>,
    layout: Layout,
    /// The most actors it may have.
    actors: usize,
}

/// The place of a run in memory.
struct Piece {
    time: i64,
    thread: usize,
    starts: Option<Box<[u32; BUCKETS]>>,
    ends: Box<[u32; BUCKETS]>,
}

/// Combines what the threads gathered in a pass. Runs are sorted by time, so the rows of an actor are in order where chunks
/// do not overlap.
pub(super) fn buckets<E: Entry, S>(
    gathered: Vec<Gathered<E>>,
    layout: Layout,
    pass: &Pass<S>,
) -> Vec<Bucket<E>> {
    let mut parts: Vec<Vec<Vec<E>>> = (0..BUCKETS).map(|_| Vec::with_capacity(gathered.len())).collect();
    let mut order = Vec::new();
    for (thread, mut gathered) in gathered.into_iter().enumerate() {
        gathered.shorten(layout, pass.end);
        let mut starts = None;
        for run in gathered.runs {
            order.push(Piece { time: run.time, thread, starts, ends: run.ends.clone() });
            starts = Some(run.ends);
        }
        parts.iter_mut().zip(gathered.buckets).for_each(|(parts, bucket)| parts.push(bucket));
    }
    order.sort_by_key(|piece| piece.time);
    let actors = pass.actors_end.saturating_sub(u64::from(layout.first_actor()));
    let actors = actors.div_ceil(BUCKETS as u64) as usize;
    let order = Arc::new(order);
    parts
        .into_iter()
        .enumerate()
        .filter(|(_, parts)| parts.iter().any(|part| !part.is_empty()))
        .map(|(number, parts)| Bucket { number, parts, order: Arc::clone(&order), layout, actors })
        .collect()
}

impl Piece {
    fn range(&self, bucket: usize) -> Range<usize> {
        let start = self.starts.as_ref().map_or(0, |starts| starts[bucket] as usize);
        start..self.ends[bucket] as usize
    }
}

/// Memory that is used for one bucket after the other.
pub(super) struct Scratch<E> {
    entries: Vec<E>,
    /// Where the next row of each actor goes.
    places: Vec<usize>,
}

impl<E> Default for Scratch<E> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: Vec::new() }
    }
}

/// The most parts of the extent in which rows are put in their places.
const SLICES_MAX: usize = 512;
/// The insertion sort gives up when rows moved, on average, more than this number of places.
const MOVES_MAX: usize = 8;

impl<E: Entry> Bucket<E> {
    /// Calls `see` with each actor.
    pub(super) fn each_actor(self, scratch: &mut Scratch<E>, mut see: impl FnMut(Actor<'_, E>)) {
        let (number, layout) = (self.number, self.layout);
        let entries = self.grouped(scratch);
        for group in entries.chunk_by_mut(|one, other| layout.above(*one) == layout.above(*other)) {
            sort(group);
            let ordinal = layout.actor(number, group[0]);
            see(Actor { ordinal, entries: group, layout });
        }
    }

    /// All rows, those of each actor side by side and almost in order.
    fn grouped(self, scratch: &mut Scratch<E>) -> &mut [E] {
        let rows: usize = self.parts.iter().map(Vec::len).sum();
        let Scratch { entries, places } = scratch;
        if self.actors > rows {
            entries.clear();
            entries.extend(self.parts.iter().flatten());
            entries.sort_unstable();
            return entries;
        }
        // A counting sort: first where each actor's rows begin, then each row to its place.
        places.clear();
        places.resize(self.actors + 1, 0);
        for entry in self.parts.iter().flatten() {
            places[self.layout.above(*entry) as usize + 1] += 1;
        }
        (0..self.actors).for_each(|actor| places[actor + 1] += places[actor]);
        if let Some(any) = self.parts.iter().flatten().next()
            && entries.len() < rows
        {
            entries.resize(rows, *any);
        }
        self.deal(rows, &mut entries[..rows], places);
        &mut entries[..rows]
    }

    /// Copies each row to its place. Runs that are not merged overlap in time, so this goes slice by slice of time; within one
    /// slice an actor seldom has more than one row.
    fn deal(&self, rows: usize, grouped: &mut [E], places: &mut [usize]) {
        let offset = |entry: &E| self.layout.offset(*entry);
        let piece = |piece: &Piece| &self.parts[piece.thread][piece.range(self.number)];
        let pieces: Vec<&[E]> = self.order.iter().map(piece).filter(|piece| !piece.is_empty()).collect();
        let first = pieces.iter().map(|piece| offset(&piece[0])).min().unwrap_or(0);
        let last = pieces.iter().map(|piece| offset(&piece[piece.len() - 1])).max().unwrap_or(0);
        let slices = (rows / self.actors.max(1)).clamp(1, SLICES_MAX) as u64;
        let width = last.saturating_sub(first) / slices + 1;
        let mut put = |entries: &[E]| {
            for entry in entries {
                let place = &mut places[self.layout.above(*entry) as usize];
                grouped[*place] = *entry;
                *place += 1;
            }
        };
        let mut waiting = pieces.into_iter().peekable();
        let mut open: Vec<&[E]> = Vec::new();
        for slice in 1..=slices {
            let end = first.saturating_add(width.saturating_mul(slice));
            while let Some(piece) = waiting.next_if(|piece| offset(&piece[0]) < end) {
                open.push(piece);
            }
            for piece in &mut open {
                let length = piece.iter().position(|entry| offset(entry) >= end).unwrap_or(piece.len());
                let (now, later) = piece.split_at(length);
                put(now);
                *piece = later;
            }
            open.retain(|piece| !piece.is_empty());
        }
        open.into_iter().chain(waiting).for_each(put);
    }
}

/// Sorts entries that are almost in order.
fn sort<E: Entry>(entries: &mut [E]) {
    let mut moves = entries.len() * MOVES_MAX;
    for row in 1..entries.len() {
        let entry = entries[row];
        let mut place = row;
        while place > 0 && entries[place - 1] > entry {
            entries[place] = entries[place - 1];
            place -= 1;
        }
        entries[place] = entry;
        let Some(left) = moves.checked_sub(row - place) else { return entries.sort_unstable() };
        moves = left;
    }
}
