//! Who and what a stored event is about.

use std::borrow::Cow;

use serde::Deserialize;

/// The parts of a payload that name an actor or a type. A correction has both sides, a redaction only the one before.
#[derive(Default, Deserialize)]
struct Mentioned<'a> {
    #[serde(borrow)]
    actor: Option<Cow<'a, str>>,
    /// Of a merge.
    #[serde(borrow)]
    alias: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    activity_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    before: Side<'a>,
    #[serde(borrow, default)]
    after: Side<'a>,
}

#[derive(Default, Deserialize)]
struct Side<'a> {
    #[serde(borrow)]
    actor: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    activity_type: Option<Cow<'a, str>>,
}

/// Whether the payload of an event, of whatever version, is about this actor and this type. Of a correction, the type
/// before and the type after count. A description is about its actor and a merge about both of its names, and neither is of a
/// type. A payload of another aggregate is about neither.
#[must_use]
pub fn mentions(payload: &str, actor: Option<&str>, activity_type: Option<&str>) -> bool {
    let mentioned: Mentioned<'_> = serde_json::from_str(payload).unwrap_or_default();
    let actors = [&mentioned.actor, &mentioned.before.actor];
    let types = [&mentioned.activity_type, &mentioned.before.activity_type, &mentioned.after.activity_type];
    let is_by = |actor: &str| {
        let mut named = actors.into_iter().flatten().take(1).chain(&mentioned.alias);
        named.any(|mentioned| mentioned == actor)
    };
    let is_of = |wanted: &str| types.into_iter().flatten().any(|mentioned| mentioned == wanted);
    actor.is_none_or(is_by) && activity_type.is_none_or(is_of)
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_correction_is_about_both_of_its_types_and_a_redaction_about_the_one_before() {
        let recorded = r#"{"type":"a","actor":"ada","occurred_at":"2026-03-01T00:00:00Z"}"#;
        assert!(mentions(recorded, Some("ada"), Some("a")) && !mentions(recorded, Some("bob"), None));
        let corrected = r#"{"before":{"type":"a","actor":"ada"},"after":{"type":"b","actor":"ada"}}"#;
        assert!(mentions(corrected, Some("ada"), Some("a")) && mentions(corrected, None, Some("b")));
        assert!(!mentions(corrected, None, Some("c")));
        assert!(mentions(r#"{"before":{"type":"a","actor":"ada"}}"#, Some("ada"), Some("a")));
    }

    #[test]
    fn a_merge_is_about_both_of_its_names() {
        let merged = r#"{"actor":"ada","alias":"a1"}"#;
        assert!(mentions(merged, Some("ada"), None) && mentions(merged, Some("a1"), None));
        assert!(!mentions(merged, Some("bob"), None) && !mentions(merged, Some("ada"), Some("a")));
    }

    #[test]
    fn a_payload_of_another_aggregate_is_about_neither() {
        assert!(!mentions(r#"{"type":7}"#, None, Some("a")) && !mentions("[]", Some("ada"), None));
        assert!(mentions("{}", None, None));
    }
}
