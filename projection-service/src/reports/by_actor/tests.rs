use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::columns::Rows;
use crate::error::ReportsError;
use crate::reports::testing::{Chunks, Done, at, histories, run, standing};
use crate::view::Scan;

struct EveryRow;

impl Select for EveryRow {
    fn select(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, u32)) {
        rows.each(|row| take(row, row as u32 + 1));
    }
}

/// Counts how often rows are scanned.
struct Counted(Chunks, AtomicUsize);

impl Source for Counted {
    async fn scan<S: Scan>(
        &self,
        window: Range<i64>,
        needs: &Needs,
        scan: S,
    ) -> Result<(S, Vec<S::Partial>), ReportsError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.scan(window, needs, scan).await
    }

    fn fold_parts<T: Send + 'static, A: Send + 'static>(
        &self,
        parts: Vec<T>,
        begin: impl Fn() -> A + Send + Sync + 'static,
        fold: impl Fn(&mut A, T) + Send + Sync + 'static,
    ) -> impl Future<Output = Result<Vec<A>, ReportsError>> + Send {
        self.0.fold_parts(parts, begin, fold)
    }
}

/// Times and positions of each actor, and how many scans it took.
fn gathered(all: &[Done], window: Range<i64>, bytes_max: usize) -> (BTreeMap<u32, Vec<(i64, i64)>>, usize) {
    let source = Counted(Chunks::new(all), AtomicUsize::new(0));
    let needs = Needs { actors: true, order: true, ..Needs::default() };
    let fold = |found: &mut Vec<(u32, Vec<(i64, i64)>)>, actor: &Actor<'_, u128>| {
        assert!(actor.entries.iter().all(|entry| entry.tag() > 0));
        let rows = (0..actor.entries.len()).map(|row| (actor.time(row), actor.entries[row].first_position()));
        found.push((actor.ordinal, rows.collect()));
    };
    let (_, threads) =
        run(by_actor_within(bytes_max, &source, window, &needs, EveryRow, Vec::new, fold)).unwrap();
    let mut actors = BTreeMap::new();
    for (ordinal, rows) in threads.into_iter().flatten() {
        assert!(actors.insert(ordinal, rows).is_none(), "actor {ordinal} is there twice");
    }
    (actors, source.1.into_inner())
}

fn expected(all: &[Done], window: &Range<i64>) -> BTreeMap<u32, Vec<(i64, i64)>> {
    let mut actors: BTreeMap<u32, Vec<(i64, i64)>> = BTreeMap::new();
    for (position, done) in standing(all) {
        if window.contains(&done.time) {
            actors.entry(done.actor).or_default().push((done.time, position));
        }
    }
    actors
}

#[test]
fn rows_that_take_too_much_memory_are_gathered_in_several_passes() {
    let from = at("2026-03-01T00:00:00Z");
    let all: Vec<Done> = (0..8_000_i64)
        .map(|number| Done {
            actor: (number * 7_919 % 5_000) as u32,
            kind: "a",
            time: from + number * 31 % 1_000,
            chunk: number as usize % 4,
            is_gone: false,
        })
        .collect();
    let window = from..from + 900;
    let (plain, scans) = gathered(&all, window.clone(), usize::MAX);
    assert_eq!((plain, scans), (expected(&all, &window), 1));
    let (parts, scans) = gathered(&all, window.clone(), 16 * 1_500);
    assert_eq!(parts, expected(&all, &window));
    assert!((4..40).contains(&scans), "{scans} scans");
}

#[test]
fn an_actor_with_too_many_rows_is_gathered_all_the_same() {
    let all: Vec<Done> =
        (0..500).map(|time| Done { actor: 900, kind: "a", time, chunk: 0, is_gone: false }).collect();
    assert_eq!(gathered(&all, 0..1_000, 16).0, expected(&all, &(0..1_000)));
}

#[test]
fn where_times_need_many_bits_later_actors_take_a_pass_of_their_own() {
    let done = |actor, time| Done { actor, kind: "a", time, chunk: 0, is_gone: false };
    // 56 bits of time leave 16 bits of ordinals.
    let all = vec![done(0, 0), done(1, 1 << 55), done(65_535, 5), done(65_536, 6), done(200_000, 7)];
    let (actors, scans) = gathered(&all, i64::MIN..i64::MAX, usize::MAX);
    assert_eq!(actors, expected(&all, &(i64::MIN..i64::MAX)));
    assert_eq!(scans, 1 + 4, "the extent, and four passes");
    // The window is long, but the rows are not.
    let (actors, scans) = gathered(&all[2..], i64::MIN..i64::MAX, usize::MAX);
    assert_eq!((actors.len(), scans), (3, 2));
    assert_eq!(gathered(&[], i64::MIN..i64::MAX, usize::MAX).0, BTreeMap::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_actor_s_rows_are_in_their_order(
        all in histories(at("2026-03-01T00:00:00Z"), 3),
        bytes_max in prop::sample::select(&[64, 512, usize::MAX][..]),
        is_long: bool,
    ) {
        let window = if is_long { i64::MIN..i64::MAX } else { at("2026-03-01T02:00:00Z")..at("2026-03-02T00:00:00Z") };
        prop_assert_eq!(gathered(&all, window.clone(), bytes_max).0, expected(&all, &window));
    }
}
