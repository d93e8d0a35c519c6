use std::collections::BTreeMap;

use super::calendar::instant;
use super::json::Json;
use super::log::Activity;
use super::question::ReportQuestion;

/// Every page one after the other.
pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let mut rows = question.filtered(activities);
    rows.retain(|row| question.is_in_range(row.occurred_at));
    let mut actors: BTreeMap<&str, Vec<&Activity>> = BTreeMap::new();
    for row in &rows {
        actors.entry(&row.actor).or_default().push(row);
    }
    let wanted = question.get("q").unwrap_or("").to_lowercase();
    actors.retain(|name, _| name.to_lowercase().contains(&wanted));
    let items = actors.into_iter().map(|(name, own)| actor(name, &own)).collect();
    Json::object([("items", Json::Array(items)), ("next_cursor", Json::Null)])
}

fn actor(name: &str, own: &[&Activity]) -> Json {
    Json::object([
        ("actor", Json::from(name)),
        ("count", Json::from(own.len())),
        ("first_seen", Json::from(instant(own[0].occurred_at))),
        ("last_seen", Json::from(instant(own[own.len() - 1].occurred_at))),
    ])
}

/// One actor; none without an activity.
pub(super) fn one(question: &ReportQuestion, name: &str, activities: &[Activity]) -> Option<Json> {
    let mut own = question.filtered(activities);
    own.retain(|row| row.actor == name && question.is_in_range(row.occurred_at));
    let own: Vec<&Activity> = own.iter().collect();
    (!own.is_empty()).then(|| actor(name, &own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{day, same};

    #[test]
    fn actors_are_found_by_any_part_of_their_name() {
        let rows = day(&["ada x 10:00", "Adam x 11:00", "ada x 12:00", "bob x 10:00"]);
        same(
            &report(&ReportQuestion::new("", &[("q", "AD")]), &rows),
            r#"{"next_cursor":null,"items":[
                {"actor":"Adam","count":1,"first_seen":"2026-03-01T11:00:00Z","last_seen":"2026-03-01T11:00:00Z"},
                {"actor":"ada","count":2,"first_seen":"2026-03-01T10:00:00Z","last_seen":"2026-03-01T12:00:00Z"}]}"#,
        );
    }
}
