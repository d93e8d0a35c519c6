use clap::ValueEnum;

use super::fields::{Field, Fields};
use super::{daybook, posthog, segment};

/// What a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Recognised by its first record
    Auto,
    /// Activities as POST /v1/activities takes them, one to a line
    Ndjson,
    /// A table with a line of names, whose columns --map names
    Csv,
    /// What GET /v1/activities?format=ndjson|csv or `daybook replay` wrote
    Daybook,
    /// Events as `PostHog` exports them, as lines of JSON or as a table
    Posthog,
    /// Messages as Segment and `RudderStack` keep them, one to a line
    Segment,
}

/// How a file is read, once it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) format: Format,
    /// Whether it is a table, rather than lines of JSON.
    pub(crate) is_table: bool,
}

impl Layout {
    /// How to read a file that begins so.
    pub(crate) fn of(format: Format, head: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(head);
        let first = text.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty());
        let first = first.unwrap_or_default().trim();
        let is_table = match format {
            Format::Csv => true,
            Format::Ndjson | Format::Segment => false,
            Format::Auto | Format::Daybook | Format::Posthog => !first.starts_with('{') && !first.is_empty(),
        };
        if format != Format::Auto {
            return Ok(Self { format, is_table });
        }
        if first.is_empty() {
            return Ok(Self { format: Format::Ndjson, is_table });
        }
        let format = if is_table { of_table(first) } else { of_lines(first) };
        format.map(|format| Self { format, is_table })
    }
}

fn of_lines(first: &str) -> Result<Format, String> {
    // A first line that is no JSON is refused as such when it is read.
    let Ok(fields) = Fields::of_json(first) else { return Ok(Format::Ndjson) };
    if daybook::is_event(&fields) || daybook::is_exported(&fields) {
        Ok(Format::Daybook)
    } else if segment::is_message(&fields) {
        Ok(Format::Segment)
    } else if fields.has("type") && fields.has("actor") {
        Ok(Format::Ndjson)
    } else if posthog::is_event(&fields) {
        Ok(Format::Posthog)
    } else {
        Err("its first line is of no format that is known; say which with --format".to_owned())
    }
}

fn of_table(first: &str) -> Result<Format, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(first.as_bytes());
    let header = reader.records().next().transpose().map_err(|error| format!("its first line: {error}"))?;
    let header = header.unwrap_or_default();
    let fields: Fields<'_> = header.iter().map(|name| (name.into(), Field::Text(name.into()))).collect();
    if daybook::is_event(&fields) || daybook::is_exported(&fields) {
        Ok(Format::Daybook)
    } else if posthog::is_event(&fields) {
        Ok(Format::Posthog)
    } else {
        Ok(Format::Csv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_recognised_by_its_first_record() {
        for (head, format, is_table) in [
            ("\u{feff}{\"type\":\"a\",\"actor\":\"b\"}\n{", Format::Ndjson, false),
            (
                "\n{\"id\":\"1\",\"type\":\"a\",\"recorded_at\":\"\",\"partition\":1,\"position\":1,\"sequence\":1}\n",
                Format::Daybook,
                false,
            ),
            (
                "{\"aggregate_id\":\"c:1\",\"event_type\":\"ActivityRecorded\",\"payload\":{}}",
                Format::Daybook,
                false,
            ),
            ("partition,aggregate_id,event_type,payload\r\n", Format::Daybook, true),
            ("{\"event\":\"$pageview\",\"distinct_id\":\"1\"}", Format::Posthog, false),
            ("uuid,event,properties,timestamp,distinct_id\n", Format::Posthog, true),
            ("{\"type\":\"track\",\"messageId\":\"1\"}", Format::Segment, false),
            ("event,user_id,time\n", Format::Csv, true),
            ("{broken", Format::Ndjson, false),
            ("", Format::Ndjson, false),
        ] {
            assert_eq!(Layout::of(Format::Auto, head.as_bytes()), Ok(Layout { format, is_table }), "{head}");
        }
        assert!(Layout::of(Format::Auto, b"{\"name\":\"x\"}").is_err());
    }
}
