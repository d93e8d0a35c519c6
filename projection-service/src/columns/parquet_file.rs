//! One column as one Parquet file, which any reader of Parquet can read.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::reader::ColumnReader;
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::TypePtr;

use super::varint::Unreadable;

/// The encoding of a column of numbers.
#[derive(Clone, Copy)]
pub(super) enum Packing {
    /// Differences to the number before (`DELTA_BINARY_PACKED`).
    Differences,
    /// Indexes of a dictionary (`RLE_DICTIONARY`), for few different numbers.
    Dictionary,
}

fn schema(column: &str) -> TypePtr {
    // The text is one of those below; a fault in it shows in the first test.
    parse_message_type(&format!("message column {{ {column}; }}")).map_or_else(|_| unreachable!(), Arc::new)
}

static INT64: LazyLock<TypePtr> = LazyLock::new(|| schema("REQUIRED INT64 value"));
static OPTIONAL_INT64: LazyLock<TypePtr> = LazyLock::new(|| schema("OPTIONAL INT64 value"));
static OPTIONAL_DOUBLE: LazyLock<TypePtr> = LazyLock::new(|| schema("OPTIONAL DOUBLE value"));
static INT32: LazyLock<TypePtr> = LazyLock::new(|| schema("REQUIRED INT32 value"));
static TEXT: LazyLock<TypePtr> = LazyLock::new(|| schema("REQUIRED BYTE_ARRAY value (STRING)"));

fn properties(packing: Packing, otherwise: Encoding) -> WriterPropertiesPtr {
    Arc::new(
        WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_dictionary_enabled(matches!(packing, Packing::Dictionary))
            .set_encoding(otherwise)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_created_by("daybook".to_owned())
            .build(),
    )
}

fn write<T: DataType>(
    schema: &TypePtr,
    properties: WriterPropertiesPtr,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<Vec<u8>, ParquetError> {
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::clone(schema), properties)?;
    let mut group = writer.next_row_group()?;
    if let Some(mut column) = group.next_column()? {
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(file)
}

fn column(file: Bytes) -> Result<(ColumnReader, usize), ParquetError> {
    let reader = SerializedFileReader::new(file)?;
    let group = reader.get_row_group(0)?;
    let rows = group.metadata().num_rows() as usize;
    Ok((group.get_column_reader(0)?, rows))
}

fn read<T: DataType>(file: Bytes) -> Result<(Vec<T::T>, Vec<i16>), ParquetError> {
    let (column, rows) = column(file)?;
    let mut column = get_typed_column_reader::<T>(column);
    let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::new());
    let mut read = 0;
    while read < rows {
        let (records, _, _) = column.read_records(rows - read, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            break;
        }
        read += records;
    }
    Ok((values, levels))
}

/// Parquet writes to memory here, which cannot fail for what a column holds.
fn written(file: Result<Vec<u8>, ParquetError>) -> Vec<u8> {
    file.unwrap_or_else(|error| unreachable!("a column is written to memory: {error}"))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: ParquetError) -> Unreadable {
    tracing::error!(%error, "a column of the read model is no Parquet file");
    Unreadable("it is no Parquet file")
}

pub(super) fn write_i64(values: &[i64], packing: Packing) -> Vec<u8> {
    written(write::<Int64Type>(&INT64, properties(packing, Encoding::DELTA_BINARY_PACKED), values, None))
}

pub(crate) fn read_i64(file: Bytes) -> Result<Vec<i64>, Unreadable> {
    read::<Int64Type>(file).map(|(values, _)| values).map_err(unreadable)
}

pub(super) fn write_i32(values: &[i32], packing: Packing) -> Vec<u8> {
    written(write::<Int32Type>(&INT32, properties(packing, Encoding::DELTA_BINARY_PACKED), values, None))
}

pub(crate) fn read_i32(file: Bytes) -> Result<Vec<i32>, Unreadable> {
    read::<Int32Type>(file).map(|(values, _)| values).map_err(unreadable)
}

/// Numbers where some rows have none.
pub(super) fn write_optional_i64(values: &[Option<i64>]) -> Vec<u8> {
    let (numbers, levels) = present(values);
    let properties = properties(Packing::Dictionary, Encoding::DELTA_BINARY_PACKED);
    written(write::<Int64Type>(&OPTIONAL_INT64, properties, &numbers, Some(&levels)))
}

/// Doubles where some rows have none.
pub(super) fn write_optional_f64(values: &[Option<f64>]) -> Vec<u8> {
    let (numbers, levels) = present(values);
    let properties = properties(Packing::Dictionary, Encoding::BYTE_STREAM_SPLIT);
    written(write::<parquet::data_type::DoubleType>(&OPTIONAL_DOUBLE, properties, &numbers, Some(&levels)))
}

fn present<T: Copy>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    (
        values.iter().flatten().copied().collect(),
        values.iter().map(|value| i16::from(value.is_some())).collect(),
    )
}

/// Numbers with `none` where a row has none.
pub(super) fn read_optional_i64(file: Bytes, none: i64) -> Result<Vec<i64>, Unreadable> {
    read::<Int64Type>(file).map(|(values, levels)| spread(values, &levels, none)).map_err(unreadable)
}

/// Doubles with NaN where a row has none.
pub(super) fn read_optional_f64(file: Bytes) -> Result<Vec<f64>, Unreadable> {
    read::<parquet::data_type::DoubleType>(file)
        .map(|(values, levels)| spread(values, &levels, f64::NAN))
        .map_err(unreadable)
}

fn spread<T: Copy>(values: Vec<T>, levels: &[i16], none: T) -> Vec<T> {
    if values.len() == levels.len() {
        return values;
    }
    let mut values = values.into_iter();
    levels.iter().map(|level| if *level == 0 { none } else { values.next().unwrap_or(none) }).collect()
}

pub(super) fn write_texts<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let texts: Vec<ByteArray> = texts.map(ByteArray::from).collect();
    let properties = properties(Packing::Differences, Encoding::PLAIN);
    written(write::<ByteArrayType>(&TEXT, properties, &texts, None))
}

/// Calls `see` with every text.
pub(super) fn read_texts(file: Bytes, mut see: impl FnMut(&str)) -> Result<(), Unreadable> {
    let (texts, _) = read::<ByteArrayType>(file).map_err(unreadable)?;
    for text in &texts {
        see(std::str::from_utf8(text.data()).map_err(|_| Unreadable("a text is not UTF-8"))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_as_they_were_written() {
        let numbers: Vec<i64> = (0..70_000).map(|number| number * 7_919 % 65_537 - 5).collect();
        for packing in [Packing::Differences, Packing::Dictionary] {
            assert_eq!(read_i64(write_i64(&numbers, packing).into()).unwrap(), numbers);
        }
        let small: Vec<i32> = numbers.iter().map(|number| *number as i32 % 20).collect();
        let file = write_i32(&small, Packing::Dictionary);
        assert!(file.len() < 70_000, "{} bytes", file.len());
        assert_eq!(read_i32(file.into()).unwrap(), small);
        let some: Vec<Option<i64>> =
            numbers.iter().map(|number| (number % 3 == 0).then_some(*number)).collect();
        let spread: Vec<i64> = some.iter().map(|number| number.unwrap_or(i64::MIN)).collect();
        assert_eq!(read_optional_i64(write_optional_i64(&some).into(), i64::MIN).unwrap(), spread);
        let mut texts = Vec::new();
        read_texts(write_texts(["", "é", "a"].into_iter()).into(), |text| texts.push(text.to_owned()))
            .unwrap();
        assert_eq!(texts, ["", "é", "a"]);
        assert!(read_i64(Bytes::from_static(&[1, 2, 3])).is_err());
        assert!(read_i64(write_i64(&[], Packing::Differences).into()).unwrap().is_empty());
    }
}
