//! Rows gathered by actor, each actor's in their order: what a report needs that follows actors from one activity to the next.
//!
//! A row becomes one number whose highest bits are the actor's, then come the bits of the time, of the position that first
//! recorded it if that is needed, and of a tag. Where these do not suffice for all actors, or the rows would take too much
//! memory, the rows are gathered in several passes, each for the next ordinals.

mod gather;
mod layout;
mod sort;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use self::gather::Select;
use self::gather::{Extent, Gather};
pub(crate) use self::layout::{Entry, Layout, Packed, TAG_END};
use super::filter::Ordinals;
use super::source::Source;
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;

/// Rows are divided into buckets by this number of the lowest bits of their actor's ordinal, so that a bucket fits a cache.
const BUCKET_BITS: u32 = 8;
const BUCKETS: usize = 1 << BUCKET_BITS;
/// The most memory for the rows of one pass, in bytes, unless one actor has more.
const PASS_BYTES_MAX: usize = 192 << 20;
/// For windows up to this long, in microseconds, the times of the rows are not read beforehand. It leaves bits for 268 million
/// actors without a tag, and for half a million with a tag of 9 bits.
const PLAIN_WINDOW_MAX: u64 = 1 << 44;

/// The gathered rows of one actor, in its order.
pub(crate) struct Actor<'a, E> {
    pub(crate) ordinal: u32,
    pub(crate) entries: &'a [E],
    pub(crate) layout: Layout,
}

impl<E: Entry> Actor<'_, E> {
    /// When a row happened, in microseconds since 1970.
    pub(crate) fn time(&self, row: usize) -> i64 {
        self.layout.time(self.entries[row])
    }
}

/// A computation over the rows of each actor.
pub(crate) trait Fold: Send + Sync + 'static {
    /// The result of one thread.
    type Accumulator: Send + 'static;
    /// A row without its position, with room for a tag.
    type Packed: Entry;
    /// Whether positions are needed, and not only the order.
    const NEEDS_POSITIONS: bool;

    fn begin(&self) -> Self::Accumulator;

    /// Adds the rows of one actor, in their order.
    fn actor<E: Entry>(&self, accumulator: &mut Self::Accumulator, actor: &Actor<'_, E>);
}

/// Gathers the rows of a window that `select` chooses, and folds them actor by actor. Returns `select` again and the result
/// of each thread. Where only the order matters, positions are read only for actors with several activities at one time.
///
/// # Errors
/// As [`Source::scan`].
pub(crate) async fn by_actor<S: Select, F: Fold>(
    source: &impl Source,
    window: Range<i64>,
    needs: &Needs,
    select: S,
    fold: F,
) -> Result<(S, Vec<F::Accumulator>), ReportsError> {
    let fold = Arc::new(fold);
    let gathering = Gathering { source, window, needs, bytes_max: PASS_BYTES_MAX };
    let (mut select, mut accumulators) = (select, Vec::new());
    let mut only = None;
    if !F::NEEDS_POSITIONS {
        let begin = {
            let fold = Arc::clone(&fold);
            move || (fold.begin(), Vec::new())
        };
        let own = Arc::clone(&fold);
        let folded = gathering
            .fold::<F::Packed, _, _>(select, begin, move |(accumulator, tied), actor| {
                if is_tied(actor) { tied.push(actor.ordinal) } else { own.actor(accumulator, actor) }
            })
            .await?;
        select = folded.select;
        if let Some(threads) = folded.threads {
            let mut tied = Vec::new();
            for (accumulator, more) in threads {
                accumulators.push(accumulator);
                tied.extend(more);
            }
            if tied.is_empty() {
                return Ok((select, accumulators));
            }
            only = Some(Ordinals::new(&tied, false));
        }
    }
    let begin = {
        let fold = Arc::clone(&fold);
        move || fold.begin()
    };
    let folded = gathering
        .fold::<u128, _, _>(Only { select, actors: only }, begin, move |accumulator, actor| {
            fold.actor(accumulator, actor);
        })
        .await?;
    let too_long = || ReportsError::Internal("times do not fit into 64 bits".to_owned());
    accumulators.extend(folded.threads.ok_or_else(too_long)?);
    Ok((folded.select.select, accumulators))
}

/// Whether rows of an actor happened at the same time and are not alike.
fn is_tied<E: Entry>(actor: &Actor<'_, E>) -> bool {
    let mut pairs = actor.entries.windows(2);
    pairs.any(|pair| pair[0].key() == pair[1].key() && pair[0].tag() != pair[1].tag())
}

/// Chooses the rows of some actors, or of all.
struct Only<S> {
    select: S,
    actors: Option<Ordinals>,
}

impl<S: Select> Select for Only<S> {
    fn select(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, u32)) {
        match &self.actors {
            None => self.select.select(rows, take),
            Some(actors) => self.select.select(rows, |row, tag| {
                if actors.has(rows.actors[row]) {
                    take(row, tag);
                }
            }),
        }
    }
}

/// Where rows are gathered from.
struct Gathering<'a, Q> {
    source: &'a Q,
    window: Range<i64>,
    needs: &'a Needs,
    /// For the rows of one pass.
    bytes_max: usize,
}

/// What was folded.
struct Folded<S, A> {
    select: S,
    /// What each thread has folded; none if entries have no room for all times or all tags.
    threads: Option<Vec<A>>,
}

impl<Q: Source> Gathering<'_, Q> {
    /// Gathers rows as entries of one size, in as many passes as it takes.
    async fn fold<E: Entry, S: Select, A: Send + 'static>(
        &self,
        mut select: S,
        begin: impl Fn() -> A + Clone + Send + Sync + 'static,
        fold: impl Fn(&mut A, &Actor<'_, E>) + Send + Sync + 'static,
    ) -> Result<Folded<S, A>, ReportsError> {
        let needs = Needs { order: E::HAS_POSITION, ..self.needs.clone() };
        let (extent, rows) = (self.extent().await?, self.source.rows_about(&self.window));
        let fold = Arc::new(fold);
        let mut threads = Vec::new();
        let mut next = Some(0);
        while let Some(first_actor) = next {
            let Some(layout) = Layout::new::<E>(&extent, first_actor) else {
                return Ok(Folded { select, threads: None });
            };
            let gather = Gather::<E, S>::new(layout, select, rows, self.bytes_max);
            let (gather, gathered) = self.source.scan(self.window.clone(), &needs, gather).await?;
            let pass = gather.finish();
            if !pass.fits {
                return Ok(Folded { select: pass.select, threads: None });
            }
            let buckets = sort::buckets(gathered, layout, &pass);
            let (begin, fold) = (begin.clone(), Arc::clone(&fold));
            let begin = move || (begin(), sort::Scratch::default());
            let fold = move |(accumulator, scratch): &mut (A, _), bucket: sort::Bucket<E>| {
                bucket.each_actor(scratch, |actor| fold(accumulator, &actor));
            };
            let folded = self.source.fold_parts(buckets, begin, fold).await?;
            threads.extend(folded.into_iter().map(|(accumulator, _)| accumulator));
            (next, select) = (pass.next, pass.select);
        }
        Ok(Folded { select, threads: Some(threads) })
    }

    /// The times between which the rows of the window happened, or which it has.
    async fn extent(&self) -> Result<Range<i64>, ReportsError> {
        if self.window.end.abs_diff(self.window.start) <= PLAIN_WINDOW_MAX {
            return Ok(self.window.clone());
        }
        Extent::scan(self.source, self.window.clone()).await
    }
}
