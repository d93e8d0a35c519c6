use std::borrow::Cow;
use std::io::{self, Write};

use clap::ValueEnum;
use command_service::HistoryEvent;
use domain::ActivityId;
use event_store::RecordedEvent;

use crate::output::{is_unseen, printable};

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line, as GET /v1/history answers
    Ndjson,
    /// RFC 4180, with a line of names; an `activity_id` that a spreadsheet would take for a formula begins with an apostrophe
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
                out.extend_from_slice(HistoryEvent::from(event).to_line()?.as_bytes());
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
    write!(out, "{},{},", quoted(&event.aggregate_type), quoted(&event.aggregate_id))?;
    write!(out, "{},", quoted(&no_formula(activity_id(event).unwrap_or_default())))?;
    write!(out, "{},{},{},", event.sequence, quoted(&event.event_type), quoted(&event.event_version))?;
    write!(out, "{},{},", event.event_id, event.customer_id)?;
    let (payload, metadata) = (event.payload.canonical_line(), event.metadata.canonical_line());
    write!(out, "{},{}\r\n", quoted(&payload), quoted(&metadata))
}

/// A field as RFC 4180 wants it, and quoted too for those who take a semicolon or a tab for the end of a field, or another
/// character for the end of a line.
fn quoted(text: &str) -> String {
    let ends = |c: char| matches!(c, '"' | ',' | ';') || c.is_control() || is_unseen(c);
    if text.contains(ends) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A field that a spreadsheet would take for a formula begins with an apostrophe, which makes it text there (OWASP, CSV
/// injection). Only a client's own id can begin so, and `aggregate_id` has it as it is.
fn no_formula(text: &str) -> Cow<'_, str> {
    if text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
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
    fn an_event_forged_within_an_event_is_neither_a_line_nor_a_row() {
        let forged = "{\"actor\":\"a\",\"type\":\"t\",\"properties\":{\"x\":\n{\"partition\":0}\r\n,\"y\":\"\u{2028}\u{85}\"}}";
        let event = RecordedEvent { aggregate_id: "c:i\u{2028}d".to_owned(), ..event(forged) };
        let breaks = ['\n', '\r', '\u{85}', '\u{2028}'];
        let line = written(Format::Ndjson, &event);
        assert!(!line.trim_end_matches('\n').contains(breaks), "{line}");
        let line = written(Format::Csv, &event);
        let fields = line.strip_suffix("\r\n").unwrap();
        assert!(!fields.contains(['\n', '\r', '\u{85}']), "{fields}");
        assert!(fields.contains("\"i\u{2028}d\""), "what stays is quoted: {fields}");
        let line = written(Format::Table, &event);
        assert!(!line.trim_end_matches('\n').contains(breaks), "{line}");
    }

    #[test]
    fn an_id_is_no_formula_of_a_spreadsheet() {
        for id in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1", "=a;b"] {
            let event = RecordedEvent { aggregate_id: format!("c:{id}"), ..event("{}") };
            let line = written(Format::Csv, &event);
            let shown = if id.contains(';') { format!(",\"'{id}\",") } else { format!(",'{id},") };
            assert!(line.contains(&shown), "{line}");
            let as_it_is = [format!("c:{id},"), format!("\"c:{id}\",")];
            assert!(as_it_is.iter().any(|text| line.contains(text)), "{line}");
        }
        let line = written(Format::Csv, &RecordedEvent { aggregate_id: "c:a;b".to_owned(), ..event("{}") });
        assert!(line.contains("\"c:a;b\",\"a;b\","), "{line}");
    }

    #[test]
    fn a_row_says_nothing_to_a_terminal() {
        let hostile = r#"{"type":"\u001b[2Jt","actor":"a\u009b31m\u202eb\u200b"}"#;
        let event = RecordedEvent { aggregate_id: "c:\u{1b}]0;x\u{7}\u{2066}".to_owned(), ..event(hostile) };
        let line = written(Format::Table, &event);
        assert!(line.contains("·]0;x··") && line.contains("a·31m·b·") && line.ends_with("·[2Jt\n"), "{line}");
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
