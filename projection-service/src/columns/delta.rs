use std::ops::Range;

use super::row_set::{Row, RowSet};
use super::varint::{Reader, Unreadable, Writer, unpack};

/// The first number of a delta: its layout.
const LAYOUT: u64 = 1;

impl RowSet {
    /// The rows as one compact blob, in their order.
    pub(crate) fn to_delta(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.unsigned(LAYOUT);
        writer.unsigned(self.texts.len() as u64);
        self.texts.iter().for_each(|text| writer.bytes(text.as_bytes()));
        writer.unsigned(self.len() as u64);
        let (mut position, mut time) = (0, 0);
        for row in &self.rows {
            writer.signed(row.position - position);
            writer.signed(row.position - row.first_position);
            writer.signed(row.time.wrapping_sub(time));
            (position, time) = (row.position, row.time);
            writer.unsigned(u64::from(row.actor));
            writer.unsigned(u64::from(row.activity_type));
            let fields = &self.fields[row.fields.start as usize..row.fields.end as usize];
            writer.unsigned((fields.len() as u64) << 1 | u64::from(row.value.is_some()));
            row.value.iter().for_each(|value| writer.double(*value));
            for (name, scalar) in fields {
                writer.unsigned(u64::from(*name));
                writer.unsigned(u64::from(*scalar));
            }
        }
        writer.finish()
    }

    /// Reads what [`Self::to_delta`] has written.
    ///
    /// # Errors
    /// [`Unreadable`] for anything else.
    pub(crate) fn of_delta(blob: &[u8]) -> Result<Self, Unreadable> {
        let unpacked = unpack(blob)?;
        let mut reader = Reader::new(&unpacked);
        if reader.unsigned()? != LAYOUT {
            return Err(Unreadable("a delta has an unknown layout"));
        }
        let mut set = Self::default();
        for _ in 0..reader.unsigned()? {
            set.texts.push(reader.text()?);
        }
        let (mut position, mut time) = (0, 0_i64);
        for _ in 0..reader.unsigned()? {
            position += reader.signed()?;
            let first_position = position - reader.signed()?;
            time = time.wrapping_add(reader.signed()?);
            let actor = reader.unsigned()? as u32;
            let activity_type = set.number(&mut reader)?;
            let counted = reader.unsigned()?;
            let value = if counted & 1 == 1 { Some(reader.double()?) } else { None };
            let fields = set.read_fields(&mut reader, counted >> 1)?;
            set.rows.push(Row { position, first_position, time, actor, value, activity_type, fields });
        }
        Ok(set)
    }

    fn read_fields(&mut self, reader: &mut Reader<'_>, count: u64) -> Result<Range<u32>, Unreadable> {
        let start = self.fields.len() as u32;
        for _ in 0..count {
            let field = (self.number(reader)?, self.number(reader)?);
            self.fields.push(field);
        }
        Ok(start..self.fields.len() as u32)
    }

    fn number(&self, reader: &mut Reader<'_>) -> Result<u32, Unreadable> {
        let number = reader.unsigned()?;
        if number < self.texts.len() as u64 {
            Ok(number as u32)
        } else {
            Err(Unreadable("a text is missing"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delta_is_read_as_it_was_written() {
        let mut set = RowSet::default();
        for number in 0..100_i64 {
            let value = (number % 3 == 0).then_some(number as f64 / 7.0);
            set.push(
                number * 5,
                number * 5 - number % 2,
                -number * 1_000_003,
                number as u32,
                "a",
                value,
                |field| {
                    field("properties.plan", "\"pro");
                    field("context.page", &format!("\"{number}"));
                },
            );
        }
        let blob = set.to_delta();
        assert!(blob.len() < 2_500, "{} bytes", blob.len());
        let read = RowSet::of_delta(&blob).unwrap();
        assert_eq!((&read.rows, &read.fields), (&set.rows, &set.fields));
        assert_eq!(read.fields_of(&read.rows[7]).last(), Some(("context.page", "\"7")));
        assert!(RowSet::of_delta(&blob[..blob.len() / 2]).is_err());
    }
}
