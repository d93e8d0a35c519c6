use std::collections::HashSet;

use chrono::Days;
use proptest::prelude::*;

use super::*;
use crate::calendar::day_of;
use crate::reports::testing::{Chunks, TestActivity, at, histories, history, instant, range, run, standing};

fn lines(all: &[TestActivity], range: &TimeRange) -> Vec<String> {
    let body = run(compute(&Chunks::new(all), range)).unwrap();
    body.days
        .into_iter()
        .map(|day| format!("{} {} {} {} {:?}", day.date, day.daily, day.weekly, day.monthly, day.stickiness))
        .collect()
}

#[test]
fn a_week_is_the_day_and_the_6_before_and_a_month_the_29_before() {
    let mut all = history(&[
        "1 a 2026-03-01T10:00:00Z",
        "2 a 2026-03-24T10:00:00Z",
        "1 a 2026-03-30T10:00:00Z",
        "1 b 2026-03-30T11:00:00Z",
        "3 b 2026-03-30T12:00:00Z",
    ]);
    all[4].is_gone = true;
    let range = range("UTC", "2026-03-30T00:00:00Z", "2026-04-02T00:00:00Z");
    assert_eq!(
        lines(&all, &range),
        ["2026-03-30 1 2 2 Some(0.5)", "2026-03-31 0 1 2 Some(0.0)", "2026-04-01 0 1 2 Some(0.0)"]
    );
    assert_eq!(lines(&[], &range)[0], "2026-03-30 0 0 0 None");
}

#[test]
fn every_day_that_the_range_touches_counts_whole_and_is_the_zone_s() {
    // At 23:30 UTC the 29th has begun in Berlin, and it has 23 hours.
    let all = history(&["1 a 2026-03-28T23:30:00Z", "2 a 2026-03-29T21:59:59Z", "3 a 2026-03-29T22:00:00Z"]);
    let range = range("Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-29T22:00:00Z");
    assert_eq!(lines(&all, &range), ["2026-03-29 2 2 2 Some(1.0)"]);
    let much = super::super::testing::range("UTC", "2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    assert!(run(compute(&Chunks::new(&[]), &much)).is_err());
}

#[test]
fn a_number_is_explained_by_the_activities_behind_it() {
    let all = history(&["1 a 2026-03-01T10:00:00Z", "2 a 2026-03-02T10:00:00Z", "1 a 2026-03-02T11:00:00Z"]);
    let chunks = Chunks::new(&all);
    let range = range("UTC", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    let positions = |cell| {
        let rows = run(behind(&chunks, &range, cell)).ok()?;
        Some(rows.into_iter().map(|row| row.position).collect::<Vec<_>>())
    };
    assert_eq!(positions("2026-03-02"), Some(vec![2, 3]));
    assert_eq!(positions("2026-03-02,daily"), Some(vec![2, 3]));
    assert_eq!(positions("2026-03-02,weekly"), Some(vec![1, 2, 3]));
    assert_eq!(positions("2026-03-02,monthly"), Some(vec![1, 2, 3]));
    for cell in ["", "2026-03-01", "2026-03-03", "2026-03-02,yearly", "2026-03-02,", "today"] {
        assert_eq!(positions(cell), None, "{cell}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_told_as_by_a_naive_count(
        all in histories(at("2026-03-01T00:00:00Z"), 70),
        days in 1..50_i64,
        zone in prop::sample::select(&["UTC", "Europe/Berlin", "Asia/Kathmandu", "Africa/Cairo"][..]),
    ) {
        let mut range = range(zone, "2026-03-20T05:00:00Z", "2026-03-20T05:00:00Z");
        range.to += chrono::TimeDelta::days(days);
        let body = run(compute(&Chunks::new(&all), &range)).unwrap();
        prop_assert!(body.days.len() as i64 >= days);
        for day in &body.days {
            for (length, counted) in [(1, day.daily), (7, day.weekly), (30, day.monthly)] {
                let first = day.date - Days::new(length - 1);
                let actors: HashSet<u32> = standing(&all)
                    .into_iter()
                    .filter(|(_, done)| (first..=day.date).contains(&day_of(range.zone, instant(done.time))))
                    .map(|(_, done)| done.actor)
                    .collect();
                prop_assert_eq!(counted, actors.len() as u64, "{} days until {}", length, day.date);
            }
        }
    }
}
