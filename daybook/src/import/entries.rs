use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use super::activity::{Activity, id_of};
use super::fields::{Field, Fields};
use super::format::{Format, Layout};
use super::table::{Columns, Mapping};
use super::{daybook, posthog, segment};

/// A longer line is no activity, in bytes: the door takes 1 MiB, and other formats may need more words for the same.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How much of a refused record is kept, in bytes.
const SHOWN_BYTES_MAX: usize = 4 * 1024;
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A record of a file, on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it begins in the file, counted from 1.
    pub(crate) line: u64,
    /// What is sent, or the beginning of what cannot be sent.
    pub(crate) text: String,
    /// Why it is not sent.
    pub(crate) fault: Option<String>,
}

/// How the records of a file are read.
pub(crate) struct Reading {
    pub(crate) layout: Layout,
    pub(crate) mapping: Mapping,
    /// What ids are made of, with line and record.
    pub(crate) source: String,
    /// Records up to this line are passed over.
    pub(crate) after: u64,
}

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The table cannot be read at all.
    #[error("{0}")]
    Table(String),
}

impl Reading {
    /// Gives each record to `to`, until that breaks off.
    pub(crate) fn read(
        &self,
        text: impl BufRead,
        to: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        if self.layout.is_table { self.read_table(text, to) } else { Ok(self.read_lines(text, to)?) }
    }

    fn read_lines(
        &self,
        mut text: impl BufRead,
        mut to: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let mut buffer = Vec::new();
        for line in 1.. {
            buffer.clear();
            if text.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut buffer)? == 0 {
                break;
            }
            let is_cut = buffer.len() == LINE_BYTES_MAX && !buffer.ends_with(b"\n");
            if is_cut {
                text.skip_until(b'\n')?;
            }
            let record = String::from_utf8_lossy(&buffer);
            let record = if line == 1 { record.trim_start_matches(BYTE_ORDER_MARK) } else { &record };
            let record = record.trim();
            if line <= self.after || record.is_empty() {
                continue;
            }
            let made =
                if is_cut { Err("the line is too long".to_owned()) } else { self.of_line(line, record) };
            if to(entry(line, record, made)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn of_line(&self, line: u64, record: &str) -> Result<String, String> {
        let fields = Fields::of_json(record)?;
        let make_id = || id_of(&self.source, line, record.as_bytes());
        match self.layout.format {
            Format::Posthog => posthog::event(&fields).into_line(make_id),
            Format::Segment => segment::message(&fields)?.into_line(make_id),
            Format::Daybook if daybook::is_event(&fields) => daybook::replayed(&fields),
            Format::Daybook => daybook::exported(&fields, false).into_line(make_id),
            // As it stands, so that the door sees every field that it does not know.
            _ if fields.get("id").is_some() => Ok(record.to_owned()),
            _ => {
                let others = fields.into_pairs().filter(|(name, _)| name != "id");
                let id = ("id".into(), Field::Text(make_id().into()));
                let whole = Field::Object(others.chain([id]).collect());
                serde_json::to_string(&whole).map_err(|error| error.to_string())
            }
        }
    }

    fn read_table(
        &self,
        text: impl BufRead,
        mut to: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
        let header: Vec<String> = reader.headers().map_err(csv_error)?.iter().map(named).collect();
        let columns = match self.layout.format {
            Format::Csv => Some(self.mapping.columns(&header).map_err(ReadError::Table)?),
            _ => None,
        };
        let mut record = csv::StringRecord::new();
        loop {
            let line = reader.position().line();
            let (line, shown, made) = match reader.read_record(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => {
                    let line = record.position().map_or(line, csv::Position::line);
                    let shown = record.iter().collect::<Vec<_>>().join(",");
                    let made = self.of_row(line, columns.as_ref(), &header, &record);
                    (line, shown, made)
                }
                Err(error) if error.is_io_error() => return Err(csv_error(error)),
                Err(error) => (line, String::new(), Err(error.to_string())),
            };
            if line > self.after && to(entry(line, &shown, made)).is_break() {
                return Ok(());
            }
        }
    }

    fn of_row(
        &self,
        line: u64,
        columns: Option<&Columns>,
        header: &[String],
        record: &csv::StringRecord,
    ) -> Result<String, String> {
        if record.len() != header.len() {
            return Err(format!("{} cells where there are {} columns", record.len(), header.len()));
        }
        let make_id =
            || id_of(&self.source, line, record.iter().collect::<Vec<_>>().join("\u{1f}").as_bytes());
        if let Some(columns) = columns {
            return columns.activity(record)?.into_line(make_id);
        }
        let fields: Fields<'_> = header
            .iter()
            .zip(record)
            .map(|(name, cell)| (name.as_str().into(), Field::Text(cell.into())))
            .collect();
        let activity: Activity<'_> = match self.layout.format {
            Format::Posthog => posthog::event(&fields),
            _ if daybook::is_event(&fields) => return daybook::replayed(&fields),
            _ => daybook::exported(&fields, true),
        };
        activity.into_line(make_id)
    }
}

/// The name of a column, without the byte order mark before the first one.
fn named(name: &str) -> String {
    name.trim_start_matches(BYTE_ORDER_MARK).trim().to_owned()
}

fn csv_error(error: csv::Error) -> ReadError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ReadError::Io(error),
        other => ReadError::Table(format!("{other:?}")),
    }
}

fn entry(line: u64, record: &str, made: Result<String, String>) -> Entry {
    match made {
        Ok(text) => Entry { line, text, fault: None },
        Err(fault) => {
            let end = record.floor_char_boundary(SHOWN_BYTES_MAX);
            Entry { line, text: record[..end].to_owned(), fault: Some(fault) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: Format, after: u64, text: &str) -> Vec<Entry> {
        let layout = Layout::of(format, text.as_bytes()).unwrap();
        let reading = Reading { layout, mapping: Mapping::default(), source: "a".to_owned(), after };
        let mut entries = Vec::new();
        let to = |entry| {
            entries.push(entry);
            ControlFlow::Continue(())
        };
        reading.read(text.as_bytes(), to).unwrap();
        entries
    }

    #[test]
    fn a_record_without_an_id_gets_one_that_is_always_the_same() {
        let text = "\u{feff}{\"type\":\"a\",\"actor\":\"b\"}\r\n\n{\"id\":\"c\",\"type\":\"a\", \"actor\":\"b\"}\nno JSON";
        let entries = read(Format::Auto, 0, text);
        assert_eq!(entries, read(Format::Auto, 0, text));
        assert_eq!(entries.iter().map(|entry| entry.line).collect::<Vec<_>>(), [1, 3, 4]);
        assert!(entries[0].text.contains("\"id\":\"import-"), "{}", entries[0].text);
        assert_eq!(entries[1].text, "{\"id\":\"c\",\"type\":\"a\", \"actor\":\"b\"}");
        assert!(entries[2].fault.is_some() && entries[2].text == "no JSON");
        // The same record at another line is another activity.
        let twice =
            read(Format::Auto, 0, "{\"type\":\"a\",\"actor\":\"b\"}\n{\"type\":\"a\",\"actor\":\"b\"}");
        assert_ne!(twice[0].text, twice[1].text);
        assert_eq!(twice[0].text, entries[0].text);
    }

    #[test]
    fn reading_goes_on_after_a_line() {
        let text = "type,actor,note\na,b,\"two\nlines\"\nc,d\ne,f,g\n";
        let all = read(Format::Csv, 0, text);
        assert_eq!(all.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 4, 5]);
        assert_eq!(all[1].fault.as_deref(), Some("2 cells where there are 3 columns"));
        assert!(all[0].text.contains(r#""note":"two\nlines""#), "{}", all[0].text);
        for (after, left) in [(1, 3), (2, 2), (4, 1), (5, 0)] {
            assert_eq!(read(Format::Csv, after, text), all[3 - left..], "{after}");
        }
    }
}
