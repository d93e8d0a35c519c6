use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::{Cell, Column, Kind};
use super::parquet_file::ParquetWriter;
use super::{Format, csv_text};
use crate::error::ReportsError;

/// Names of fields that are times.
const TIMES: [&str; 3] = ["bucket", "first_seen", "last_seen"];

/// A report as a table: the items of its lists, one after the other, each a row. Of several lists, the column `part` says
/// which.
#[derive(Debug, PartialEq)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    /// The items as they are in the report.
    lines: Vec<u8>,
}

/// The fields of an object, in their order.
struct Fields<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Fields<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

struct InOrder<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
    type Value = Fields<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<T>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

impl Table {
    /// Converts a report into a table.
    ///
    /// # Errors
    /// [`ReportsError::Internal`] if the report is no object.
    pub(crate) fn of(body: &impl Serialize) -> Result<Self, ReportsError> {
        let unreadable = |error: serde_json::Error| ReportsError::Internal(error.to_string());
        let json = serde_json::to_string(body).map_err(unreadable)?;
        let Fields(fields) = serde_json::from_str::<Fields<&RawValue>>(&json).map_err(unreadable)?;
        let lists: Vec<(String, Vec<&RawValue>)> = fields
            .into_iter()
            .filter(|(_, value)| value.get().starts_with('['))
            .map(|(name, value)| Ok((name, serde_json::from_str(value.get())?)))
            .collect::<Result<_, serde_json::Error>>()
            .map_err(unreadable)?;
        let has_parts = lists.len() > 1;
        let (mut table, mut rows) = (Builder::default(), Vec::new());
        let mut lines = Vec::new();
        for (part, items) in &lists {
            for item in items {
                let mut row = Vec::new();
                if has_parts {
                    table.put(&mut row, "part", Cell::Text(part.clone()));
                }
                let Fields(fields) =
                    serde_json::from_str::<Fields<&RawValue>>(item.get()).map_err(unreadable)?;
                for (name, value) in fields {
                    table.field(&mut row, &name, value);
                }
                rows.push(row);
                lines.extend_from_slice(item.get().as_bytes());
                lines.push(b'\n');
            }
        }
        Ok(table.build(rows, lines))
    }

    /// Writes the table in a format.
    ///
    /// # Errors
    /// [`ReportsError::Internal`] if it cannot be written.
    pub(crate) fn write(self, format: Format) -> Result<Vec<u8>, ReportsError> {
        match format {
            Format::Json | Format::Ndjson => Ok(self.lines),
            Format::Csv => Ok([csv_text::header(&self.columns)?, csv_text::rows(&self.rows)?].concat()),
            Format::Parquet => {
                let mut writer = ParquetWriter::new(self.columns)?;
                let mut file = writer.write(&self.rows)?;
                file.extend(writer.finish()?);
                Ok(file)
            }
        }
    }
}

/// The columns in the order in which their names first occur.
#[derive(Default)]
struct Builder {
    names: Vec<String>,
    kinds: Vec<Option<Kind>>,
}

impl Builder {
    /// A value, or one for each item of an array: `retained_0`, `retained_1`.
    fn field(&mut self, row: &mut Vec<Cell>, name: &str, value: &RawValue) {
        if value.get().starts_with('[')
            && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get())
        {
            for (index, item) in items.into_iter().enumerate() {
                self.field(row, &format!("{name}_{index}"), item);
            }
            return;
        }
        let cell = match Cell::of_json(value) {
            Cell::Text(text) if TIMES.contains(&name) => chrono::DateTime::parse_from_rfc3339(&text)
                .map_or_else(|_| Cell::Text(text.clone()), |time| Cell::Time(time.timestamp_micros())),
            cell => cell,
        };
        self.put(row, name, cell);
    }

    fn put(&mut self, row: &mut Vec<Cell>, name: &str, cell: Cell) {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.kinds.push(None);
            self.names.len() - 1
        });
        self.kinds[index] = match (self.kinds[index], cell.kind()) {
            (None, kind) | (kind, None) => kind,
            (Some(one), Some(other)) if one == other => Some(one),
            (Some(Kind::Whole | Kind::Real), Some(Kind::Whole | Kind::Real)) => Some(Kind::Real),
            _ => Some(Kind::Text),
        };
        row.resize(row.len().max(index + 1), Cell::None);
        row[index] = cell;
    }

    fn build(self, mut rows: Vec<Vec<Cell>>, lines: Vec<u8>) -> Table {
        for row in &mut rows {
            row.resize(self.names.len(), Cell::None);
        }
        let column = |(name, kind): (String, Option<Kind>)| Column { name, kind: kind.unwrap_or(Kind::Text) };
        Table { columns: self.names.into_iter().zip(self.kinds).map(column).collect(), rows, lines }
    }
}
