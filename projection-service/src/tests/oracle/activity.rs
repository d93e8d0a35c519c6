use std::cmp::Ordering;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::calendar::{Unit, instant, start, starts};
use super::filter::group;
use super::json::Json;
use super::log::Activity;
use super::nearest_rank;
use super::number::Number;
use super::question::ReportQuestion;

const GROUPS_DEFAULT: usize = 20;

/// An activity of the range, with the beginning of its bucket and with its group.
struct Row<'a> {
    activity: &'a Activity,
    bucket: DateTime<Utc>,
    group: Vec<Json>,
}

pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let unit = Unit::parse(question.get("interval").unwrap_or("day"));
    let measured = question.get("measure").unwrap_or("count");
    let (zone, from, to) = (question.zone(), question.from(), question.to());
    let filtered = question.filtered(activities);
    let in_range = filtered.iter().filter(|activity| question.is_in_range(activity.occurred_at));
    let row = |activity| Row {
        activity,
        bucket: start(unit, zone, activity.occurred_at),
        group: question.all("group_by").map(|name| group(activity, name)).collect(),
    };
    let rows: Vec<Row<'_>> = in_range.map(row).collect();
    let own = groups(question, &rows, measured);
    let is_other = |row: &Row<'_>| !own.contains(&row.group);

    let mut series = Vec::new();
    for bucket in starts(unit, zone, from, to) {
        let begins = ("bucket", Json::from(instant(bucket)));
        let count = |belongs: &dyn Fn(&Row<'_>) -> bool| {
            let inside = rows.iter().filter(|row| row.bucket == bucket && belongs(row));
            ("count", measure(measured, inside.map(|row| row.activity)))
        };
        for group in &own {
            let count = count(&|row| row.group == *group);
            series.push(match &group[..] {
                [] => Json::object([begins.clone(), count]),
                [one] => Json::object([begins.clone(), ("group", one.clone()), count]),
                two => Json::object([begins.clone(), ("group", Json::Array(two.to_vec())), count]),
            });
        }
        if rows.iter().any(is_other) {
            series.push(Json::object([begins, ("other", Json::Bool(true)), count(&is_other)]));
        }
    }
    let total = measure(measured, rows.iter().map(|row| row.activity));
    Json::object([("total", total), ("series", Json::Array(series))])
}

/// The groups that have a line of their own, the largest first.
fn groups(question: &ReportQuestion, rows: &[Row<'_>], measured: &str) -> Vec<Vec<Json>> {
    if question.get("group_by").is_none() {
        return vec![Vec::new()];
    }
    let mut groups: Vec<Vec<Json>> = Vec::new();
    for row in rows {
        if !groups.contains(&row.group) {
            groups.push(row.group.clone());
        }
    }
    let size = |group: &Vec<Json>| {
        measure(measured, rows.iter().filter(|row| row.group == *group).map(|row| row.activity))
    };
    groups.sort_by(|one, other| {
        larger_first(&size(one), &size(other)).then_with(|| name(one).cmp(&name(other)))
    });
    groups.truncate(question.number("groups").unwrap_or(GROUPS_DEFAULT));
    groups
}

/// Nothing is less than every number.
fn larger_first(one: &Json, other: &Json) -> Ordering {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => other.cmp(one),
        (Json::Null, Json::Null) => Ordering::Equal,
        (Json::Null, _) => Ordering::Greater,
        _ => Ordering::Less,
    }
}

/// What a group is ordered by: what it says, and of what says the same, by its type.
pub(super) fn name(group: &[Json]) -> Vec<(String, u8)> {
    let one = |value: &Json| match value {
        Json::Null => (String::new(), 0),
        Json::Bool(value) => (value.to_string(), 1),
        Json::Number(number) => (number.to_string(), 2),
        Json::Text(text) => (text.clone(), 3),
        Json::Array(_) | Json::Object(_) => unreachable!("a group is a scalar"),
    };
    group.iter().map(one).collect()
}

fn measure<'r>(measured: &str, rows: impl Iterator<Item = &'r Activity> + Clone) -> Json {
    let mut values: Vec<Number> = rows.clone().filter_map(|row| row.value.clone()).collect();
    values.sort();
    let at = |percent| Json::from(nearest_rank(&values, percent).map(Json::Number));
    match measured {
        "count" => Json::from(rows.count()),
        "actors" => Json::from(rows.map(|row| &row.stands_for).collect::<BTreeSet<_>>().len()),
        "sum" => Json::real(Number::sum(values.iter()).divided(1)),
        "mean" => Json::real(Number::sum(values.iter()).divided(values.len().max(1))),
        "min" => Json::from(values.first().cloned().map(Json::Number)),
        "max" => Json::from(values.last().cloned().map(Json::Number)),
        "p50" => at(50),
        "p90" => at(90),
        "p99" => at(99),
        other => panic!("there is no measure {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{activity, same, valued};

    fn ask(parameters: &[(&str, &str)]) -> ReportQuestion {
        let range = [("from", "2026-03-01"), ("to", "2026-03-03"), ("time_zone", "UTC")];
        ReportQuestion::new("/v1/reports/activity", &[&range, parameters].concat())
    }

    fn rows() -> Vec<Activity> {
        vec![
            activity("left", "ada", "2026-02-28T23:59:59Z"),
            valued("paid", "ada", "2026-03-01T00:00:00Z", 0.1),
            valued("paid", "bob", "2026-03-01T10:00:00Z", 0.2),
            activity("viewed", "ada", "2026-03-02T10:00:00Z"),
            valued("viewed", "ada", "2026-03-02T11:00:00Z", -5.0),
            activity("asked", "eve", "2026-03-02T12:00:00Z"),
            activity("left", "ada", "2026-03-03T00:00:00Z"),
        ]
    }

    #[test]
    fn every_bucket_is_there_and_total_is_distinct_over_the_range() {
        same(
            &report(&ask(&[("measure", "actors")]), &rows()),
            r#"{"total":3,"series":[{"bucket":"2026-03-01T00:00:00Z","count":2},
                                    {"bucket":"2026-03-02T00:00:00Z","count":2}]}"#,
        );
        same(
            &report(&ask(&[("measure", "sum"), ("type", "paid")]), &rows()),
            r#"{"total":0.3,"series":[{"bucket":"2026-03-01T00:00:00Z","count":0.3},
                                      {"bucket":"2026-03-02T00:00:00Z","count":0}]}"#,
        );
        same(
            &report(&ask(&[("measure", "p50"), ("interval", "month")]), &rows()),
            r#"{"total":0.1,"series":[{"bucket":"2026-03-01T00:00:00Z","count":0.1}]}"#,
        );
    }

    #[test]
    fn the_largest_groups_have_a_line_and_the_rest_is_other() {
        let question = ask(&[("group_by", "type"), ("groups", "1")]);
        same(
            &report(&question, &rows()),
            r#"{"total":5,"series":[
                {"bucket":"2026-03-01T00:00:00Z","group":"paid","count":2},
                {"bucket":"2026-03-01T00:00:00Z","other":true,"count":0},
                {"bucket":"2026-03-02T00:00:00Z","group":"paid","count":0},
                {"bucket":"2026-03-02T00:00:00Z","other":true,"count":3}]}"#,
        );
        let question = ask(&[("group_by", "type"), ("group_by", "properties.none"), ("interval", "month")]);
        same(
            &report(&question, &rows()),
            r#"{"total":5,"series":[
                {"bucket":"2026-03-01T00:00:00Z","group":["paid",null],"count":2},
                {"bucket":"2026-03-01T00:00:00Z","group":["viewed",null],"count":2},
                {"bucket":"2026-03-01T00:00:00Z","group":["asked",null],"count":1}]}"#,
        );
    }
}
