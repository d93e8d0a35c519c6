use bytes::Bytes;
use futures::Stream;
use futures::stream::try_unfold;

use super::cell::{Cell, Column, Kind};
use super::parquet_file::ParquetWriter;
use super::{Format, csv_text};
use crate::error::ReportsError;
use crate::reports::listing::Cursor;
use crate::view::Activity;

const COLUMNS: [(&str, Kind); 11] = [
    ("id", Kind::Text),
    ("type", Kind::Text),
    ("actor", Kind::Text),
    ("occurred_at", Kind::Time),
    ("value", Kind::Real),
    ("properties", Kind::Text),
    ("context", Kind::Text),
    ("recorded_at", Kind::Time),
    ("partition", Kind::Whole),
    ("position", Kind::Whole),
    ("sequence", Kind::Whole),
];

/// Writes activities page by page, so that no more than a page of them is ever in memory. `page` reads the page after a
/// cursor.
pub(crate) fn stream<F>(
    format: Format,
    page: impl Fn(Option<Cursor>) -> F + Send + 'static,
) -> impl Stream<Item = Result<Bytes, ReportsError>> + Send + 'static
where
    F: Future<Output = Result<(Vec<Activity>, Option<Cursor>), ReportsError>> + Send,
{
    let start = Step { writer: None, before: None, is_done: false };
    try_unfold((start, page), move |(mut step, page)| async move {
        if step.is_done {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let mut writer = match step.writer.take() {
            Some(writer) => writer,
            None => Writer::begin(format, &mut bytes)?,
        };
        let (activities, next) = page(step.before).await?;
        writer.write(&activities, &mut bytes)?;
        if next.is_none() {
            writer.finish(&mut bytes)?;
        }
        let step = Step { writer: Some(writer), before: next, is_done: next.is_none() };
        Ok(Some((Bytes::from(bytes), (step, page))))
    })
}

struct Step {
    writer: Option<Writer>,
    before: Option<Cursor>,
    is_done: bool,
}

enum Writer {
    Lines,
    Csv,
    Parquet(Box<ParquetWriter>),
}

impl Writer {
    fn begin(format: Format, bytes: &mut Vec<u8>) -> Result<Self, ReportsError> {
        let columns =
            || COLUMNS.iter().map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind }).collect();
        match format {
            Format::Json | Format::Ndjson => Ok(Self::Lines),
            Format::Csv => {
                let columns: Vec<Column> = columns();
                bytes.extend(csv_text::header(&columns)?);
                Ok(Self::Csv)
            }
            Format::Parquet => Ok(Self::Parquet(Box::new(ParquetWriter::new(columns())?))),
        }
    }

    fn write(&mut self, activities: &[Activity], bytes: &mut Vec<u8>) -> Result<(), ReportsError> {
        let rows = || activities.iter().map(row).collect::<Vec<_>>();
        match self {
            Self::Lines => {
                for activity in activities {
                    serde_json::to_writer(&mut *bytes, activity)
                        .map_err(|error| ReportsError::Internal(error.to_string()))?;
                    bytes.push(b'\n');
                }
            }
            Self::Csv => bytes.extend(csv_text::rows(&rows())?),
            Self::Parquet(writer) => bytes.extend(writer.write(&rows())?),
        }
        Ok(())
    }

    fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<(), ReportsError> {
        if let Self::Parquet(writer) = self {
            bytes.extend(writer.finish()?);
        }
        Ok(())
    }
}

/// In the order of [`COLUMNS`].
fn row(activity: &Activity) -> Vec<Cell> {
    let json = |json: &Option<domain::Json>| {
        json.as_ref().and_then(|json| serde_json::to_string(json).ok()).map_or(Cell::None, Cell::Text)
    };
    vec![
        Cell::Text(activity.id.clone()),
        Cell::Text(activity.activity_type.clone()),
        Cell::Text(activity.actor.clone()),
        Cell::Time(activity.occurred_at.timestamp_micros()),
        activity.value.map_or(Cell::None, Cell::Real),
        json(&activity.properties),
        json(&activity.context),
        Cell::Time(activity.recorded_at.timestamp_micros()),
        Cell::Whole(i64::from(activity.partition)),
        Cell::Whole(activity.position),
        Cell::Whole(activity.sequence),
    ]
}
