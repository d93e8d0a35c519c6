use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::reports::query::TimeRange;
use crate::reports::testing::{Chunks, TestActivity, at, histories, history, matching, range, run, standing};

fn question(
    range: &TimeRange,
    unit: Unit,
    cohort: Cohort,
    start: Option<&str>,
    returning: Option<&str>,
) -> RetentionQuestion {
    RetentionQuestion {
        units: Units::new(unit, range, 0, UNITS_MAX).unwrap(),
        cohort,
        start: matching(start),
        returning: matching(returning),
        is_same: start == returning,
    }
}

fn march() -> TimeRange {
    range("UTC", "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z")
}

fn signed() -> Vec<TestActivity> {
    history(&[
        "1 a 2026-03-01T10:00:00Z",
        "1 b 2026-03-01T11:00:00Z",
        "2 a 2026-03-01T12:00:00Z",
        "3 b 2026-03-01T13:00:00Z",
        "2 b 2026-03-02T10:00:00Z",
        "3 a 2026-03-02T11:00:00Z",
        "1 a 2026-03-02T11:00:00Z",
        "1 b 2026-03-03T10:00:00Z",
        "2 b 2026-03-04T10:00:00Z",
    ])
}

fn lines(all: &[TestActivity], question: RetentionQuestion) -> Vec<String> {
    let body = run(compute(&Chunks::new(all), question)).unwrap();
    body.cohorts.into_iter().map(|row| format!("{} {} {:?}", row.start, row.size, row.retained)).collect()
}

#[test]
fn an_actor_belongs_to_the_unit_of_its_first_activity_that_matches() {
    let question = question(&march(), Unit::Day, Cohort::First, Some("a"), Some("b"));
    assert_eq!(
        lines(&signed(), question),
        ["2026-03-01 2 [1, 1, 1]", "2026-03-02 1 [0, 0]", "2026-03-03 0 [0]"]
    );
}

#[test]
fn the_first_activity_ever_may_lie_before_the_range() {
    let later = range("UTC", "2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z");
    let first = question(&later, Unit::Day, Cohort::First, Some("a"), None);
    assert_eq!(lines(&signed(), first), ["2026-03-02 1 [1, 0]", "2026-03-03 0 [0]"]);
    let any = question(&later, Unit::Day, Cohort::Any, Some("a"), None);
    assert_eq!(lines(&signed(), any), ["2026-03-02 2 [2, 1]", "2026-03-03 0 [0]"]);
}

#[test]
fn any_is_every_unit_with_a_beginning_and_without_filters_every_activity_counts() {
    let any = question(&march(), Unit::Day, Cohort::Any, Some("a"), None);
    assert_eq!(lines(&signed(), any), ["2026-03-01 2 [2, 2, 1]", "2026-03-02 2 [2, 1]", "2026-03-03 0 [0]"]);
    let plain = question(&march(), Unit::Day, Cohort::First, None, None);
    assert_eq!(
        lines(&signed(), plain),
        ["2026-03-01 3 [3, 3, 1]", "2026-03-02 0 [0, 0]", "2026-03-03 0 [0]"]
    );
}

#[test]
fn a_unit_that_begins_before_the_end_is_whole_and_a_later_one_is_absent() {
    let all = history(&["1 a 2026-03-02T10:00:00Z", "1 b 2026-03-10T10:00:00Z", "2 a 2026-03-16T00:00:00Z"]);
    // Two weeks from Monday the 2nd on; the second one ends after the range does.
    let weeks = range("UTC", "2026-03-04T00:00:00Z", "2026-03-09T00:00:01Z");
    let first = question(&weeks, Unit::Week, Cohort::First, None, None);
    assert_eq!(lines(&all, first), ["2026-03-02 1 [1, 1]", "2026-03-09 0 [0]"]);
    let months = question(&weeks, Unit::Month, Cohort::First, None, None);
    assert_eq!(lines(&all, months), ["2026-03-01 2 [2]"]);
    // A day of Cairo that begins at one o'clock.
    let day = range("Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z");
    let all = history(&["1 a 2026-04-23T21:59:59Z", "2 a 2026-04-23T22:00:00Z"]);
    assert_eq!(lines(&all, question(&day, Unit::Day, Cohort::First, None, None)), ["2026-04-24 1 [1]"]);
}

#[test]
fn a_cell_is_explained_by_the_activities_with_which_its_actors_came_back() {
    let chunks = Chunks::new(&signed());
    let positions = |cell| {
        let question = question(&march(), Unit::Day, Cohort::First, Some("a"), Some("b"));
        let rows = run(behind(&chunks, question, cell)).ok()?;
        Some(rows.into_iter().map(|row| row.position).collect::<Vec<_>>())
    };
    assert_eq!(positions("2026-03-01"), Some(vec![1, 3]));
    assert_eq!(positions("2026-03-02"), Some(vec![6]), "the other one began before");
    assert_eq!(positions("2026-03-01,0"), Some(vec![2]));
    assert_eq!(positions("2026-03-01,1"), Some(vec![5]));
    assert_eq!(positions("2026-03-01,2"), Some(vec![8]));
    for cell in ["", "2026-03-04", "2026-03-01,3", "2026-03-01,-1", "2026-03-01,18446744073709551615"] {
        assert_eq!(positions(cell), None, "{cell}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_told_as_by_a_naive_count(
        all in histories(at("2026-03-01T00:00:00Z"), 20),
        days in 1..15_i64,
        unit in prop::sample::select(&[Unit::Day, Unit::Week, Unit::Month][..]),
        cohort in prop::sample::select(&[Cohort::First, Cohort::Any][..]),
        start in prop::option::of(prop::sample::select(&["a", "b"][..])),
        returning in prop::option::of(prop::sample::select(&["a", "b"][..])),
    ) {
        let mut range = range("Europe/Berlin", "2026-03-05T05:00:00Z", "2026-03-05T05:00:00Z");
        range.to += chrono::TimeDelta::days(days);
        let question = question(&range, unit, cohort, start, returning);
        let units = question.units.clone();
        let body = run(compute(&Chunks::new(&all), question)).unwrap();
        let standing = standing(&all);
        // The units in which each actor has an activity; what is before them all is −1.
        let units_of = |kind: Option<&str>| {
            let mut found: HashMap<u32, BTreeSet<i64>> = HashMap::new();
            for (_, done) in standing.iter().filter(|(_, done)| kind.is_none_or(|kind| kind == done.kind)) {
                let unit = units.starts.iter().filter(|start| **start <= done.time).count() as i64 - 1;
                found.entry(done.actor).or_default().insert(unit);
            }
            found
        };
        let (began, returned) = (units_of(start), units_of(returning));
        for (row, own) in body.cohorts.iter().zip(0..) {
            let members: Vec<u32> = began
                .iter()
                .filter(|(_, units)| match cohort {
                    Cohort::First => units.first() == Some(&own),
                    Cohort::Any => units.contains(&own),
                })
                .map(|(actor, _)| *actor)
                .collect();
            prop_assert_eq!(row.size, members.len() as u64);
            prop_assert_eq!(row.retained.len(), units.len() - own as usize);
            for (retained, unit) in row.retained.iter().zip(own..) {
                let came = |actor: &&u32| returned.get(actor).is_some_and(|units| units.contains(&unit));
                prop_assert_eq!(*retained, members.iter().filter(came).count() as u64, "{} {}", own, unit);
            }
        }
    }
}
