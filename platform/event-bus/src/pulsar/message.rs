use std::borrow::Cow;

use chrono::{DateTime, Datelike, Timelike, Utc};
use domain::{CustomerId, Json, Partition, canonical_line};
use event_store::RecordedEvent;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::Feed;

/// What the other attributes take, about.
const ATTRIBUTES_BYTES: usize = 512;

/// The `source` of a log's events (CloudEvents 1.0, 3.1.2).
const fn source(feed: Feed) -> &'static str {
    match feed {
        Feed::Activities => "/daybook/activities",
        Feed::Tokens => "/daybook/customers",
    }
}

/// A CloudEvents 1.0 envelope, in JSON.
#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    id: Uuid,
    source: &'static str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(serialize_with = "micros")]
    time: DateTime<Utc>,
    partition: Partition,
    position: i64,
    customerid: CustomerId,
    aggregatetype: &'a str,
    aggregateid: &'a str,
    sequence: i64,
    eventversion: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datacontenttype: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Actor<'a> {
    #[serde(borrow)]
    actor: Option<Cow<'a, str>>,
    #[serde(borrow)]
    before: Option<Before<'a>>,
}

#[derive(Deserialize)]
struct Before<'a> {
    #[serde(borrow)]
    actor: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct Trace<'a> {
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
}

/// The message for an event.
///
/// # Errors
/// None that a stored event can bring about.
pub fn encode(feed: Feed, event: &RecordedEvent) -> Result<Vec<u8>, serde_json::Error> {
    let carries = feed.carries(event);
    // A payload of another shape has no actor.
    let actor: Actor<'_> = serde_json::from_str(event.payload.as_str()).unwrap_or_default();
    let trace = event.metadata.as_str().contains("traceparent");
    let trace: Trace<'_> = if trace {
        serde_json::from_str(event.metadata.as_str()).unwrap_or_default()
    } else {
        Trace::default()
    };
    // The metadata's quotes are escaped. Grown once too often costs less than grown again and again.
    let bytes = event.payload.as_str().len() + 2 * event.metadata.as_str().len() + ATTRIBUTES_BYTES;
    let mut message = Vec::with_capacity(bytes);
    let metadata = event.metadata.canonical_line();
    let envelope = Envelope {
        specversion: "1.0",
        id: event.event_id,
        source: source(feed),
        r#type: &event.event_type,
        subject: actor.actor.or(actor.before.and_then(|before| before.actor)).filter(|_| carries),
        time: event.recorded_at,
        partition: event.partition,
        position: event.position,
        customerid: event.customer_id,
        aggregatetype: &event.aggregate_type,
        aggregateid: &event.aggregate_id,
        sequence: event.sequence,
        eventversion: &event.event_version,
        traceparent: trace.traceparent,
        metadata: carries.then_some(&metadata),
        datacontenttype: carries.then_some("application/json"),
        data: carries.then_some(&event.payload.0),
    };
    serde_json::to_writer(&mut message, &envelope)?;
    // One line whatever a client wrote, into its payload or into an id: many read a topic into files of lines.
    let text = std::str::from_utf8(&message).map_err(serde_json::Error::custom)?;
    Ok(match canonical_line(text) {
        Cow::Borrowed(_) => message,
        Cow::Owned(line) => line.into_bytes(),
    })
}

/// RFC 3339 with microseconds, which is what the log has. Written by hand: chrono's way takes longer than all the other
/// attributes together.
fn micros<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    if !(0..=9_999).contains(&time.year()) {
        return time.serialize(serializer);
    }
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut write = |end: usize, digits: usize, mut number: u32| {
        for place in text[end - digits..end].iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
    };
    write(4, 4, time.year().unsigned_abs());
    write(7, 2, time.month());
    write(10, 2, time.day());
    write(13, 2, time.hour());
    write(16, 2, time.minute());
    write(19, 2, time.second());
    write(26, 6, time.timestamp_subsec_micros().min(999_999));
    serializer.serialize_str(std::str::from_utf8(&text).map_err(S::Error::custom)?)
}

#[derive(Deserialize)]
struct Received {
    id: Uuid,
    r#type: String,
    time: DateTime<Utc>,
    partition: Partition,
    position: i64,
    customerid: CustomerId,
    aggregatetype: String,
    aggregateid: String,
    sequence: i64,
    eventversion: String,
    metadata: String,
    data: Json,
}

/// The event in a message; `None` for a message that carries none: its event is then read from the log.
#[must_use]
pub fn decode(message: &[u8]) -> Option<RecordedEvent> {
    let received: Received = serde_json::from_slice(message).ok()?;
    Some(RecordedEvent {
        partition: received.partition,
        position: received.position,
        aggregate_type: received.aggregatetype,
        aggregate_id: received.aggregateid,
        sequence: received.sequence,
        event_type: received.r#type,
        event_version: received.eventversion,
        recorded_at: received.time,
        event_id: received.id,
        customer_id: received.customerid,
        // The broker may hold messages from before they were lines.
        payload: received.data.into_canonical(),
        metadata: Json(RawValue::from_string(received.metadata).ok()?).into_canonical(),
    })
}

/// Where a message's event has its place.
#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) partition: Partition,
    pub(crate) position: i64,
    datacontenttype: Option<serde::de::IgnoredAny>,
}

impl Place {
    /// Whether the message brings the event itself.
    pub(crate) fn is_carried(&self) -> bool {
        self.datacontenttype.is_some()
    }
}

pub(crate) fn place(message: &[u8]) -> Option<Place> {
    serde_json::from_slice(message).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn event(aggregate_type: &str) -> RecordedEvent {
        let json = |text: &str| Json(RawValue::from_string(text.to_owned()).unwrap());
        RecordedEvent {
            partition: Partition(3),
            position: 17,
            aggregate_type: aggregate_type.into(),
            aggregate_id: "01890a5d-ac96-774b-bcce-b302099a8057:a \"quoted\" id".into(),
            sequence: 1,
            event_type: "ActivityRecorded".into(),
            event_version: "2.0.0".into(),
            recorded_at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
            event_id: Uuid::from_u128(7),
            customer_id: CustomerId(Uuid::from_u128(9)),
            payload: json(r#"{"type":"page.view","actor":"zoë\n","value":1.50}"#),
            metadata: json(r#"{"traceparent":"00-1-2-01","request_id":"r"}"#),
        }
    }

    #[test]
    fn a_message_brings_the_event_as_it_is_in_the_log_to_the_letter() {
        let event = event("activity");
        let message = encode(Feed::Activities, &event).unwrap();
        assert_eq!(format!("{:?}", decode(&message).unwrap()), format!("{event:?}"));
        let place = place(&message).unwrap();
        assert_eq!((place.partition, place.position), (Partition(3), 17));
    }

    #[test]
    fn a_message_is_one_line_however_the_event_was_stored() {
        let json = |text: &str| Json(RawValue::from_string(text.to_owned()).unwrap());
        let stored = RecordedEvent {
            aggregate_id: "01890a5d-ac96-774b-bcce-b302099a8057:a\u{2028}b".into(),
            payload: json(
                "{\"actor\":\"a\u{85}\",\"properties\":{\"x\":\r\n{\"position\": 1}\n, \"n\" : 1.50}}",
            ),
            metadata: json("{\n\"request_id\" : \"\u{2029}\"}"),
            ..event("activity")
        };
        let message = String::from_utf8(encode(Feed::Activities, &stored).unwrap()).unwrap();
        assert!(!message.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']), "{message}");
        let read = decode(message.as_bytes()).unwrap();
        assert_eq!(read.aggregate_id, stored.aggregate_id);
        assert_eq!(
            read.payload.as_str(),
            r#"{"actor":"a\u0085","properties":{"x":{"position":1},"n":1.50}}"#
        );
        // One that was published before.
        let spread = message.replacen("\"data\":{", "\"data\":{\n ", 1);
        assert_eq!(decode(spread.as_bytes()).unwrap().payload.as_str(), read.payload.as_str());
        assert_eq!(read.metadata.as_str(), r#"{"request_id":"\u2029"}"#);
    }

    #[test]
    fn a_message_is_a_cloud_event() {
        let message = encode(Feed::Activities, &event("activity")).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&message).unwrap();
        for (key, expected) in [("specversion", "1.0"), ("subject", "zoë\n"), ("traceparent", "00-1-2-01")] {
            assert_eq!(value[key], expected);
        }
        // Names of attributes are lower case letters and digits (CloudEvents 1.0, 3.1).
        let keys = value.as_object().unwrap().keys();
        assert!(
            keys.into_iter()
                .all(|key| key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
        );
    }

    #[test]
    fn a_time_is_that_of_the_log_whatever_it_is() {
        for micros in [0, 1, 999_999, 1_700_000_000_123_456, 951_782_399_000_000, -1, -62_135_596_800_000_000]
        {
            let time = DateTime::from_timestamp_micros(micros).unwrap();
            let event = RecordedEvent { recorded_at: time, ..event("activity") };
            let message = encode(Feed::Activities, &event).unwrap();
            assert_eq!(decode(&message).unwrap().recorded_at, time);
        }
    }

    #[test]
    fn people_do_not_travel_with_the_revocations() {
        let message = encode(Feed::Tokens, &event("customer")).unwrap();
        assert!(!String::from_utf8_lossy(&message).contains("zoë"));
        assert!(decode(&message).is_none());
        assert_eq!(place(&message).unwrap().position, 17);
        assert!(decode(&encode(Feed::Tokens, &event("token")).unwrap()).is_some());
    }

    #[test]
    fn what_is_no_message_of_ours_is_none() {
        assert!(decode(b"{}").is_none());
        assert!(place(b"hello").is_none());
    }
}
