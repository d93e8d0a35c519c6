use std::fmt;

use bytes::Bytes;

use super::parquet_file::{self, Packing};
use super::texts::Texts;
use super::varint::{Reader, Unreadable, Writer, unpack};
use super::{Dictionary, Field, Scalar, Values};

/// A column of a segment, by which its content is kept and found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ColumnName {
    /// Microseconds since 1970 at which each row happened.
    Time,
    /// The position of the event that made each row's state.
    Position,
    /// For rows that a correction made: the position of the event that first recorded the activity.
    FirstPosition,
    /// For rows that have ended: the position at which they did.
    Ended,
    /// Ordinals of actors.
    Actor,
    /// The column `value`.
    Value,
    /// Values of a field.
    Field(Field),
    /// Values of all fields that too few rows have for a column of their own.
    Rare,
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time => f.write_str("time"),
            Self::Position => f.write_str("position"),
            Self::FirstPosition => f.write_str("first_position"),
            Self::Ended => f.write_str("ended"),
            Self::Actor => f.write_str("actor"),
            Self::Value => f.write_str("value"),
            Self::Field(field) => field.fmt(f),
            Self::Rare => f.write_str("rare"),
        }
    }
}

/// Rows with a number each, in order; the others have none.
pub(crate) type Sparse = Vec<(u32, i64)>;

pub(crate) fn write_sparse(rows: &[(u32, i64)]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.unsigned(rows.len() as u64);
    let (mut row, mut number) = (0, 0_i64);
    for (next_row, next_number) in rows {
        writer.unsigned(u64::from(next_row - row));
        writer.signed(next_number.wrapping_sub(number));
        (row, number) = (*next_row, *next_number);
    }
    writer.finish()
}

/// # Errors
/// [`Unreadable`] for what is no such column.
pub(crate) fn read_sparse(blob: &[u8]) -> Result<Sparse, Unreadable> {
    let unpacked = unpack(blob)?;
    let mut reader = Reader::new(&unpacked);
    let (mut row, mut number) = (0, 0_i64);
    (0..reader.unsigned()?)
        .map(|_| {
            row += reader.unsigned()? as u32;
            number = number.wrapping_add(reader.signed()?);
            Ok((row, number))
        })
        .collect()
}

pub(super) fn write_values(values: &Values) -> Vec<u8> {
    match values {
        Values::Scaled { scale, numbers } => {
            let numbers: Vec<Option<i64>> =
                numbers.iter().map(|number| (*number != Values::NONE).then_some(*number)).collect();
            [&[*scale], parquet_file::write_optional_i64(&numbers).as_slice()].concat()
        }
        Values::Doubles(doubles) => {
            let doubles: Vec<Option<f64>> =
                doubles.iter().map(|value| (!value.is_nan()).then_some(*value)).collect();
            [&[DOUBLES], parquet_file::write_optional_f64(&doubles).as_slice()].concat()
        }
    }
}

/// Stands in the place of a scale.
const DOUBLES: u8 = u8::MAX;

/// # Errors
/// [`Unreadable`] for what is no such column.
pub(crate) fn read_values(mut content: Bytes) -> Result<Values, Unreadable> {
    if content.is_empty() {
        return Err(Unreadable("a column of values is empty"));
    }
    let file = content.split_off(1);
    match content[0] {
        DOUBLES => parquet_file::read_optional_f64(file).map(Values::Doubles),
        scale => {
            let numbers = parquet_file::read_optional_i64(file, Values::NONE)?;
            Ok(Values::Scaled { scale, numbers })
        }
    }
}

/// Up to here, a dictionary of the codes pays.
const PACKED_VALUES_MAX: usize = 4_096;
const LENGTH_BYTES: usize = 4;

pub(super) fn write_dictionary(column: &Dictionary) -> Vec<u8> {
    let texts: Vec<String> = column.values.iter().map(Scalar::to_text).collect();
    let values = parquet_file::write_texts(texts.iter().map(String::as_str));
    let codes: Vec<i32> = column.codes.iter().map(|code| i32::from(*code)).collect();
    let packing = if texts.len() <= PACKED_VALUES_MAX { Packing::Dictionary } else { Packing::Differences };
    let codes = parquet_file::write_i32(&codes, packing);
    [&(values.len() as u32).to_le_bytes(), values.as_slice(), codes.as_slice()].concat()
}

/// # Errors
/// [`Unreadable`] for what is no such column.
pub(crate) fn read_dictionary(mut content: Bytes) -> Result<Dictionary, Unreadable> {
    let Some(length) = content.first_chunk::<LENGTH_BYTES>() else {
        return Err(Unreadable("a column of codes is empty"));
    };
    let length = u32::from_le_bytes(*length) as usize;
    let mut rest = content.split_off(LENGTH_BYTES);
    if rest.len() < length {
        return Err(Unreadable("a column of codes was cut short"));
    }
    let codes = rest.split_off(length);
    let mut values = Vec::new();
    parquet_file::read_texts(rest, |text| values.push(Scalar::of_text(text)))?;
    let codes = parquet_file::read_i32(codes)?.into_iter().map(|code| code as u16).collect::<Vec<_>>();
    if codes.iter().any(|code| usize::from(*code) >= values.len()) {
        return Err(Unreadable("a code has no value"));
    }
    Ok(Dictionary { codes, values })
}

/// Values of fields that few rows have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rare {
    texts: Texts,
    /// Row, name and scalar of each value, by row.
    entries: Vec<(u32, u32, u32)>,
}

impl Rare {
    pub(super) fn push(&mut self, row: u32, name: &str, scalar: &str) {
        let entry = (row, self.texts.number(name), self.texts.number(scalar));
        self.entries.push(entry);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Row, name and scalar of each value, by row.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u32, &str, &str)> {
        self.entries.iter().map(|(row, name, scalar)| (*row, self.texts.get(*name), self.texts.get(*scalar)))
    }

    /// The column of one field.
    pub(crate) fn dictionary(&self, field: &Field, rows: usize) -> Dictionary {
        let mut column = Dictionary::absent(rows);
        let Some(name) = self.texts.find(&field.to_string()) else { return column };
        let mut known = vec![0; self.texts.len()];
        for (row, _, scalar) in self.entries.iter().filter(|(_, other, _)| *other == name) {
            let code = &mut known[*scalar as usize];
            if *code == 0 {
                *code = column.values.len() as u16;
                column.values.push(Scalar::of_text(self.texts.get(*scalar)));
            }
            column.codes[*row as usize] = *code;
        }
        column
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.unsigned(self.texts.len() as u64);
        self.texts.iter().for_each(|text| writer.bytes(text.as_bytes()));
        writer.unsigned(self.entries.len() as u64);
        let mut row = 0;
        for (next_row, name, scalar) in &self.entries {
            writer.unsigned(u64::from(next_row - row));
            row = *next_row;
            writer.unsigned(u64::from(*name));
            writer.unsigned(u64::from(*scalar));
        }
        writer.finish()
    }

    /// # Errors
    /// [`Unreadable`] for what is no such column.
    pub(crate) fn read(blob: &[u8]) -> Result<Self, Unreadable> {
        let unpacked = unpack(blob)?;
        let mut reader = Reader::new(&unpacked);
        let mut rare = Self::default();
        for _ in 0..reader.unsigned()? {
            rare.texts.push(reader.text()?);
        }
        let mut row = 0;
        for _ in 0..reader.unsigned()? {
            row += reader.unsigned()? as u32;
            let (name, scalar) = (reader.unsigned()? as u32, reader.unsigned()? as u32);
            if name.max(scalar) as usize >= rare.texts.len() {
                return Err(Unreadable("a text is missing"));
            }
            rare.entries.push((row, name, scalar));
        }
        Ok(rare)
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes() + self.entries.len() * size_of::<(u32, u32, u32)>()
    }
}
