use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::calendar::day_of;
use crate::reports::testing::{Chunks, TestActivity, at, histories, history, instant, range, run, standing};

const MINUTE: i64 = 60_000_000;

fn report(all: &[TestActivity], range: &TimeRange, gap_minutes: i64) -> Body {
    run(compute(&Chunks::new(all), range, gap_minutes * MINUTE)).unwrap()
}

fn day(date: &str, sessions: u64, actors: u64) -> Day {
    Day { date: date.parse().unwrap(), sessions, actors }
}

fn first_of_march() -> TimeRange {
    range("UTC", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
}

fn crossing() -> Vec<TestActivity> {
    history(&[
        "1 a 2026-02-28T23:50:00Z",
        "1 a 2026-03-01T00:20:00Z",
        "1 a 2026-03-01T00:50:00.000001Z",
        "2 a 2026-03-01T12:00:00Z",
        "2 a 2026-03-01T12:10:00Z",
        "1 a 2026-03-01T23:59:00Z",
        "1 a 2026-03-02T00:10:00.5Z",
    ])
}

#[test]
fn a_session_that_began_before_the_range_is_not_in_it_and_one_that_goes_on_after_it_is_whole() {
    assert_eq!(
        report(&crossing(), &first_of_march(), 30),
        Body {
            sessions: 3,
            actors: 2,
            median_s: Some(600.0),
            mean_activities: Some(5.0 / 3.0),
            single: 1,
            days: vec![day("2026-03-01", 3, 2)],
        }
    );
    // With a microsecond more between them, the two around 0:20 are one session that began before.
    let longer = run(compute(&Chunks::new(&crossing()), &first_of_march(), 30 * MINUTE + 1)).unwrap();
    assert_eq!((longer.sessions, longer.single), (2, 0));
}

#[test]
fn a_session_goes_on_as_long_as_its_actor_does() {
    // Every 20 minutes for two days, in all chunks, from the last minute of the range on.
    let mut all: Vec<TestActivity> = (0..144)
        .map(|step| TestActivity {
            actor: 7,
            kind: "a",
            time: at("2026-03-01T23:59:00Z") + step * 20 * MINUTE,
            chunk: step as usize % 3,
            is_gone: false,
        })
        .collect();
    all.push(TestActivity {
        actor: 9,
        kind: "a",
        time: at("2026-03-01T23:59:30Z"),
        chunk: 0,
        is_gone: false,
    });
    let body = report(&all, &first_of_march(), 30);
    assert_eq!((body.sessions, body.actors, body.single), (2, 2, 1));
    assert_eq!(body.mean_activities, Some(145.0 / 2.0));
    let mut other = all.clone();
    other[100].is_gone = true;
    let body = report(&other, &first_of_march(), 30);
    assert_eq!((body.sessions, body.mean_activities), (2, Some(101.0 / 2.0)));
    all.truncate(144);
    assert_eq!(report(&all, &first_of_march(), 30).median_s, Some(143.0 * 1_200.0));
}

#[test]
fn every_day_of_the_range_is_there_and_has_its_own_actors() {
    let all = history(&[
        "1 a 2026-03-28T22:59:00Z",
        "1 a 2026-03-29T05:00:00Z",
        "1 a 2026-03-29T15:00:00Z",
        "2 a 2026-03-29T21:59:59Z",
        "1 a 2026-03-30T12:00:00Z",
    ]);
    let range = range("Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-31T00:00:00Z");
    let body = report(&all, &range, 30);
    assert_eq!(
        body.days,
        [day("2026-03-28", 1, 1), day("2026-03-29", 3, 2), day("2026-03-30", 1, 1), day("2026-03-31", 0, 0)]
    );
    assert_eq!((body.sessions, body.actors), (5, 2));
    let nothing = report(&[], &range, 30);
    assert_eq!((nothing.sessions, nothing.median_s, nothing.mean_activities), (0, None, None));
}

#[test]
fn sessions_are_explained_by_their_first_activities() {
    let mut all = crossing();
    // At the same time the one that was recorded first is the first.
    all.push(TestActivity { chunk: 0, ..all[3].clone() });
    let chunks = Chunks::new(&all);
    let positions = |cell| {
        let rows = run(behind(&chunks, &first_of_march(), 30 * MINUTE, cell)).ok()?;
        Some(rows.into_iter().map(|row| row.position).collect::<Vec<_>>())
    };
    assert_eq!(positions("2026-03-01"), Some(vec![3, 4, 6]));
    assert_eq!(positions("total"), Some(vec![3, 4, 6]));
    assert_eq!(positions("single"), Some(vec![3]));
    for cell in ["", "2026-03-02", "median_s"] {
        assert_eq!(positions(cell), None, "{cell}");
    }
}

/// The times of each session, by actor.
fn naive(all: &[TestActivity], gap: i64) -> Vec<(u32, Vec<i64>)> {
    let mut by_actor: BTreeMap<u32, Vec<Vec<i64>>> = BTreeMap::new();
    for (_, done) in standing(all) {
        let sessions = by_actor.entry(done.actor).or_default();
        match sessions.last_mut() {
            Some(session) if done.time - session.last().unwrap() <= gap => session.push(done.time),
            _ => sessions.push(vec![done.time]),
        }
    }
    by_actor
        .into_iter()
        .flat_map(|(actor, sessions)| sessions.into_iter().map(move |one| (actor, one)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_told_as_by_a_naive_count(
        all in histories(at("2026-03-27T00:00:00Z"), 6),
        hours in 1..120_i64,
        gap in prop::sample::select(&[1, 7, 30, 24 * 60][..]),
    ) {
        let mut range = range("Europe/Berlin", "2026-03-28T01:00:00Z", "2026-03-28T01:00:00Z");
        range.to += chrono::TimeDelta::hours(hours);
        let body = report(&all, &range, gap);
        let mut sessions = naive(&all, gap * MINUTE);
        sessions.retain(|(_, times)| window(&range).contains(&times[0]));
        let actors = |sessions: &[&(u32, Vec<i64>)]| {
            sessions.iter().map(|(actor, _)| *actor).collect::<HashSet<_>>().len() as u64
        };
        prop_assert_eq!(body.sessions, sessions.len() as u64);
        prop_assert_eq!(body.actors, actors(&sessions.iter().collect::<Vec<_>>()));
        prop_assert_eq!(body.single, sessions.iter().filter(|(_, times)| times.len() == 1).count() as u64);
        let activities: usize = sessions.iter().map(|(_, times)| times.len()).sum();
        let mean = (!sessions.is_empty()).then(|| activities as f64 / sessions.len() as f64);
        prop_assert_eq!(body.mean_activities, mean);
        let mut lengths: Vec<i64> = sessions.iter().map(|(_, times)| times.last().unwrap() - times[0]).collect();
        lengths.sort_unstable();
        let median = lengths.get(lengths.len().div_ceil(2).max(1) - 1).map(|length| *length as f64 / 1e6);
        prop_assert_eq!(body.median_s, median);
        for day in &body.days {
            let inside: Vec<&(u32, Vec<i64>)> = sessions
                .iter()
                .filter(|(_, times)| day_of(range.zone, instant(times[0])) == day.date)
                .collect();
            prop_assert_eq!((day.sessions, day.actors), (inside.len() as u64, actors(&inside)));
        }
    }
}
