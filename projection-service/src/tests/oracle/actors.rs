use std::collections::BTreeMap;

use super::calendar::instant;
use super::json::Json;
use super::log::Activity;
use super::question::Question;

/// Every page one after the other.
pub(super) fn report(question: &Question, activities: &[Activity]) -> Json {
    let mut actors: BTreeMap<&str, Vec<&Activity>> = BTreeMap::new();
    for activity in activities {
        actors.entry(&activity.actor).or_default().push(activity);
    }
    let wanted = question.get("q").unwrap_or("").to_lowercase();
    actors.retain(|name, _| name.to_lowercase().contains(&wanted));
    let item = |(name, own): (&str, Vec<&Activity>)| {
        Json::object([
            ("actor", Json::from(name)),
            ("count", Json::from(own.len())),
            ("first_seen", Json::from(instant(own[0].occurred_at))),
            ("last_seen", Json::from(instant(own[own.len() - 1].occurred_at))),
        ])
    };
    let items = actors.into_iter().map(item).collect();
    Json::object([("items", Json::Array(items)), ("next_cursor", Json::Null)])
}
