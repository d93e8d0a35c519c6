use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::columns::{Field, Rows, Scalar};
use crate::error::ReportsError;
use crate::reports::testing::{Chunks, TestActivity, at, histories, run, standing};
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

    fn rows_about(&self, window: &Range<i64>) -> usize {
        self.0.rows_about(window)
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
fn gathered(
    all: &[TestActivity],
    window: Range<i64>,
    bytes_max: usize,
) -> (BTreeMap<u32, Vec<(i64, i64)>>, usize) {
    let source = Counted(Chunks::new(all), AtomicUsize::new(0));
    let needs = Needs { actors: true, ..Needs::default() };
    let fold = |found: &mut Vec<(u32, Vec<(i64, i64)>)>, actor: &Actor<'_, u128>| {
        assert!(actor.entries.iter().all(|entry| entry.tag() > 0));
        let rows = (0..actor.entries.len()).map(|row| (actor.time(row), actor.entries[row].first_position()));
        found.push((actor.ordinal, rows.collect()));
    };
    let gathering = Gathering { source: &source, window, needs: &needs, bytes_max };
    let folded = run(gathering.fold(EveryRow, Vec::new, fold)).unwrap();
    let mut actors = BTreeMap::new();
    for (ordinal, rows) in folded.threads.unwrap().into_iter().flatten() {
        assert!(actors.insert(ordinal, rows).is_none(), "actor {ordinal} is there twice");
    }
    (actors, source.1.into_inner())
}

/// Tags each row with its type.
struct Kind;

impl Select for Kind {
    fn select(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, u32)) {
        let kind = |row: usize| match rows.fields[0].value(row) {
            Scalar::Text(kind) => u32::from(kind.as_bytes()[0] - b'a'),
            other => panic!("{other:?}"),
        };
        rows.each(|row| take(row, kind(row)));
    }
}

/// Lists the times and the tags of each actor.
struct Listed<const TAG_BITS: u32>;

impl<const TAG_BITS: u32> Fold for Listed<TAG_BITS> {
    type Accumulator = Vec<(u32, Vec<(i64, u32)>)>;
    type Packed = Packed<TAG_BITS>;
    const NEEDS_POSITIONS: bool = false;

    fn begin(&self) -> Self::Accumulator {
        Vec::new()
    }

    fn actor<E: Entry>(&self, found: &mut Self::Accumulator, actor: &Actor<'_, E>) {
        let rows = (0..actor.entries.len()).map(|row| (actor.time(row), actor.entries[row].tag()));
        found.push((actor.ordinal, rows.collect()));
    }
}

/// What `fold` lists, with how many scans.
fn listed<const TAG_BITS: u32>(
    all: &[TestActivity],
    window: Range<i64>,
) -> (BTreeMap<u32, Vec<(i64, u32)>>, usize) {
    let source = Counted(Chunks::new(all), AtomicUsize::new(0));
    let needs = Needs { actors: true, fields: vec![Field::Type], ..Needs::default() };
    let (_, threads) = run(by_actor(&source, window, &needs, Kind, Listed::<TAG_BITS>)).unwrap();
    let mut actors = BTreeMap::new();
    for (ordinal, rows) in threads.into_iter().flatten() {
        assert!(actors.insert(ordinal, rows).is_none(), "actor {ordinal} is there twice");
    }
    (actors, source.1.into_inner())
}

fn expected(all: &[TestActivity], window: &Range<i64>) -> BTreeMap<u32, Vec<(i64, i64)>> {
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
    let all: Vec<TestActivity> = (0..8_000_i64)
        .map(|number| TestActivity {
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
    let all: Vec<TestActivity> =
        (0..500).map(|time| TestActivity { actor: 900, kind: "a", time, chunk: 0, is_gone: false }).collect();
    assert_eq!(gathered(&all, 0..1_000, 16).0, expected(&all, &(0..1_000)));
}

#[test]
fn where_times_need_many_bits_later_actors_take_a_pass_of_their_own() {
    let done = |actor, time| TestActivity { actor, kind: "a", time, chunk: 0, is_gone: false };
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

#[test]
fn positions_are_read_only_of_those_who_did_several_things_at_a_time() {
    let done = |actor, kind, time| TestActivity { actor, kind, time, chunk: 0, is_gone: false };
    let all = [done(1, "b", 5), done(2, "b", 7), done(1, "a", 6), done(2, "a", 7)];
    let (actors, scans) = listed::<5>(&all, 0..100);
    assert_eq!(actors, BTreeMap::from([(1, vec![(5, 1), (6, 0)]), (2, vec![(7, 1), (7, 0)])]));
    assert_eq!(scans, 2);
    // The same thing several times is the same in any order.
    let alike = [done(1, "b", 5), done(1, "b", 5)];
    assert_eq!(listed::<5>(&alike, 0..100), (BTreeMap::from([(1, vec![(5, 1), (5, 1)])]), 1));
}

#[test]
fn tags_or_times_that_do_not_fit_take_more_room() {
    let done = |kind, time| TestActivity { actor: 300, kind, time, chunk: 0, is_gone: false };
    let wide = listed::<1>(&[done("a", 5), done("c", 6)], 0..100);
    assert_eq!(wide, (BTreeMap::from([(300, vec![(5, 0), (6, 2)])]), 2));
    let long = listed::<5>(&[done("a", 0), done("b", 1 << 60)], i64::MIN..i64::MAX);
    assert_eq!(long.0, BTreeMap::from([(300, vec![(0, 0), (1 << 60, 1)])]));
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
        let mut kinds: BTreeMap<u32, Vec<(i64, u32)>> = BTreeMap::new();
        for (_, done) in standing(&all).iter().filter(|(_, done)| window.contains(&done.time)) {
            kinds.entry(done.actor).or_default().push((done.time, u32::from(done.kind.as_bytes()[0] - b'a')));
        }
        prop_assert_eq!(listed::<5>(&all, window).0, kinds);
    }
}
