use std::borrow::Cow;

use cqrs_es::Aggregate;
use domain::activity::Activity;
use domain::{ActivityId, canonical_line};
use event_store::RecordedEvent;
use serde::Serialize;

/// An event as auditors read it: an activity's also by the client's own id.
#[derive(Debug, Serialize)]
pub struct HistoryEvent<'a> {
    #[serde(flatten)]
    event: &'a RecordedEvent,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity_id: Option<&'a str>,
}

impl<'a> From<&'a RecordedEvent> for HistoryEvent<'a> {
    fn from(event: &'a RecordedEvent) -> Self {
        let is_activity = event.aggregate_type == Activity::TYPE;
        Self { event, activity_id: ActivityId::of_stream(&event.aggregate_id).filter(|_| is_activity) }
    }
}

impl HistoryEvent<'_> {
    /// The event as JSON on one line, without its end, whatever a client wrote into it: into its payload, or into an id.
    ///
    /// # Errors
    /// None that a stored event can bring about.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        let line = serde_json::to_string(self)?;
        Ok(match canonical_line(&line) {
            Cow::Borrowed(_) => line,
            Cow::Owned(line) => line,
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::{CustomerId, Json, Partition};
    use serde_json::value::RawValue;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_event_is_one_line_whatever_its_id_has() {
        let json = |text: &str| Json(RawValue::from_string(text.to_owned()).unwrap());
        let customer = CustomerId(Uuid::from_u128(9));
        let event = RecordedEvent {
            partition: Partition(0),
            position: 1,
            aggregate_type: "activity".to_owned(),
            aggregate_id: format!("{customer}:a\u{2028}b"),
            sequence: 1,
            event_type: "ActivityRecorded".to_owned(),
            event_version: "2.0.0".to_owned(),
            recorded_at: DateTime::UNIX_EPOCH,
            event_id: Uuid::from_u128(7),
            customer_id: customer,
            payload: json(r#"{"type":"a"}"#),
            metadata: json(r#"{"request_id":"\u0085"}"#),
        };
        let line = HistoryEvent::from(&event).to_line().unwrap();
        assert!(!line.contains(['\n', '\r', '\u{85}', '\u{2028}']), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["activity_id"], "a\u{2028}b");
    }
}
