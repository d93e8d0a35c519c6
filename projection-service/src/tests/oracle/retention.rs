use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::calendar::{Unit, day_of, start, starts};
use super::filter::Filter;
use super::json::Json;
use super::log::Activity;
use super::question::ReportQuestion;

pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let rows = question.filtered(activities);
    let unit = Unit::parse(question.get("unit").unwrap_or("day"));
    let zone = question.zone();
    let units = starts(unit, zone, question.from(), question.to());
    let of_actors = |name: &str| {
        let filters = question.get(name).map_or_else(Vec::new, filters);
        let mut units: BTreeMap<&str, BTreeSet<DateTime<Utc>>> = BTreeMap::new();
        for row in rows.iter().filter(|row| filters.iter().all(|filter| filter.passes(row))) {
            units.entry(&row.stands_for).or_default().insert(start(unit, zone, row.occurred_at));
        }
        units
    };
    let (mut began, returned) = (of_actors("start"), of_actors("return"));
    if question.get("cohort").unwrap_or("first") == "first" {
        for units in began.values_mut() {
            units.retain({
                let first = *units.first().unwrap();
                move |unit| *unit == first
            });
        }
    }
    let cohort = |(index, own): (usize, &DateTime<Utc>)| {
        let actors: Vec<&str> =
            began.iter().filter(|(_, units)| units.contains(own)).map(|(actor, _)| *actor).collect();
        let retained = units[index..].iter().map(|unit| {
            let has = |actor: &&&str| returned.get(**actor).is_some_and(|units| units.contains(unit));
            Json::from(actors.iter().filter(has).count())
        });
        Json::object([
            ("start", Json::from(day_of(zone, *own).to_string())),
            ("size", Json::from(actors.len())),
            ("retained", Json::Array(retained.collect())),
        ])
    };
    Json::object([("cohorts", Json::Array(units.iter().enumerate().map(cohort).collect()))])
}

/// A type, a filter, or a JSON array of filters.
pub(super) fn filters(text: &str) -> Vec<Filter> {
    if !text.starts_with('[') {
        return vec![Filter::is("type", vec![Json::from(text)])];
    }
    let json = Json::parse(text).unwrap();
    match json.items() {
        [Json::Text(_), ..] => vec![Filter::of_json(&json)],
        several => several.iter().map(Filter::of_json).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{day, same};

    fn rows() -> Vec<Activity> {
        day(&[
            "ada signed 2026-03-01T10:00:00",
            "ada viewed 2026-03-01T11:00:00",
            "bob signed 2026-03-01T12:00:00",
            "eve viewed 2026-03-01T13:00:00",
            "bob viewed 2026-03-02T10:00:00",
            "eve signed 2026-03-02T11:00:00",
            "ada signed 2026-03-02T11:00:00",
            "ada viewed 2026-03-03T10:00:00",
            "bob viewed 2026-03-04T10:00:00",
        ])
    }

    fn ask(parameters: &[(&str, &str)]) -> Json {
        let range = [("from", "2026-03-01"), ("to", "2026-03-04"), ("time_zone", "UTC")];
        report(&ReportQuestion::new("", &[&range, parameters].concat()), &rows())
    }

    #[test]
    fn an_actor_belongs_to_the_unit_of_its_first_activity_ever() {
        same(
            &ask(&[("start", "signed"), ("return", r#"[["is","type","viewed"]]"#)]),
            r#"{"cohorts":[{"start":"2026-03-01","size":2,"retained":[1,1,1]},
                           {"start":"2026-03-02","size":1,"retained":[0,0]},
                           {"start":"2026-03-03","size":0,"retained":[0]}]}"#,
        );
    }

    #[test]
    fn or_to_every_unit_in_which_it_has_one() {
        same(
            &ask(&[("start", "signed"), ("cohort", "any")]),
            r#"{"cohorts":[{"start":"2026-03-01","size":2,"retained":[2,2,1]},
                           {"start":"2026-03-02","size":2,"retained":[2,1]},
                           {"start":"2026-03-03","size":0,"retained":[0]}]}"#,
        );
    }
}
