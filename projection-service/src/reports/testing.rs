//! Activities in memory, in chunks, for tests of reports.

use std::ops::Range;

use chrono::{DateTime, Utc, Weekday};
use proptest::prelude::*;

use super::in_memory::Chunk;
use super::matching::Matching;
use super::query::TimeRange;
use super::source::Source;
use super::steps::filter_of_text;
use crate::columns::{Mask, Needs, RowSet};
use crate::error::ReportsError;
use crate::view::{Scan, Stop, fold_parts};

/// An activity; its position is its number in the history, from 1.
#[derive(Clone, Debug)]
pub(super) struct TestActivity {
    pub(super) actor: u32,
    pub(super) kind: &'static str,
    /// Microseconds since 1970.
    pub(super) time: i64,
    /// The number of its chunk.
    pub(super) chunk: usize,
    /// Whether a later event corrected or redacted it.
    pub(super) is_gone: bool,
}

/// Rows as a view has them, each chunk scanned by one of two threads.
pub(super) struct Chunks(Vec<(RowSet, Vec<i64>)>);

const THREADS: usize = 2;

impl Chunks {
    pub(super) fn new(all: &[TestActivity]) -> Self {
        let count = all.iter().map(|done| done.chunk + 1).max().unwrap_or(0);
        let mut chunks = vec![(RowSet::default(), Vec::new()); count];
        for (done, position) in all.iter().zip(1..) {
            let (set, gone) = &mut chunks[done.chunk];
            set.push(position, position, done.time, done.actor, done.kind, None, |_| {});
            if done.is_gone {
                gone.push(position);
            }
        }
        Self(chunks)
    }

    fn scan_chunk<S: Scan>(
        (set, gone): &(RowSet, Vec<i64>),
        window: &Range<i64>,
        needs: &Needs,
        scan: &S,
        partial: &mut S::Partial,
    ) {
        let chunk = Chunk::new(set.clone(), needs);
        let mut set = set.clone();
        set.sort_by_time();
        let mask =
            (!gone.is_empty()).then(|| Mask::of(set.len(), |row| !gone.contains(&set.rows()[row].position)));
        scan.scan(partial, &chunk.rows(window, needs, mask.as_ref()));
    }
}

impl Source for Chunks {
    async fn scan<S: Scan>(
        &self,
        window: Range<i64>,
        needs: &Needs,
        scan: S,
    ) -> Result<(S, Vec<S::Partial>), ReportsError> {
        let mut partials: Vec<S::Partial> = (0..THREADS).map(|_| scan.begin()).collect();
        for (index, chunk) in self.0.iter().enumerate() {
            Self::scan_chunk(chunk, &window, needs, &scan, &mut partials[index % THREADS]);
        }
        Ok((scan, partials))
    }

    fn rows_about(&self, _: &Range<i64>) -> usize {
        self.0.iter().map(|(set, _)| set.len()).sum()
    }

    async fn fold_parts<T: Send + 'static, A: Send + 'static>(
        &self,
        parts: Vec<T>,
        begin: impl Fn() -> A + Send + Sync + 'static,
        fold: impl Fn(&mut A, T) + Send + Sync + 'static,
    ) -> Result<Vec<A>, ReportsError> {
        let stops = (0..THREADS).map(|_| Box::new(|| false) as Stop).collect();
        Ok(fold_parts(stops, parts, begin, fold).await?.unwrap())
    }
}

/// Microseconds since 1970.
pub(super) fn at(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>().unwrap().timestamp_micros()
}

pub(super) fn instant(time: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time).unwrap()
}

pub(super) fn range(zone: &str, from: &str, to: &str) -> TimeRange {
    TimeRange {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        zone: zone.parse().unwrap(),
        week_start: Weekday::Mon,
    }
}

/// A type, or a JSON array of filters.
pub(super) fn matching(text: Option<&str>) -> Matching {
    Matching::new(&filter_of_text("step", text).unwrap())
}

/// Activities as `actor kind time`, each in the chunk of its place modulo 3, and recorded in this order.
pub(super) fn history(lines: &[&str]) -> Vec<TestActivity> {
    let kinds = ["a", "b", "c", "d", "x"];
    let line = |(index, line): (usize, &&str)| {
        let words: Vec<&str> = line.split(' ').collect();
        let [actor, kind, time] = words[..] else { panic!("{line}") };
        TestActivity {
            actor: actor.parse().unwrap(),
            kind: kinds.into_iter().find(|known| *known == kind).unwrap(),
            time: at(time),
            chunk: index % 3,
            is_gone: false,
        }
    };
    lines.iter().enumerate().map(line).collect()
}

/// Runs a future on a runtime with several threads.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Random activities of some actors within some days from a time on, many of them at the same time or a little apart, in some
/// chunks, and some that no longer stand.
pub(super) fn histories(from: i64, days: i64) -> impl Strategy<Value = Vec<TestActivity>> {
    const MINUTE: i64 = 60_000_000;
    let actor = prop_oneof![8 => 0..4_u32, 1 => Just(256), 1 => Just(70_001)];
    let near = (0..4_i64, 0..90_i64).prop_map(|(hour, minute)| (hour * 7 * 60 + minute) * MINUTE);
    let any = (0..days * 24 * 60).prop_map(|minute| minute * MINUTE + 1);
    let time = prop_oneof![3 => near, 2 => any].prop_map(move |time| from + time);
    let kind = prop::sample::select(&["a", "b", "c", "x"][..]);
    let one = (actor, kind, time, 0..5_usize, prop::bool::weighted(0.1))
        .prop_map(|(actor, kind, time, chunk, is_gone)| TestActivity { actor, kind, time, chunk, is_gone });
    prop::collection::vec(one, 0..80)
}

/// The activities that are current, with their positions, in order.
pub(super) fn standing(all: &[TestActivity]) -> Vec<(i64, TestActivity)> {
    let mut standing: Vec<(i64, TestActivity)> =
        (1..).zip(all.iter().cloned()).filter(|(_, done)| !done.is_gone).collect();
    standing.sort_by_key(|(position, done)| (done.time, *position));
    standing
}
