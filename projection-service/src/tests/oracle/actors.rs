use std::collections::BTreeMap;

use super::calendar::instant;
use super::json::Json;
use super::log::{Activity, Log};
use super::question::ReportQuestion;

/// Every page one after the other.
pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let mut rows = question.filtered(activities);
    rows.retain(|row| question.is_in_range(row.occurred_at));
    let mut actors: BTreeMap<&str, Vec<&Activity>> = BTreeMap::new();
    for row in &rows {
        actors.entry(&row.stands_for).or_default().push(row);
    }
    let wanted = question.get("q").unwrap_or("").to_lowercase();
    actors.retain(|_, own| own[0].names.iter().any(|name| name.to_lowercase().contains(&wanted)));
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

/// One actor, by any of its names; none of whom nothing is known.
pub(super) fn one(
    question: &ReportQuestion,
    name: &str,
    activities: &[Activity],
    (log, position): (&Log, i64),
) -> Option<Json> {
    let identities = log.identities(position);
    let name = identities.actor(name);
    let mut own = question.filtered(activities);
    own.retain(|row| row.stands_for == name && question.is_in_range(row.occurred_at));
    let time = |row: Option<&Activity>| Json::from(row.map(|row| instant(row.occurred_at)));
    let merged: Vec<Json> = identities
        .merged(&name)
        .into_iter()
        .map(|(alias, position)| {
            Json::object([
                ("name", Json::from(alias)),
                ("position", Json::from(position as usize)),
                ("since", Json::from(instant(log.recorded_at[position as usize - 1]))),
            ])
        })
        .collect();
    let traits = identities.traits(&name);
    let is_known = !own.is_empty() || !merged.is_empty() || traits != Json::object([]);
    is_known.then(|| {
        Json::object([
            ("actor", Json::from(name.as_str())),
            ("count", Json::from(own.len())),
            ("first_seen", time(own.first())),
            ("last_seen", time(own.last())),
            ("merged", Json::Array(merged)),
            ("traits", traits),
        ])
    })
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
