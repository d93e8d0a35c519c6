use std::borrow::Cow;

use super::activity::Activity;
use super::fields::{Field, Fields, number};

/// The columns that only an export of activities has.
const EXPORTED: [&str; 4] = ["recorded_at", "partition", "position", "sequence"];
const RECORDED: &str = "ActivityRecorded";

/// Whether it is an event of the log, as `daybook replay` and `GET /v1/history` write it.
pub(super) fn is_event(fields: &Fields<'_>) -> bool {
    ["aggregate_id", "event_type", "payload"].iter().all(|name| fields.has(name))
}

/// Whether it is an activity as `GET /v1/activities` writes it.
pub(super) fn is_exported(fields: &Fields<'_>) -> bool {
    EXPORTED.iter().all(|name| fields.has(name))
}

/// An activity as it stood when it was exported. From a table, an apostrophe before a text that a spreadsheet would take for
/// a formula goes.
pub(super) fn exported<'a>(fields: &'a Fields<'a>, is_table: bool) -> Activity<'a> {
    let text = |name| fields.text(name).map(|text| if is_table { without_apostrophe(text) } else { text });
    Activity {
        id: text("id"),
        activity_type: text("type"),
        actor: text("actor"),
        occurred_at: fields.text("occurred_at"),
        value: match fields.get("value") {
            Some(Field::Text(text)) => Some(number(text)),
            value => value.cloned(),
        },
        properties: fields.object("properties"),
        context: fields.object("context"),
    }
}

/// An event of the log, if it recorded an activity.
pub(super) fn replayed(fields: &Fields<'_>) -> Result<String, String> {
    let event_type = fields.text("event_type").unwrap_or_default();
    if event_type != RECORDED {
        return Err(format!(
            "{event_type} records no activity: import the activities as they stand, which GET /v1/activities?format=ndjson \
             writes"
        ));
    }
    let stream = fields.text("aggregate_id").unwrap_or_default();
    let (_, id) = stream.split_once(':').ok_or("aggregate_id names no activity")?;
    let payload = fields.object("payload").ok_or("payload is no JSON object")?;
    let payload = serde_json::to_string(&payload).map_err(|error| error.to_string())?;
    let content = Fields::of_json(&payload)?;
    let activity = Activity { id: Some(Cow::Borrowed(id)), ..exported(&content, false) };
    activity.into_line(String::new)
}

fn without_apostrophe(text: Cow<'_, str>) -> Cow<'_, str> {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => Cow::Owned(rest.to_owned()),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_gives_the_activity_that_it_recorded_with_its_id() {
        let event = r#"{"partition":3,"position":7,"aggregate_type":"activity","aggregate_id":"c:a:1","sequence":1,
            "event_type":"ActivityRecorded","payload":{"type":"t","actor":"ada","occurred_at":"2026-03-01T09:30:00Z",
            "occurred_at_source":"receipt","value":1.5,"properties":{"n":1.10}}}"#;
        let fields = Fields::of_json(event).unwrap();
        assert!(is_event(&fields) && !is_exported(&fields));
        assert_eq!(
            replayed(&fields).unwrap(),
            r#"{"id":"a:1","type":"t","actor":"ada","occurred_at":"2026-03-01T09:30:00Z","value":1.5,"properties":{"n":1.10}}"#
        );
        let corrected = event.replace("ActivityRecorded", "ActivityCorrected");
        assert!(replayed(&Fields::of_json(&corrected).unwrap()).unwrap_err().contains("records no activity"));
    }

    #[test]
    fn an_apostrophe_goes_only_where_the_export_put_it() {
        for (cell, text) in [("'=1", "=1"), ("'ada", "'ada"), ("-1", "-1")] {
            assert_eq!(without_apostrophe(cell.into()), text);
        }
    }
}
