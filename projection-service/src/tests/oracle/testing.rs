//! Histories that are short enough to be computed by hand.

use super::json::Json;
use super::log::Activity;
use super::number::Number;
use crate::tests::house::at;

pub(super) fn activity(kind: &str, actor: &str, occurred_at: &str) -> Activity {
    Activity {
        id: String::new(),
        kind: kind.to_owned(),
        actor: actor.to_owned(),
        stands_for: actor.to_owned(),
        names: vec![actor.to_owned()],
        traits: Json::Null,
        occurred_at: at(occurred_at),
        value: None,
        properties: Json::Null,
        context: Json::Null,
        partition: 0,
        position: 1,
        recorded_at: at("2026-03-01T00:00:00Z"),
        sequence: 1,
        last_position: 1,
    }
}

pub(super) fn valued(kind: &str, actor: &str, occurred_at: &str, value: f64) -> Activity {
    Activity { value: Some(Number::of(value)), ..activity(kind, actor, occurred_at) }
}

/// Activities of the 1st of March 2026, as `actor type hh:mm[:ss]`, in the order in which they were recorded.
pub(super) fn day(lines: &[&str]) -> Vec<Activity> {
    let line = |(index, line): (usize, &&str)| {
        let words: Vec<&str> = line.split(' ').collect();
        let [actor, kind, time] = words[..] else { panic!("{line}") };
        let time = if time.len() == 5 { format!("{time}:00") } else { time.to_owned() };
        let date = if time.contains('T') { time } else { format!("2026-03-01T{time}") };
        Activity { position: index as i64 + 1, ..activity(kind, actor, &format!("{date}Z")) }
    };
    let mut activities: Vec<Activity> = lines.iter().enumerate().map(line).collect();
    activities.sort_by_key(|activity| (activity.occurred_at, activity.position));
    activities
}

pub(super) fn same(found: &Json, expected: &str) {
    let expected = Json::parse(expected).unwrap();
    if let Some(difference) = found.difference(&expected) {
        panic!("{difference}\n   found {found}\nexpected {expected}");
    }
}
