use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

use super::column::{
    ColumnName, Rare, read_dictionary, read_sparse, read_values, write_dictionary, write_sparse, write_values,
};
use super::parquet_file::{self, Packing};
use super::varint::Unreadable;
use super::{Field, Row, RowSet, Scalar, Values};

/// One in so many rows of a segment must have a field, that it gets a column of its own.
const OWN_COLUMN_SHARE: usize = 100;
/// Fields with a column of their own in one segment.
const OWN_COLUMNS_MAX: usize = 200;

/// The stored form of a segment.
#[derive(Debug)]
pub(crate) struct Segment {
    /// The content of every column, by name.
    pub(crate) columns: Vec<(String, Vec<u8>)>,
    /// Rows of each type, by name.
    pub(crate) types: Vec<(String, i64)>,
}

/// Positions of rows, each with the position at which it ended.
pub(crate) type Ends = HashMap<i64, i64>;

impl RowSet {
    /// The columns of a segment. The rows must be in the order of time; `ends` may know of other rows too.
    pub(crate) fn to_segment(&self, ends: &Ends) -> Segment {
        let numbers = |number: fn(&Row) -> i64| -> Vec<i64> { self.rows.iter().map(number).collect() };
        let actors: Vec<i32> = self.rows.iter().map(|row| row.actor as i32).collect();
        let mut columns = vec![
            (ColumnName::Time, parquet_file::write_i64(&numbers(|row| row.time), Packing::Differences)),
            (
                ColumnName::Position,
                parquet_file::write_i64(&numbers(|row| row.position), Packing::Differences),
            ),
            (ColumnName::Actor, parquet_file::write_i32(&actors, Packing::Differences)),
        ];
        if self.rows.iter().any(|row| row.value.is_some()) {
            columns.push((ColumnName::Value, write_values(&self.values())));
        }
        let first = self.sparse(|row| (row.first_position != row.position).then_some(row.first_position));
        let ended = self.sparse(|row| ends.get(&row.position).copied());
        for (name, rows) in [(ColumnName::FirstPosition, first), (ColumnName::Ended, ended)] {
            if !rows.is_empty() {
                columns.push((name, write_sparse(&rows)));
            }
        }
        let types = self.dictionary(&Field::Type);
        let mut counts = vec![0; types.values.len()];
        types.codes.iter().for_each(|code| counts[usize::from(*code)] += 1);
        columns.push((ColumnName::Field(Field::Type), write_dictionary(&types)));
        let own = self.own_fields();
        for field in own.iter().filter_map(|name| Field::parse(name)) {
            let content = write_dictionary(&self.dictionary(&field));
            columns.push((ColumnName::Field(field), content));
        }
        let rare = self.rare(&own);
        if !rare.is_empty() {
            columns.push((ColumnName::Rare, rare.write()));
        }
        Segment {
            columns: columns.into_iter().map(|(name, content)| (name.to_string(), content)).collect(),
            types: types.values.iter().map(type_name).zip(counts).collect(),
        }
    }

    fn sparse(&self, number: impl Fn(&Row) -> Option<i64>) -> Vec<(u32, i64)> {
        self.rows.iter().zip(0..).filter_map(|(row, index)| Some((index, number(row)?))).collect()
    }

    /// The fields that get a column of their own.
    fn own_fields(&self) -> BTreeSet<&str> {
        let mut counts = self.field_counts();
        // A name with NUL is no text of PostgreSQL; among the rare ones it is only bytes.
        counts.retain(|(name, count)| count * OWN_COLUMN_SHARE >= self.len() && !name.contains('\0'));
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.into_iter().take(OWN_COLUMNS_MAX).map(|(name, _)| name).collect()
    }

    fn rare(&self, own: &BTreeSet<&str>) -> Rare {
        let mut rare = Rare::default();
        for (row, index) in self.rows.iter().zip(0..) {
            for (name, scalar) in self.fields_of(row).filter(|(name, _)| !own.contains(name)) {
                rare.push(index, name, scalar);
            }
        }
        rare
    }

    /// The rows of a segment from all of its columns, and where they ended.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no segment.
    pub(crate) fn of_segment(columns: Vec<(String, Bytes)>) -> Result<(Self, Ends), Unreadable> {
        let mut parts = Parts::default();
        for (name, content) in columns {
            parts.read(&name, content)?;
        }
        parts.rows()
    }
}

fn type_name(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.to_string(),
        other => other.to_text(),
    }
}

/// The columns of a segment, before they are rows.
#[derive(Default)]
struct Parts {
    times: Vec<i64>,
    positions: Vec<i64>,
    actors: Vec<i32>,
    values: Option<Values>,
    first_positions: HashMap<u32, i64>,
    ended: Vec<(u32, i64)>,
    types: Option<super::Dictionary>,
    fields: Vec<(String, super::Dictionary)>,
    rare: Rare,
}

impl Parts {
    fn read(&mut self, name: &str, content: Bytes) -> Result<(), Unreadable> {
        match name {
            "time" => self.times = parquet_file::read_i64(content)?,
            "position" => self.positions = parquet_file::read_i64(content)?,
            "actor" => self.actors = parquet_file::read_i32(content)?,
            "value" => self.values = Some(read_values(content)?),
            "first_position" => self.first_positions = read_sparse(&content)?.into_iter().collect(),
            "ended" => self.ended = read_sparse(&content)?,
            "type" => self.types = Some(read_dictionary(content)?),
            "rare" => self.rare = Rare::read(&content)?,
            field => self.fields.push((field.to_owned(), read_dictionary(content)?)),
        }
        Ok(())
    }

    fn rows(self) -> Result<(RowSet, Ends), Unreadable> {
        let types = self.types.ok_or(Unreadable("a segment has no types"))?;
        let rows = self.times.len();
        let lengths = [self.positions.len(), self.actors.len(), types.codes.len()];
        if lengths
            .iter()
            .chain(self.fields.iter().map(|(_, column)| column.codes.len()).collect::<Vec<_>>().iter())
            .any(|length| *length != rows)
        {
            return Err(Unreadable("the columns of a segment differ in length"));
        }
        let mut set = RowSet { rows: Vec::with_capacity(rows), ..RowSet::default() };
        let type_numbers: Vec<u32> =
            types.values.iter().map(|value| set.texts.number(&type_name(value))).collect();
        let columns: Vec<Numbered<'_>> =
            self.fields.iter().map(|(name, column)| Numbered::new(name, column, &mut set)).collect();
        let mut rare = self.rare.entries().peekable();
        for row in 0..rows {
            let start = set.fields.len() as u32;
            set.fields.extend(columns.iter().filter_map(|column| column.field(row)));
            while let Some((_, name, scalar)) = rare.next_if(|(other, ..)| *other == row as u32) {
                let field = (set.texts.number(name), set.texts.number(scalar));
                set.fields.push(field);
            }
            let position = self.positions[row];
            set.rows.push(Row {
                position,
                first_position: self.first_positions.get(&(row as u32)).copied().unwrap_or(position),
                time: self.times[row],
                actor: self.actors[row] as u32,
                value: self.values.as_ref().and_then(|values| values.get(row)),
                activity_type: type_numbers[usize::from(types.codes[row])],
                fields: start..set.fields.len() as u32,
            });
        }
        let ends = self.ended.iter().map(|(row, ended)| (self.positions[*row as usize], *ended)).collect();
        Ok((set, ends))
    }
}

/// A column whose name and values have numbers among the texts of a set.
struct Numbered<'a> {
    name: u32,
    /// One for each value; none where that is absent.
    values: Vec<Option<u32>>,
    codes: &'a [u16],
}

impl<'a> Numbered<'a> {
    fn new(name: &str, column: &'a super::Dictionary, set: &mut RowSet) -> Self {
        let number = |value: &Scalar| (*value != Scalar::Absent).then(|| set.texts.number(&value.to_text()));
        let values = column.values.iter().map(number).collect();
        Self { name: set.texts.number(name), values, codes: &column.codes }
    }

    fn field(&self, row: usize) -> Option<(u32, u32)> {
        Some((self.name, self.values[usize::from(self.codes[row])]?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(rows: i64) -> RowSet {
        let mut set = RowSet::default();
        for number in 0..rows {
            let first = if number % 50 == 7 { number - 5 } else { number };
            let value = (number % 3 == 0).then_some(number as f64 / 4.0);
            set.push(number, first, number * 37 % 1_009, number as u32 % 11, "page.viewed", value, |field| {
                field("properties.plan", ["\"free", "\"pro"][number as usize % 2]);
                if number % 400 == 3 {
                    field("properties.rare", "true");
                }
            });
        }
        set.sort_by_time();
        set
    }

    fn lines(set: &RowSet) -> Vec<String> {
        let line = |row: &super::super::Row| {
            let mut fields: Vec<(&str, &str)> = set.fields_of(row).collect();
            fields.sort_unstable();
            let type_name = set.activity_type(row);
            format!(
                "{} {} {} {} {type_name} {:?} {fields:?}",
                row.position, row.first_position, row.time, row.actor, row.value
            )
        };
        set.rows().iter().map(line).collect()
    }

    #[test]
    fn a_segment_is_read_as_it_was_written() {
        let set = sample(1_000);
        let ends = Ends::from([(5, 77), (900, 901), (5_000, 5_001)]);
        let segment = set.to_segment(&ends);
        assert_eq!(segment.types, [("page.viewed".to_owned(), 1_000)]);
        let names: Vec<&str> = segment.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "time",
                "position",
                "actor",
                "value",
                "first_position",
                "ended",
                "type",
                "properties.plan",
                "rare"
            ]
        );
        let columns = segment.columns.into_iter().map(|(name, content)| (name, content.into())).collect();
        let (read, read_ends) = RowSet::of_segment(columns).unwrap();
        assert_eq!(lines(&read), lines(&set));
        assert_eq!(read_ends, Ends::from([(5, 77), (900, 901)]));
    }

    #[test]
    fn a_rare_field_is_a_column_too() {
        let set = sample(1_000);
        let field = Field::parse("properties.rare").unwrap();
        let rare = set.rare(&set.own_fields());
        let column = Rare::read(&rare.write()).unwrap().dictionary(&field, set.len());
        let wanted = set.dictionary(&field);
        assert!((0..set.len()).all(|row| column.value(row) == wanted.value(row)));
    }
}
