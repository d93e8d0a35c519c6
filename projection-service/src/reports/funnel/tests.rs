use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::reports::testing::{Chunks, TestActivity, at, histories, history, matching, run, standing};

const MINUTE: i64 = 60_000_000;

/// Of the first of March; a step with a question mark is optional.
fn question(steps: &[&str], within_minutes: i64, exclude: &[&str]) -> FunnelQuestion {
    let range = at("2026-03-01T00:00:00Z")..at("2026-03-02T00:00:00Z");
    let names: Vec<&str> = steps.iter().map(|step| step.trim_end_matches('?')).collect();
    FunnelQuestion {
        types: names.iter().map(|name| Some((*name).to_owned())).collect(),
        steps: Steps::new(
            range,
            within_minutes * MINUTE,
            steps.iter().map(|step| step.ends_with('?')).collect(),
        ),
        matching: names.iter().map(|name| matching(Some(name))).collect(),
        exclude: exclude.iter().map(|name| matching(Some(name))).collect(),
    }
}

const WEEK: i64 = 7 * 24 * 60;

/// Activities of actor 1 on the first of March, as `kind hh:mm`.
fn of_one(lines: &[&str]) -> Vec<TestActivity> {
    let line = |line: &&str| {
        let (kind, time) = line.split_once(' ').unwrap();
        format!(
            "1 {kind} 2026-03-{}:00Z",
            if time.contains('T') { time.to_owned() } else { format!("01T{time}") }
        )
    };
    let lines: Vec<String> = lines.iter().map(line).collect();
    history(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The actors of each step.
fn actors(all: &[TestActivity], question: FunnelQuestion) -> Vec<u64> {
    run(compute(&Chunks::new(all), question)).unwrap().steps.into_iter().map(|step| step.actors).collect()
}

#[test]
fn each_step_is_the_earliest_later_activity_that_matches() {
    let all = history(&[
        "1 a 2026-03-01T10:00:00Z",
        "1 c 2026-03-01T10:01:00Z",
        "1 b 2026-03-01T10:02:00Z",
        "1 b 2026-03-01T10:03:00Z",
        "1 c 2026-03-01T10:10:00Z",
        "2 b 2026-03-01T09:00:00Z",
        "2 a 2026-03-01T10:00:00Z",
        "2 b 2026-03-01T10:00:30Z",
        "3 a 2026-02-28T23:00:00Z",
        "3 b 2026-03-01T10:00:00Z",
    ]);
    let body = run(compute(&Chunks::new(&all), question(&["a", "b", "c"], WEEK, &[]))).unwrap();
    let step = |name: &str, actors, conversion: (f64, f64), seconds: Option<(f64, f64)>| StepNumbers {
        activity_type: Some(name.to_owned()),
        actors,
        conversion: Some(conversion.0),
        conversion_from_previous: Some(conversion.1),
        median_s: seconds.map(|(median, _)| median),
        p90_s: seconds.map(|(_, p90)| p90),
    };
    assert_eq!(
        body.steps,
        [
            step("a", 2, (1.0, 1.0), None),
            step("b", 2, (1.0, 1.0), Some((30.0, 120.0))),
            step("c", 1, (0.5, 0.5), Some((480.0, 480.0))),
        ]
    );
    let nobody = run(compute(&Chunks::new(&[]), question(&["a", "b"], WEEK, &[]))).unwrap();
    assert_eq!((nobody.steps[1].conversion, nobody.steps[1].conversion_from_previous), (None, None));
}

#[test]
fn of_activities_at_one_time_the_one_recorded_first_is_before() {
    let all = of_one(&["b 10:00", "a 10:00", "c 10:00"]);
    assert_eq!(actors(&all, question(&["a", "b"], WEEK, &[])), [1, 0]);
    assert_eq!(actors(&all, question(&["b", "a", "c"], WEEK, &[])), [1, 1, 1]);
    // One activity is one step, however many it matches.
    assert_eq!(actors(&of_one(&["a 10:00"]), question(&["a", "a"], WEEK, &[])), [1, 0]);
    assert_eq!(actors(&of_one(&["a 10:00", "a 10:00"]), question(&["a", "a"], WEEK, &[])), [1, 1]);
}

#[test]
fn the_attempt_that_reaches_furthest_counts_and_of_equals_the_earliest() {
    let all = of_one(&["a 10:00", "b 10:01", "a 23:00", "b 02T01:00", "c 02T02:00"]);
    let medians = |within| {
        let steps = run(compute(&Chunks::new(&all), question(&["a", "b", "c"], within, &[]))).unwrap().steps;
        (steps[1].median_s, steps[2].median_s)
    };
    // Both reach the end within a week, though that lies after the range.
    assert_eq!(medians(WEEK), (Some(60.0), Some(57_540.0)));
    // To the minute: `within` is after the beginning.
    assert_eq!(medians(180), (Some(7_200.0), Some(3_600.0)));
    assert_eq!(medians(179), (Some(60.0), None));
}

#[test]
fn an_excluded_activity_between_two_steps_ends_the_attempt() {
    let reached = |lines: &[&str]| actors(&of_one(lines), question(&["a", "b", "c"], WEEK, &["x"]));
    assert_eq!(reached(&["x 09:00", "a 10:00", "b 11:00", "c 12:00", "x 13:00"]), [1, 1, 1]);
    assert_eq!(reached(&["a 10:00", "x 10:30", "b 11:00", "c 12:00"]), [1, 0, 0]);
    assert_eq!(reached(&["a 10:00", "b 11:00", "x 11:00", "c 12:00"]), [1, 1, 0]);
    assert_eq!(reached(&["a 10:00", "x 10:30", "a 10:40", "b 11:00", "c 12:00"]), [1, 1, 1]);
    // What is a step itself is not between two.
    let both = actors(&of_one(&["a 10:00", "b 11:00", "c 12:00"]), question(&["a", "b", "c"], WEEK, &["b"]));
    assert_eq!(both, [1, 1, 1]);
}

#[test]
fn an_attempt_goes_on_without_an_optional_step() {
    let steps = ["a", "b?", "c"];
    assert_eq!(actors(&of_one(&["a 10:00", "b 10:01", "c 10:02"]), question(&steps, WEEK, &[])), [1, 1, 1]);
    let without = of_one(&["a 10:00", "c 10:02"]);
    assert_eq!(actors(&without, question(&steps, WEEK, &[])), [1, 0, 1]);
    let body = run(compute(&Chunks::new(&without), question(&steps, WEEK, &[]))).unwrap();
    assert_eq!((body.steps[1].median_s, body.steps[2].median_s), (None, Some(120.0)));
    // The step before has nobody.
    assert_eq!(body.steps[2].conversion_from_previous, None);
    let late = of_one(&["a 10:00", "c 10:02", "b 13:00"]);
    assert_eq!(actors(&late, question(&steps, 60, &[])), [1, 0, 1]);
    let excluded = of_one(&["a 10:00", "c 10:02", "x 10:03", "b 10:04"]);
    assert_eq!(actors(&excluded, question(&steps, 60, &["x"])), [1, 0, 1]);
}

#[test]
fn a_step_is_explained_by_one_activity_of_each_actor() {
    let mut all = of_one(&["a 10:00", "b 10:01", "b 10:02", "c 10:03"]);
    all.push(TestActivity { actor: 2, ..all[0].clone() });
    let chunks = Chunks::new(&all);
    let positions = |cell| {
        let rows = run(behind(&chunks, question(&["a", "b", "c"], WEEK, &[]), cell)).ok()?;
        Some(rows.into_iter().map(|row| row.position).collect::<Vec<_>>())
    };
    assert_eq!(positions("1"), Some(vec![1, 5]));
    assert_eq!(positions("2"), Some(vec![2]));
    assert_eq!(positions("3"), Some(vec![4]));
    for cell in ["", "0", "4", "-1", "a"] {
        assert_eq!(positions(cell), None, "{cell}");
    }
}

/// The time of each step in an actor's best attempt.
fn naive(rows: &[TestActivity], steps: &[&str], within: i64, exclude: &str) -> Option<Vec<Option<i64>>> {
    let day = at("2026-03-01T00:00:00Z")..at("2026-03-02T00:00:00Z");
    let matches = |step: &str, row: &TestActivity| row.kind == step.trim_end_matches('?');
    let mut best: Option<Vec<Option<i64>>> = None;
    for begin in 0..rows.len() {
        if !matches(steps[0], &rows[begin]) || !day.contains(&rows[begin].time) {
            continue;
        }
        let mut taken = vec![Some(rows[begin].time)];
        let mut at = begin;
        for step in &steps[1..] {
            let found = (at + 1..rows.len()).find(|row| matches(step, &rows[*row])).filter(|found| {
                rows[*found].time - rows[begin].time <= within
                    && rows[at + 1..*found].iter().all(|row| row.kind != exclude)
            });
            if found.is_none() && !step.ends_with('?') {
                break;
            }
            taken.push(found.map(|found| rows[found].time));
            at = found.unwrap_or(at);
        }
        let reach = |taken: &[Option<i64>]| taken.iter().rposition(Option::is_some);
        taken.resize(steps.len(), None);
        if best.as_ref().is_none_or(|best| reach(&taken) > reach(best)) {
            best = Some(taken);
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_told_as_by_a_naive_search(
        all in histories(at("2026-02-28T16:00:00Z"), 3),
        steps in prop::collection::vec(prop::sample::select(&["a", "b", "c", "b?", "a?"][..]), 2..5),
        within in prop::sample::select(&[1, 60, 600, WEEK][..]),
        exclude in prop::sample::select(&["x", "none"][..]),
    ) {
        let steps: Vec<&str> = std::iter::once("a").chain(steps).collect();
        let body = run(compute(&Chunks::new(&all), question(&steps, within, &[exclude]))).unwrap();
        let mut by_actor: BTreeMap<u32, Vec<TestActivity>> = BTreeMap::new();
        for (_, done) in standing(&all) {
            by_actor.entry(done.actor).or_default().push(done);
        }
        let best: Vec<Vec<Option<i64>>> =
            by_actor.values().filter_map(|rows| naive(rows, &steps, within * MINUTE, exclude)).collect();
        for (index, step) in body.steps.iter().enumerate() {
            let taken: Vec<&Vec<Option<i64>>> = best.iter().filter(|taken| taken[index].is_some()).collect();
            prop_assert_eq!(step.actors, taken.len() as u64);
            let mut lengths: Vec<i64> = taken
                .iter()
                .filter_map(|taken| Some(taken[index]? - taken[..index].iter().flatten().last()?))
                .collect();
            lengths.sort_unstable();
            let rank = |percent: usize| (lengths.len() * percent).div_ceil(100).max(1) - 1;
            let seconds = |percent| lengths.get(rank(percent)).map(|length| *length as f64 / 1e6);
            prop_assert_eq!((step.median_s, step.p90_s), (seconds(50), seconds(90)));
        }
    }
}
