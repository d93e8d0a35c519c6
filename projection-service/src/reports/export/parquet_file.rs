use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::cell::{Cell, Column, Kind};
use crate::error::ReportsError;

/// Writes a Parquet file row group by row group; the bytes of a finished group can be sent at once.
pub(super) struct ParquetWriter {
    columns: Vec<Column>,
    writer: SerializedFileWriter<Written>,
    written: Written,
}

/// Bytes that were written and not yet sent.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<ParquetError> for ReportsError {
    fn from(error: ParquetError) -> Self {
        Self::Internal(format!("an export: {error}"))
    }
}

impl ParquetWriter {
    pub(super) fn new(columns: Vec<Column>) -> Result<Self, ReportsError> {
        let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder("rows").with_fields(fields).build()?;
        let properties = WriterProperties::builder().set_compression(Compression::LZ4_RAW).build();
        let written = Written::default();
        let writer = SerializedFileWriter::new(written.clone(), Arc::new(schema), Arc::new(properties))?;
        Ok(Self { columns, writer, written })
    }

    /// Writes rows as a group of their own.
    pub(super) fn write(&mut self, rows: &[Vec<Cell>]) -> Result<Vec<u8>, ReportsError> {
        let mut group = self.writer.next_row_group()?;
        for (index, column) in self.columns.iter().enumerate() {
            let Some(mut writer) = group.next_column()? else { break };
            write_column(&mut writer, column.kind, rows.iter().map(|row| &row[index]))?;
            writer.close()?;
        }
        group.close()?;
        Ok(self.taken())
    }

    /// Writes the end of the file.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, ReportsError> {
        self.writer.finish()?;
        Ok(self.taken())
    }

    fn taken(&self) -> Vec<u8> {
        std::mem::take(&mut *self.written.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Whole => (Physical::INT64, None),
        Kind::Real => (Physical::DOUBLE, None),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(field))
}

fn write_column<'a>(
    writer: &mut SerializedColumnWriter<'_>,
    kind: Kind,
    cells: impl Iterator<Item = &'a Cell>,
) -> Result<(), ParquetError> {
    match kind {
        Kind::Bool => write_values::<BoolType>(writer, cells, |cell| match cell {
            Cell::Bool(value) => Some(*value),
            _ => None,
        }),
        Kind::Whole => write_values::<Int64Type>(writer, cells, |cell| match cell {
            Cell::Whole(number) => Some(*number),
            _ => None,
        }),
        Kind::Time => write_values::<Int64Type>(writer, cells, |cell| match cell {
            Cell::Time(micros) => Some(*micros),
            _ => None,
        }),
        Kind::Real => write_values::<DoubleType>(writer, cells, |cell| match cell {
            Cell::Real(number) => Some(*number),
            Cell::Whole(number) => Some(*number as f64),
            _ => None,
        }),
        Kind::Text => write_values::<ByteArrayType>(writer, cells, |cell| match cell {
            Cell::None => None,
            other => Some(ByteArray::from(other.text().into_bytes())),
        }),
    }
}

fn write_values<'a, T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'a Cell>,
    value: impl Fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let value = value(cell);
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    writer.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}
