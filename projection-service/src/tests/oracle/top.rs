use std::collections::BTreeSet;

use super::activity::name;
use super::filter::group;
use super::json::Json;
use super::log::Activity;
use super::question::ReportQuestion;

const LIMIT_DEFAULT: usize = 100;

pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let dimension = question.get("dimension").unwrap_or("type");
    let mut rows = question.filtered(activities);
    rows.retain(|row| question.is_in_range(row.occurred_at));
    let mut keys: Vec<(Json, Vec<&Activity>)> = Vec::new();
    for row in &rows {
        let key = group(row, dimension);
        match keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, behind)) => behind.push(row),
            None => keys.push((key, vec![row])),
        }
    }
    keys.sort_by_key(|(key, behind)| (std::cmp::Reverse(behind.len()), name(std::slice::from_ref(key))));
    keys.truncate(question.number("limit").unwrap_or(LIMIT_DEFAULT));
    let item = |(key, behind): (Json, Vec<&Activity>)| {
        let actors: BTreeSet<&str> = behind.iter().map(|row| row.stands_for.as_str()).collect();
        Json::object([
            ("key", key),
            ("count", Json::from(behind.len())),
            ("actors", Json::from(actors.len())),
        ])
    };
    Json::object([("items", Json::Array(keys.into_iter().map(item).collect()))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{day, same};

    #[test]
    fn the_largest_is_first_and_ties_are_in_the_order_of_names() {
        let rows =
            day(&["ada b 10:00", "bob b 10:00", "ada c 11:00", "eve a 12:00", "eve d 2026-03-02T00:00:00"]);
        let range =
            [("from", "2026-03-01"), ("to", "2026-03-02"), ("time_zone", "UTC"), ("dimension", "type")];
        same(
            &report(&ReportQuestion::new("", &range), &rows),
            r#"{"items":[{"key":"b","count":2,"actors":2},{"key":"a","count":1,"actors":1},
                         {"key":"c","count":1,"actors":1}]}"#,
        );
    }
}
