use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::filter::Filter;
use super::json::Json;
use super::log::Activity;
use super::question::ReportQuestion;
use super::retention::filters;
use super::sessions::{duration, seconds};
use super::{nearest_rank, part};

struct Step {
    filters: Vec<Filter>,
    activity_type: Option<String>,
    is_optional: bool,
}

/// The activity at which each step was reached; none where it was not.
type Attempt<'a> = Vec<Option<&'a Activity>>;

pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let steps: Vec<Step> = question.all("step").map(step).collect();
    let rows = question.filtered(activities);
    let mut by_actor: BTreeMap<&str, Vec<&Activity>> = BTreeMap::new();
    for row in &rows {
        by_actor.entry(&row.stands_for).or_default().push(row);
    }
    let results: Vec<Attempt<'_>> =
        by_actor.values().filter_map(|rows| result(question, rows, &steps)).collect();
    let reached = |index: usize| results.iter().filter(|attempt| attempt[index].is_some()).count();
    let lines = steps.iter().enumerate().map(|(index, step)| {
        let mut took: Vec<TimeDelta> =
            results.iter().filter_map(|attempt| since_the_step_before(attempt, index)).collect();
        took.sort();
        let at = |percent| nearest_rank(&took, percent).map_or(Json::Null, seconds);
        Json::object([
            ("type", Json::from(step.activity_type.clone())),
            ("actors", Json::from(reached(index))),
            ("conversion", part(reached(index), reached(0))),
            ("conversion_from_previous", part(reached(index), reached(index.saturating_sub(1)))),
            ("median_s", at(50)),
            ("p90_s", at(90)),
        ])
    });
    Json::object([("steps", Json::Array(lines.collect()))])
}

/// A type, an array of filters, or an object of these that says whether the step is optional.
fn step(text: &str) -> Step {
    if !text.starts_with('{') {
        let activity_type = Some(text.to_owned()).filter(|text| !text.starts_with('['));
        return Step { filters: filters(text), activity_type, is_optional: false };
    }
    let object = Json::parse(text).unwrap();
    let activity_type = object.field("type").text().map(ToOwned::to_owned);
    let own = object.field("filters").items().iter().map(Filter::of_json);
    let of_type = activity_type.iter().map(|name| Filter::is("type", vec![Json::from(name.as_str())]));
    Step {
        filters: of_type.chain(own).collect(),
        activity_type,
        is_optional: *object.field("optional") == Json::Bool(true),
    }
}

/// Of one actor's attempts the one that reaches furthest; of equals the earliest.
fn result<'a>(question: &ReportQuestion, rows: &[&'a Activity], steps: &[Step]) -> Option<Attempt<'a>> {
    let begins = |row: &Activity| passes(&steps[0].filters, row) && question.is_in_range(row.occurred_at);
    let attempts = (0..rows.len())
        .filter(|index| begins(rows[*index]))
        .map(|index| attempt(question, &rows[index..], steps));
    let reach = |attempt: &Attempt<'_>| attempt.iter().rposition(Option::is_some);
    attempts.reduce(|best, next| if reach(&next) > reach(&best) { next } else { best })
}

/// The attempt that begins with the first of the rows.
fn attempt<'a>(question: &ReportQuestion, rows: &[&'a Activity], steps: &[Step]) -> Attempt<'a> {
    let end = rows[0].occurred_at + duration(question.get("within").unwrap_or("7d"));
    let excluded: Vec<Vec<Filter>> = question.all("exclude").map(filters).collect();
    let mut reached = vec![Some(rows[0])];
    let mut at = 0;
    for step in &steps[1..] {
        let found = (at + 1..rows.len()).find(|index| passes(&step.filters, rows[*index]));
        let found = found.filter(|index| {
            let between = &rows[at + 1..*index];
            let is_excluded = |row: &&Activity| excluded.iter().any(|filters| passes(filters, row));
            rows[*index].occurred_at <= end && !between.iter().any(is_excluded)
        });
        match found {
            Some(index) => {
                reached.push(Some(rows[index]));
                at = index;
            }
            None if step.is_optional => reached.push(None),
            None => break,
        }
    }
    reached.resize(steps.len(), None);
    reached
}

fn passes(filters: &[Filter], row: &Activity) -> bool {
    filters.iter().all(|filter| filter.passes(row))
}

fn since_the_step_before(attempt: &Attempt<'_>, index: usize) -> Option<TimeDelta> {
    let before = attempt[..index].iter().flatten().last()?;
    Some(attempt[index]?.occurred_at - before.occurred_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{day, same};

    fn ask(rows: &[&str], parameters: &[(&str, &str)]) -> Json {
        let range = [("from", "2026-03-01"), ("to", "2026-03-02"), ("time_zone", "UTC")];
        report(&ReportQuestion::new("", &[&range, parameters].concat()), &day(rows))
    }

    const ABC: [(&str, &str); 3] = [("step", "a"), ("step", "b"), ("step", "c")];

    #[test]
    fn each_step_is_the_earliest_later_activity_that_matches() {
        let rows = [
            "ada a 10:00",
            "ada c 10:01",
            "ada b 10:02",
            "ada b 10:03",
            "ada c 10:10",
            "bob b 09:00",
            "bob a 10:00",
            "bob b 10:00:30",
            "eve a 2026-02-28T23:00:00",
            "eve b 10:00",
        ];
        same(
            &ask(&rows, &ABC),
            r#"{"steps":[
                {"type":"a","actors":2,"conversion":1,"conversion_from_previous":1,"median_s":null,"p90_s":null},
                {"type":"b","actors":2,"conversion":1,"conversion_from_previous":1,"median_s":30,"p90_s":120},
                {"type":"c","actors":1,"conversion":0.5,"conversion_from_previous":0.5,"median_s":480,"p90_s":480}]}"#,
        );
    }

    #[test]
    fn the_attempt_that_reaches_furthest_counts_wherever_to_lies() {
        let rows = [
            "ada a 10:00",
            "ada b 10:01",
            "ada a 23:00",
            "ada b 2026-03-02T01:00:00",
            "ada c 2026-03-02T02:00:00",
        ];
        let median = |parameters: &[(&str, &str)]| {
            let found = ask(&rows, &[&ABC, parameters].concat());
            let step = |index: usize| found.field("steps").items()[index].field("median_s").clone();
            [step(1), step(2)].map(|seconds| seconds.to_string())
        };
        // Both attempts reach the end within 7 days, and the first is the earliest.
        assert_eq!(median(&[]), ["60", "57540"]);
        assert_eq!(median(&[("within", "3h")]), ["7200", "3600"]);
        assert_eq!(median(&[("within", "2h")]), ["60", "null"]);
    }

    #[test]
    fn what_is_excluded_ends_an_attempt_between_two_steps() {
        let reached = |rows: &[&str]| {
            let found = ask(rows, &[&ABC[..], &[("exclude", "x")]].concat());
            found
                .field("steps")
                .items()
                .iter()
                .map(|step| step.field("actors").to_string())
                .collect::<String>()
        };
        assert_eq!(
            reached(&["ada x 09:00", "ada a 10:00", "ada b 11:00", "ada c 12:00", "ada x 13:00"]),
            "111"
        );
        assert_eq!(reached(&["ada a 10:00", "ada x 10:30", "ada b 11:00", "ada c 12:00"]), "100");
        assert_eq!(
            reached(&["ada a 10:00", "ada b 11:00", "bob x 11:30", "ada x 11:30", "ada c 12:00"]),
            "110"
        );
    }
}
