use super::cell::{Cell, Column};
use crate::error::ReportsError;

/// What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection).
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The first line.
pub(super) fn header(columns: &[Column]) -> Result<Vec<u8>, ReportsError> {
    lines(std::iter::once(columns.iter().map(|column| harmless(column.name.clone())).collect()))
}

/// A line for each row.
pub(super) fn rows(rows: &[Vec<Cell>]) -> Result<Vec<u8>, ReportsError> {
    let field = |cell: &Cell| match cell {
        Cell::Text(text) => harmless(text.clone()),
        other => other.text(),
    };
    lines(rows.iter().map(|row| row.iter().map(field).collect()))
}

/// Texts come from clients: none may run as a formula where the file is opened.
fn harmless(text: String) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text }
}

fn lines(rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, ReportsError> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| ReportsError::Internal(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| ReportsError::Internal(error.to_string()))
}
