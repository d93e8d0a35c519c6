//! Rows gathered by actor, each actor's in their order: what a report needs that follows actors from one activity to the next.
//!
//! A row becomes one number whose highest bits are the actor's, then come the bits of the time, of the position that first
//! recorded it, and of a tag. Where these do not suffice for all actors, or the rows would take too much memory, the rows
//! are gathered in several passes, each for the next ordinals.

mod gather;
mod layout;
mod sort;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

pub(crate) use self::gather::Select;
use self::gather::{Extent, Gather};
pub(crate) use self::layout::{Entry, Layout, TAG_END};
use super::source::Source;
use crate::columns::Needs;
use crate::error::ReportsError;

/// Rows are dealt out by so many of the lowest bits of their actor's ordinal, so that each part of them fits a cache.
const BUCKET_BITS: u32 = 8;
const BUCKETS: usize = 1 << BUCKET_BITS;
/// The most memory for the rows of one pass, in bytes, unless one actor has more.
const PASS_BYTES_MAX: usize = 192 << 20;
/// Windows up to this long, in microseconds, are not looked at beforehand; it leaves bits for 268 million actors.
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

/// Gathers the rows of a window that `select` chooses, and folds them actor by actor. Returns `select` again and what each
/// thread has folded.
///
/// # Errors
/// As [`Source::scan`].
pub(crate) async fn by_actor<E, S, A>(
    source: &impl Source,
    window: Range<i64>,
    needs: &Needs,
    select: S,
    begin: impl Fn() -> A + Clone + Send + Sync + 'static,
    fold: impl Fn(&mut A, &Actor<'_, E>) + Send + Sync + 'static,
) -> Result<(S, Vec<A>), ReportsError>
where
    E: Entry,
    S: Select,
    A: Send + 'static,
{
    by_actor_within(PASS_BYTES_MAX, source, window, needs, select, begin, fold).await
}

async fn by_actor_within<E, S, A>(
    pass_bytes_max: usize,
    source: &impl Source,
    window: Range<i64>,
    needs: &Needs,
    mut select: S,
    begin: impl Fn() -> A + Clone + Send + Sync + 'static,
    fold: impl Fn(&mut A, &Actor<'_, E>) + Send + Sync + 'static,
) -> Result<(S, Vec<A>), ReportsError>
where
    E: Entry,
    S: Select,
    A: Send + 'static,
{
    let fold = Arc::new(fold);
    let extent = if window.end.abs_diff(window.start) > PLAIN_WINDOW_MAX {
        Extent::scan(source, window.clone()).await?
    } else {
        window.clone()
    };
    let mut accumulators = Vec::new();
    let mut next = Some(0);
    while let Some(first_actor) = next {
        let layout = Layout::new(&extent, first_actor);
        let gather = Gather::<E, S>::new(layout, select, pass_bytes_max);
        let (gather, partials) = source.scan(window.clone(), needs, gather).await?;
        let buckets = sort::buckets(partials, layout, gather.end());
        let fold = Arc::clone(&fold);
        accumulators.extend(
            source
                .fold_parts(buckets, begin.clone(), move |accumulator, bucket: sort::Bucket<E>| {
                    bucket.each_actor(|actor| fold(accumulator, &actor));
                })
                .await?,
        );
        (next, select) = gather.into_next();
    }
    Ok((select, accumulators))
}
