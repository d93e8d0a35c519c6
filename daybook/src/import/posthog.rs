use super::activity::Activity;
use super::fields::Fields;
use super::time::normal;

/// Whether it is an event as `PostHog` exports it: of a batch export, of the events' API or of a table.
pub(super) fn is_event(fields: &Fields<'_>) -> bool {
    fields.has("event") && fields.has("distinct_id")
}

/// An event of `PostHog`. Its properties stay as they are, those of its own, which begin with `$`, among them.
pub(super) fn event<'a>(fields: &'a Fields<'a>) -> Activity<'a> {
    Activity {
        id: fields.text("uuid").or_else(|| fields.text("id")),
        activity_type: fields.text("event"),
        actor: fields.text("distinct_id"),
        occurred_at: fields.text("timestamp").map(|text| normal(&text).into_owned().into()),
        properties: fields.object("properties"),
        ..Activity::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_batch_export_is_an_activity() {
        let line = r#"{"uuid":"0190-a","event":"$pageview","distinct_id":"ada","properties":"{\"$ip\":\"1.2.3.4\",\"n\":1.10}",
            "timestamp":"2026-03-01 09:30:00.123000+00:00","team_id":1,"elements_chain":""}"#;
        let fields = Fields::of_json(line).unwrap();
        assert!(is_event(&fields));
        assert_eq!(
            event(&fields).into_line(String::new).unwrap(),
            r#"{"id":"0190-a","type":"$pageview","actor":"ada","occurred_at":"2026-03-01T09:30:00.123Z","properties":{"$ip":"1.2.3.4","n":1.10}}"#
        );
    }
}
