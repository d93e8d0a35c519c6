use std::ops::Range;
use std::sync::Arc;

use super::gather::Gathered;
use super::{Actor, BUCKETS, Entry, Layout};

/// The rows of the actors that share the lowest bits of their ordinals, from all threads.
pub(super) struct Bucket<E> {
    number: usize,
    /// One for each thread.
    parts: Vec<Vec<E>>,
    order: Arc<Vec<Piece>>,
    layout: Layout,
}

/// Where a run lies.
struct Piece {
    time: i64,
    thread: usize,
    starts: Option<Box<[u32; BUCKETS]>>,
    ends: Box<[u32; BUCKETS]>,
}

/// Puts together what the threads have gathered of the actors before `end`. Runs are put in order of time, so that where
/// chunks do not overlap the rows of each actor are in order too.
pub(super) fn buckets<E: Entry>(gathered: Vec<Gathered<E>>, layout: Layout, end: u64) -> Vec<Bucket<E>> {
    let mut parts: Vec<Vec<Vec<E>>> = (0..BUCKETS).map(|_| Vec::with_capacity(gathered.len())).collect();
    let mut order = Vec::new();
    for (thread, mut gathered) in gathered.into_iter().enumerate() {
        gathered.shorten(layout, end);
        let mut starts = None;
        for run in gathered.runs {
            order.push(Piece { time: run.time, thread, starts, ends: run.ends.clone() });
            starts = Some(run.ends);
        }
        parts.iter_mut().zip(gathered.buckets).for_each(|(parts, bucket)| parts.push(bucket));
    }
    order.sort_by_key(|piece| piece.time);
    let order = Arc::new(order);
    parts
        .into_iter()
        .enumerate()
        .filter(|(_, parts)| parts.iter().any(|part| !part.is_empty()))
        .map(|(number, parts)| Bucket { number, parts, order: Arc::clone(&order), layout })
        .collect()
}

impl Piece {
    fn range(&self, bucket: usize) -> Range<usize> {
        let start = self.starts.as_ref().map_or(0, |starts| starts[bucket] as usize);
        start..self.ends[bucket] as usize
    }
}

impl<E: Entry> Bucket<E> {
    /// Calls `see` with each actor.
    pub(super) fn each_actor(self, mut see: impl FnMut(Actor<'_, E>)) {
        let mut entries = self.grouped();
        for group in entries.chunk_by_mut(|one, other| self.layout.above(*one) == self.layout.above(*other)) {
            if !group.is_sorted() {
                group.sort_unstable();
            }
            let ordinal = self.layout.actor(self.number, group[0]);
            see(Actor { ordinal, entries: group, layout: self.layout });
        }
    }

    /// All rows, those of each actor side by side.
    fn grouped(&self) -> Vec<E> {
        let rows: usize = self.parts.iter().map(Vec::len).sum();
        let actors = 1 + self.entries().map(|entry| self.layout.above(entry) as usize).max().unwrap_or(0);
        if actors > rows {
            let mut entries: Vec<E> = self.entries().collect();
            entries.sort_unstable();
            return entries;
        }
        // A counting sort: first where each actor's rows begin, then each row to its place.
        let mut places = vec![0_usize; actors + 1];
        self.entries().for_each(|entry| places[self.layout.above(entry) as usize + 1] += 1);
        (0..actors).for_each(|actor| places[actor + 1] += places[actor]);
        let Some(any) = self.entries().next() else { return Vec::new() };
        let mut grouped = vec![any; rows];
        for piece in self.order.iter() {
            for entry in &self.parts[piece.thread][piece.range(self.number)] {
                let place = &mut places[self.layout.above(*entry) as usize];
                grouped[*place] = *entry;
                *place += 1;
            }
        }
        grouped
    }

    fn entries(&self) -> impl Iterator<Item = E> {
        self.parts.iter().flatten().copied()
    }
}
