use std::io::{self, Write};

use clap::ValueEnum;
use domain::ActivityId;
use event_store::{HistoryEvent, RecordedEvent};

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line, as GET /v1/history answers
    Ndjson,
    /// RFC 4180, with a line of names
    Csv,
    /// For people
    Table,
}

const CSV_HEAD: &str = "partition,position,recorded_at,aggregate_type,aggregate_id,activity_id,sequence,event_type,\
event_version,event_id,customer_id,payload,metadata";

impl Format {
    /// What stands before the first event.
    pub(super) fn head(self, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Ndjson => Ok(()),
            Self::Csv => write!(out, "{CSV_HEAD}\r\n"),
            Self::Table => {
                let names = ["RECORDED", "PART", "POSITION", "EVENT", "STREAM", "ACTOR", "TYPE"];
                row(out, names.map(str::to_owned))
            }
        }
    }

    /// An event, with the end of its line.
    pub(super) fn event(self, event: &RecordedEvent, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Ndjson => {
                serde_json::to_writer(&mut *out, &HistoryEvent::from(event))?;
                out.push(b'\n');
                Ok(())
            }
            Self::Csv => csv(event, out),
            Self::Table => table(event, out),
        }
    }
}

fn activity_id(event: &RecordedEvent) -> Option<&str> {
    ActivityId::of_stream(&event.aggregate_id).filter(|_| event.aggregate_type == "activity")
}

fn csv(event: &RecordedEvent, out: &mut Vec<u8>) -> io::Result<()> {
    write!(out, "{},{},{},", event.partition, event.position, time(event))?;
    for text in [&event.aggregate_type, &event.aggregate_id, activity_id(event).unwrap_or_default()] {
        write!(out, "{},", quoted(text))?;
    }
    write!(out, "{},{},{},", event.sequence, quoted(&event.event_type), quoted(&event.event_version))?;
    write!(out, "{},{},", event.event_id, event.customer_id)?;
    write!(out, "{},{}\r\n", quoted(event.payload.as_str()), quoted(event.metadata.as_str()))
}

/// A field as RFC 4180 wants it.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn time(event: &RecordedEvent) -> String {
    event.recorded_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

fn table(event: &RecordedEvent, out: &mut Vec<u8>) -> io::Result<()> {
    let payload = event.payload.to_value();
    let now = if payload["after"].is_object() { &payload["after"] } else { &payload };
    let said = if now["actor"].is_string() { now } else { &payload["before"] };
    let text = |field: &str| said[field].as_str().unwrap_or("-").to_owned();
    let stream = activity_id(event).unwrap_or(&event.aggregate_id).to_owned();
    row(
        out,
        [
            event.recorded_at.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            event.partition.to_string(),
            event.position.to_string(),
            event.event_type.clone(),
            stream,
            text("actor"),
            text("type"),
        ],
    )
}

/// Widths of the columns; what is longer is cut, so that lines stay lines.
const WIDTHS: [usize; 6] = [23, 4, 9, 18, 36, 24];

fn row(out: &mut Vec<u8>, cells: [String; 7]) -> io::Result<()> {
    let [recorded, partition, position, event, stream, actor, activity_type] =
        cells.map(|cell| printable(&cell));
    let [recorded_width, partition_width, position_width, event_width, stream_width, actor_width] = WIDTHS;
    writeln!(
        out,
        "{recorded:<recorded_width$}  {partition:>partition_width$}  {position:>position_width$}  {:<event_width$}  \
         {:<stream_width$}  {:<actor_width$}  {activity_type}",
        cut(&event, event_width),
        cut(&stream, stream_width),
        cut(&actor, actor_width),
    )
}

/// What clients send must not move the cursor of whoever reads it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};
    use domain::{CustomerId, Json, Partition};

    use super::*;

    fn event(payload: &str) -> RecordedEvent {
        let json = |text: &str| -> Json { serde_json::from_str(text).unwrap() };
        RecordedEvent {
            partition: Partition(3),
            position: 17,
            aggregate_type: "activity".to_owned(),
            aggregate_id: format!("{}:a,\"b\"", CustomerId::default()),
            sequence: 1,
            event_type: "ActivityRecorded".to_owned(),
            event_version: "2.0.0".to_owned(),
            recorded_at: Utc.timestamp_opt(1_700_000_000, 123_456_000).unwrap(),
            event_id: uuid(),
            customer_id: CustomerId::default(),
            payload: json(payload),
            metadata: json("{}"),
        }
    }

    fn uuid() -> sqlx::types::Uuid {
        sqlx::types::Uuid::nil()
    }

    fn written(format: Format, event: &RecordedEvent) -> String {
        let mut out = Vec::new();
        format.event(event, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_of_json_is_what_history_answers() {
        let line = written(Format::Ndjson, &event(r#"{"type":"page.viewed","actor":"ada"}"#));
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["position"], &value["activity_id"]), (&17.into(), &"a,\"b\"".into()));
        assert_eq!(value["payload"]["type"], "page.viewed");
    }

    #[test]
    fn csv_has_as_many_fields_as_names_and_quotes_what_needs_it() {
        let line = written(Format::Csv, &event(r#"{"type":"page.viewed","actor":"a\"da"}"#));
        assert!(line.ends_with("\r\n"), "{line}");
        assert!(line.contains(r#","a,""b""","#), "{line}");
        assert!(line.contains(r#","{""type"":""page.viewed"",""actor"":""a\""da""}","#), "{line}");
        // Outside of quotes there are as many commas as between the names.
        let mut quoted = false;
        let commas = line.chars().filter(|c| {
            quoted ^= *c == '"';
            *c == ',' && !quoted
        });
        assert_eq!(commas.count(), CSV_HEAD.matches(',').count());
    }

    #[test]
    fn a_row_stays_a_line_and_shows_what_holds_now() {
        let corrected = r#"{"before":{"type":"old","actor":"ada"},"after":{"type":"new","actor":"a\nda"}}"#;
        let line = written(Format::Table, &event(corrected));
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.contains("a·da") && line.ends_with("new\n"), "{line}");
        let redacted = r#"{"before":{"type":"old","actor":"ada"}}"#;
        assert!(written(Format::Table, &event(redacted)).ends_with("old\n"));
    }
}
