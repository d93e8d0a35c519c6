use std::borrow::Cow;

use super::activity::Activity;
use super::fields::Fields;
use super::time::normal;

const TYPES: [&str; 6] = ["track", "page", "screen", "identify", "group", "alias"];

/// Whether it is a message as Segment and `RudderStack` keep them.
pub(super) fn is_message(fields: &Fields<'_>) -> bool {
    let is_type = fields.text("type").is_some_and(|text| TYPES.contains(&text.as_ref()));
    is_type && ["messageId", "userId", "anonymousId"].iter().any(|name| fields.has(name))
}

/// A message, if it says that somebody did something.
pub(super) fn message<'a>(fields: &'a Fields<'a>) -> Result<Activity<'a>, String> {
    let kind = fields.text("type").unwrap_or_default();
    let activity_type = match kind.as_ref() {
        "track" => fields.text("event"),
        "page" | "screen" => Some(Cow::Owned(kind.clone().into_owned())),
        other => return Err(format!("{other} says who somebody is, and no activity")),
    };
    let time = fields.text("timestamp").or_else(|| fields.text("originalTimestamp"));
    Ok(Activity {
        id: fields.text("messageId"),
        activity_type,
        actor: fields.text("userId").or_else(|| fields.text("anonymousId")),
        occurred_at: time.map(|text| normal(&text).into_owned().into()),
        properties: fields.object("properties"),
        context: fields.object("context"),
        ..Activity::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_did_is_an_activity_and_who_somebody_is_is_none() {
        let line = r#"{"type":"track","event":"Order Completed","messageId":"m-1","userId":"","anonymousId":"anon",
            "timestamp":"2026-03-01T09:30:00.000Z","properties":{"revenue":25.10},"context":{"ip":"1.2.3.4"}}"#;
        let fields = Fields::of_json(line).unwrap();
        assert!(is_message(&fields));
        assert_eq!(
            message(&fields).unwrap().into_line(String::new).unwrap(),
            r#"{"id":"m-1","type":"Order Completed","actor":"anon","occurred_at":"2026-03-01T09:30:00Z","properties":{"revenue":25.10},"context":{"ip":"1.2.3.4"}}"#
        );
        let page = Fields::of_json(r#"{"type":"page","messageId":"m-2","userId":"ada"}"#).unwrap();
        assert_eq!(message(&page).unwrap().activity_type.unwrap(), "page");
        let identify = Fields::of_json(r#"{"type":"identify","userId":"ada"}"#).unwrap();
        assert!(is_message(&identify) && message(&identify).is_err());
    }
}
