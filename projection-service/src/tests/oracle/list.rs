use super::calendar::instant;
use super::json::Json;
use super::log::Activity;
use super::question::ReportQuestion;

/// Every page of the list one after the other, the newest first.
pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let mut rows = question.filtered(activities);
    rows.retain(|row| question.is_in_range(row.occurred_at));
    rows.reverse();
    let item = |row: &Activity| {
        Json::object([
            ("id", Json::from(row.id.as_str())),
            ("type", Json::from(row.kind.as_str())),
            ("actor", Json::from(row.stands_for.as_str())),
            ("occurred_at", Json::from(instant(row.occurred_at))),
            ("value", row.value.clone().map_or(Json::Null, Json::Number)),
            ("properties", row.properties.clone()),
            ("context", row.context.clone()),
            ("recorded_at", Json::from(instant(row.recorded_at))),
            ("partition", Json::from(usize::from(row.partition))),
            ("position", Json::from(row.position as usize)),
            ("sequence", Json::from(row.sequence as usize)),
        ])
    };
    Json::object([("items", Json::Array(rows.iter().map(item).collect())), ("next_cursor", Json::Null)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::day;

    #[test]
    fn the_newest_is_first_and_of_one_time_what_was_recorded_last() {
        let rows = day(&["ada x 10:00", "bob y 12:00", "eve z 10:00"]);
        let found = report(&ReportQuestion::new("", &[]), &rows);
        let types: Vec<&str> =
            found.field("items").items().iter().map(|item| item.field("type").text().unwrap()).collect();
        assert_eq!(types, ["y", "z", "x"]);
    }
}
