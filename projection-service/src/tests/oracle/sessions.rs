use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::calendar::{day_of, days};
use super::json::Json;
use super::log::Activity;
use super::nearest_rank;
use super::question::ReportQuestion;

/// Activities of one actor without a pause longer than the gap.
pub(super) type Session<'a> = Vec<&'a Activity>;

/// Every session of every actor; the activities are in order.
pub(super) fn sessions(rows: &[Activity], gap: TimeDelta) -> Vec<Session<'_>> {
    let mut by_actor: BTreeMap<&str, Vec<Session<'_>>> = BTreeMap::new();
    for row in rows {
        let own = by_actor.entry(&row.stands_for).or_default();
        match own.last_mut() {
            Some(session) if row.occurred_at - session.last().unwrap().occurred_at <= gap => {
                session.push(row);
            }
            _ => own.push(vec![row]),
        }
    }
    by_actor.into_values().flatten().collect()
}

/// As `30m`, `12h`, `7d`.
pub(super) fn duration(text: &str) -> TimeDelta {
    let (number, unit) = text.split_at(text.len() - 1);
    let number = number.parse().unwrap();
    match unit {
        "s" => TimeDelta::seconds(number),
        "m" => TimeDelta::minutes(number),
        "h" => TimeDelta::hours(number),
        "d" => TimeDelta::days(number),
        other => panic!("there is no unit {other}"),
    }
}

pub(super) fn seconds(duration: TimeDelta) -> Json {
    Json::real(duration.num_microseconds().unwrap() as f64 / 1e6)
}

pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let rows = question.filtered(activities);
    let zone = question.zone();
    let mut in_range = sessions(&rows, duration(question.get("gap").unwrap_or("30m")));
    in_range.retain(|session| question.is_in_range(session[0].occurred_at));
    let mut lengths: Vec<TimeDelta> =
        in_range.iter().map(|session| session.last().unwrap().occurred_at - session[0].occurred_at).collect();
    lengths.sort();
    let actors = |sessions: &[&Session<'_>]| {
        sessions.iter().map(|session| session[0].stands_for.as_str()).collect::<BTreeSet<_>>().len()
    };
    let day = |date: chrono::NaiveDate| {
        let inside: Vec<&Session<'_>> =
            in_range.iter().filter(|session| day_of(zone, session[0].occurred_at) == date).collect();
        Json::object([
            ("date", Json::from(date.to_string())),
            ("sessions", Json::from(inside.len())),
            ("actors", Json::from(actors(&inside))),
        ])
    };
    let many: usize = in_range.iter().map(Vec::len).sum();
    let mean = if in_range.is_empty() { Json::Null } else { Json::real(many as f64 / in_range.len() as f64) };
    let days: Vec<Json> = days(zone, question.from(), question.to()).into_iter().map(day).collect();
    Json::object([
        ("sessions", Json::from(in_range.len())),
        ("actors", Json::from(actors(&in_range.iter().collect::<Vec<_>>()))),
        ("median_s", nearest_rank(&lengths, 50).map_or(Json::Null, seconds)),
        ("mean_activities", mean),
        ("single", Json::from(in_range.iter().filter(|session| session.len() == 1).count())),
        ("days", Json::Array(days)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{day, same};

    #[test]
    fn a_session_ends_before_a_pause_that_is_longer_than_the_gap() {
        let rows = day(&[
            "ada x 2026-02-28T23:50:00",
            "ada x 00:20:00",
            "ada x 00:50:01",
            "bob x 12:00",
            "bob x 12:10",
            "ada x 2026-03-01T23:59:00",
            "ada x 2026-03-02T00:10:00.5",
        ]);
        let range = [("from", "2026-03-01"), ("to", "2026-03-02"), ("time_zone", "UTC")];
        // The one that began on the day before is not in it, and the last one is whole.
        same(
            &report(&ReportQuestion::new("", &range), &rows),
            r#"{"sessions":3,"actors":2,"median_s":600,"mean_activities":1.6666666666666667,"single":1,
                "days":[{"date":"2026-03-01","sessions":3,"actors":2}]}"#,
        );
        let gap = [("gap", "20m"), ("actor", "ada")];
        same(
            &report(&ReportQuestion::new("", &[&range[..], &gap].concat()), &rows),
            r#"{"sessions":3,"actors":1,"median_s":0,"mean_activities":1.3333333333333333,"single":2,
                "days":[{"date":"2026-03-01","sessions":3,"actors":1}]}"#,
        );
    }
}
