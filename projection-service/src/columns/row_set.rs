use std::ops::Range;

use super::texts::Texts;
use super::{CHUNK_ROWS_MAX, Dictionary, Field, Scalar, Values};

/// One state of an activity, from one position on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The position of the event that made this state.
    pub(crate) position: i64,
    /// The position of the event that first recorded the activity.
    pub(crate) first_position: i64,
    /// Microseconds since 1970 at which it happened.
    pub(crate) time: i64,
    /// The ordinal of its actor.
    pub(crate) actor: u32,
    pub(crate) value: Option<f64>,
    /// The number of its type's text.
    pub(super) activity_type: u32,
    /// Its part of `RowSet::fields`.
    pub(super) fields: Range<u32>,
}

/// Stands for a text whose number is not known yet.
const UNKNOWN: u32 = u32::MAX;

/// Rows of one customer with all that they hold, row by row: what a batch adds, what a delta is, and what a segment is made
/// of.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowSet {
    pub(super) texts: Texts,
    pub(super) rows: Vec<Row>,
    /// For each value inside of properties and context: the name of the field and the text of the scalar.
    pub(super) fields: Vec<(u32, u32)>,
}

impl RowSet {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes() + self.rows.len() * size_of::<Row>() + self.fields.len() * size_of::<(u32, u32)>()
    }

    /// Adds a row. `fields` calls what it is given with the name of each field and the text of its scalar.
    #[expect(clippy::too_many_arguments, reason = "the columns of a row")]
    pub(crate) fn push(
        &mut self,
        position: i64,
        first_position: i64,
        time: i64,
        actor: u32,
        activity_type: &str,
        value: Option<f64>,
        fields: impl FnOnce(&mut dyn FnMut(&str, &str)),
    ) {
        let start = self.fields.len() as u32;
        let Self { texts, fields: all, .. } = self;
        fields(&mut |name, scalar| all.push((texts.number(name), texts.number(scalar))));
        let activity_type = self.texts.number(activity_type);
        let fields = start..self.fields.len() as u32;
        self.rows.push(Row { position, first_position, time, actor, value, activity_type, fields });
    }

    /// Adds the rows of another set.
    pub(crate) fn append(&mut self, other: &Self) {
        let numbers: Vec<u32> = other.texts.iter().map(|text| self.texts.number(text)).collect();
        let offset = self.fields.len() as u32;
        self.fields.extend(
            other.fields.iter().map(|(name, scalar)| (numbers[*name as usize], numbers[*scalar as usize])),
        );
        self.rows.extend(other.rows.iter().map(|row| Row {
            activity_type: numbers[row.activity_type as usize],
            fields: row.fields.start + offset..row.fields.end + offset,
            ..row.clone()
        }));
    }

    /// Adds one row of another set. `numbers` remembers what the texts of that set are called in this one; give an empty
    /// one for each pair of sets.
    pub(crate) fn append_row(&mut self, other: &Self, row: &Row, numbers: &mut Vec<u32>) {
        numbers.resize(other.texts.len(), UNKNOWN);
        let mut number = |text: u32| {
            let known = &mut numbers[text as usize];
            if *known == UNKNOWN {
                *known = self.texts.number(other.texts.get(text));
            }
            *known
        };
        let start = self.fields.len() as u32;
        for (name, scalar) in &other.fields[row.fields.start as usize..row.fields.end as usize] {
            self.fields.push((number(*name), number(*scalar)));
        }
        let activity_type = number(row.activity_type);
        self.rows.push(Row { activity_type, fields: start..self.fields.len() as u32, ..row.clone() });
    }

    /// The rows of a range, as a set of their own.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        let (mut part, mut numbers) = (Self::default(), Vec::new());
        self.rows[range].iter().for_each(|row| part.append_row(self, row, &mut numbers));
        part
    }

    /// Gives every actor another number.
    pub(crate) fn renumber_actors(&mut self, ordinal: impl Fn(u32) -> u32) {
        self.rows.iter_mut().for_each(|row| row.actor = ordinal(row.actor));
    }

    /// Sorts the rows into the order of a chunk.
    pub(crate) fn sort_by_time(&mut self) {
        self.rows.sort_unstable_by_key(|row| (row.time, row.first_position, row.position));
    }

    /// Sorts the rows into the order of the log.
    pub(crate) fn sort_by_position(&mut self) {
        self.rows.sort_unstable_by_key(|row| row.position);
    }

    pub(crate) fn activity_type(&self, row: &Row) -> &str {
        self.texts.get(row.activity_type)
    }

    /// The name and the text of the scalar of each field of a row.
    pub(crate) fn fields_of(&self, row: &Row) -> impl Iterator<Item = (&str, &str)> {
        self.fields[row.fields.start as usize..row.fields.end as usize]
            .iter()
            .map(|(name, scalar)| (self.texts.get(*name), self.texts.get(*scalar)))
    }

    /// The least and the greatest position.
    pub(crate) fn positions(&self) -> (i64, i64) {
        bounds(self.rows.iter().map(|row| row.position))
    }

    /// The least and the greatest time, in microseconds since 1970.
    pub(crate) fn times(&self) -> (i64, i64) {
        bounds(self.rows.iter().map(|row| row.time))
    }

    /// The column `value`.
    pub(crate) fn values(&self) -> Values {
        Values::of(&self.rows.iter().map(|row| row.value).collect::<Vec<_>>())
    }

    /// The column of a field; for at most [`CHUNK_ROWS_MAX`] rows.
    pub(crate) fn dictionary(&self, field: &Field) -> Dictionary {
        if *field == Field::Type {
            return self.coded(|row| Some(row.activity_type), |text| Scalar::Text(text.into()));
        }
        let Some(name) = self.texts.find(&field.to_string()) else { return Dictionary::absent(self.len()) };
        self.coded(|row| self.scalar_of(row, name), Scalar::of_text)
    }

    /// The number of rows that have each field, by name.
    pub(crate) fn field_counts(&self) -> Vec<(&str, usize)> {
        let mut counts = vec![0; self.texts.len()];
        self.fields.iter().for_each(|(name, _)| counts[*name as usize] += 1);
        let mut named: Vec<(&str, usize)> =
            self.texts.iter().zip(counts).filter(|(_, count)| *count > 0).collect();
        named.sort_unstable();
        named
    }

    fn scalar_of(&self, row: &Row, name: u32) -> Option<u32> {
        let fields = &self.fields[row.fields.start as usize..row.fields.end as usize];
        // Where a key was given twice, the last one counts, as it does for most readers of JSON.
        fields.iter().rev().find(|(other, _)| *other == name).map(|(_, scalar)| *scalar)
    }

    fn coded(&self, text: impl Fn(&Row) -> Option<u32>, scalar: impl Fn(&str) -> Scalar) -> Dictionary {
        debug_assert!(self.len() <= CHUNK_ROWS_MAX, "a code has 16 bits");
        let mut known = vec![UNKNOWN; self.texts.len()];
        let mut absent = UNKNOWN;
        let (mut codes, mut values) = (Vec::with_capacity(self.len()), Vec::new());
        for row in &self.rows {
            let number = text(row);
            let code = number.map_or(&mut absent, |number| &mut known[number as usize]);
            if *code == UNKNOWN {
                *code = values.len() as u32;
                values.push(number.map_or(Scalar::Absent, |number| scalar(self.texts.get(number))));
            }
            codes.push(*code as u16);
        }
        Dictionary { codes, values }
    }
}

fn bounds(numbers: impl Iterator<Item = i64>) -> (i64, i64) {
    numbers.fold((i64::MAX, i64::MIN), |(least, greatest), number| (least.min(number), greatest.max(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: &[(i64, i64, &str, &str)]) -> RowSet {
        let mut set = RowSet::default();
        for (position, time, activity_type, plan) in rows {
            set.push(*position, *position, *time, 0, activity_type, None, |field| {
                if !plan.is_empty() {
                    field("properties.plan", &format!("\"{plan}"));
                }
            });
        }
        set
    }

    fn plans(set: &RowSet) -> Vec<String> {
        let column = set.dictionary(&Field::parse("properties.plan").unwrap());
        (0..set.len()).map(|row| column.value(row).to_text()).collect()
    }

    #[test]
    fn a_field_is_a_column() {
        let mut set = set(&[(1, 30, "a", "pro"), (2, 10, "b", ""), (3, 20, "pro", "pro")]);
        set.sort_by_time();
        assert_eq!(plans(&set), ["", "\"pro", "\"pro"]);
        let types = set.dictionary(&Field::Type);
        assert_eq!([0, 1, 2].map(|row| types.value(row).to_text()), ["\"b", "\"pro", "\"a"]);
        let other = set.dictionary(&Field::parse("properties.other").unwrap());
        assert_eq!(other, Dictionary::absent(3));
    }

    #[test]
    fn sets_are_joined_and_parted() {
        let mut whole = set(&[(1, 1, "a", "x"), (2, 2, "b", "y")]);
        whole.append(&set(&[(3, 3, "y", "a"), (4, 4, "a", "")]));
        assert_eq!(plans(&whole), ["\"x", "\"y", "\"a", ""]);
        let part = whole.part(1..3);
        assert_eq!((plans(&part), part.positions()), (vec!["\"y".to_owned(), "\"a".to_owned()], (2, 3)));
        assert_eq!(whole.field_counts(), [("properties.plan", 3)]);
    }
}
