use std::ops::Range;

use super::{FastMap, Group, Key};
use crate::columns::{Dictionary, Field, Needs, Rows, Scalar, Values};

/// The fields by which rows are divided.
#[derive(Clone, Debug)]
pub(crate) struct Grouping {
    columns: Vec<Column>,
}

#[derive(Clone, Copy, Debug)]
enum Column {
    /// Of [`Rows::fields`].
    Field(usize),
    Actor,
    Value,
}

/// One column of a chunk as small numbers.
enum Codes<'a> {
    Dictionary(&'a Dictionary),
    Actors(&'a [u32]),
    Values { codes: Vec<u32>, keys: Vec<Scalar> },
    Absent,
}

const UNKNOWN: u32 = u32::MAX;
/// A table of all pairs of codes has at most so many times as many places as the chunk has rows.
const TABLE_FACTOR: usize = 4;
/// Or so many.
const TABLE_MIN: usize = 1_024;

impl Grouping {
    /// Adds the columns that are read.
    pub(crate) fn new(fields: &[Field], needs: &mut Needs) -> Self {
        let column = |field: &Field| match field {
            Field::Actor => {
                needs.actors = true;
                Column::Actor
            }
            Field::Value => {
                needs.values = true;
                Column::Value
            }
            Field::Type | Field::Property(_) | Field::Context(_) | Field::Trait(_) => {
                needs.fields.push(field.clone());
                Column::Field(needs.fields.len() - 1)
            }
        };
        Self { columns: fields.iter().map(column).collect() }
    }

    /// Ready to number the groups of a chunk's rows.
    pub(crate) fn numbers<'a>(&self, rows: &'a Rows<'_>) -> Numbers<'a> {
        let codes: Vec<Codes<'a>> = self.columns.iter().map(|column| Codes::of(*column, rows)).collect();
        let count = codes.iter().fold(1, |count: usize, codes| count.saturating_mul(codes.count()));
        let table = if count <= rows.range.len().saturating_mul(TABLE_FACTOR).max(TABLE_MIN) {
            Table::Dense(vec![UNKNOWN; count])
        } else {
            Table::Sparse(FastMap::default())
        };
        Numbers { codes, table }
    }
}

/// Gives each group of a chunk's rows a number. A group is asked for once, and only if it has a row that counts.
pub(crate) struct Numbers<'a> {
    codes: Vec<Codes<'a>>,
    table: Table,
}

/// The numbers of codes.
enum Table {
    Dense(Vec<u32>),
    Sparse(FastMap<usize, u32>),
}

impl Numbers<'_> {
    /// Calls `see` with each row of a part that counts and the number of its group, which `resolve` gives.
    pub(crate) fn each_of<C: ?Sized>(
        &mut self,
        (rows, part): (&Rows<'_>, Range<usize>),
        context: &mut C,
        resolve: impl Fn(&mut C, Group) -> u32,
        see: impl FnMut(&mut C, usize, u32),
    ) {
        let mut visit = Visit { table: &mut self.table, context, resolve, see };
        match &self.codes[..] {
            [] => rows.each_of(part, |row| visit.row(row, 0, Group::new)),
            [Codes::Dictionary(column)] => rows.each_of(part, |row| {
                let code = usize::from(column.codes[row]);
                visit.row(row, code, || vec![of_dictionary(column, code)]);
            }),
            [one] => rows.each_of(part, |row| {
                let code = one.code(row);
                visit.row(row, code, || vec![one.key(code)]);
            }),
            [one, other, ..] => {
                let width = other.count();
                rows.each_of(part, |row| {
                    let (first, second) = (one.code(row), other.code(row));
                    visit.row(row, first * width + second, || vec![one.key(first), other.key(second)]);
                });
            }
        }
    }
}

/// Passes rows on with the numbers of their groups.
struct Visit<'v, C: ?Sized, R, S> {
    table: &'v mut Table,
    context: &'v mut C,
    resolve: R,
    see: S,
}

impl<C: ?Sized, R: Fn(&mut C, Group) -> u32, S: FnMut(&mut C, usize, u32)> Visit<'_, C, R, S> {
    #[expect(clippy::inline_always, reason = "the loop over all rows is twice as slow with a call in it")]
    #[inline(always)]
    fn row(&mut self, row: usize, code: usize, group: impl Fn() -> Group) {
        let number = self.table.number(code, || (self.resolve)(self.context, group()));
        (self.see)(self.context, row, number);
    }
}

impl Table {
    /// The number of a code; `resolve` gives it where it is not known.
    #[expect(clippy::inline_always, reason = "the loop over all rows is twice as slow with a call in it")]
    #[inline(always)]
    fn number(&mut self, code: usize, resolve: impl FnOnce() -> u32) -> u32 {
        match self {
            Self::Dense(numbers) if numbers[code] != UNKNOWN => numbers[code],
            _ => self.first(code, resolve),
        }
    }

    #[inline(never)]
    fn first(&mut self, code: usize, resolve: impl FnOnce() -> u32) -> u32 {
        match self {
            Self::Dense(numbers) => {
                numbers[code] = resolve();
                numbers[code]
            }
            Self::Sparse(numbers) => *numbers.entry(code).or_insert_with(resolve),
        }
    }
}

impl<'a> Codes<'a> {
    fn of(column: Column, rows: &'a Rows<'_>) -> Self {
        match column {
            Column::Field(index) => Self::Dictionary(&rows.fields[index]),
            Column::Actor => Self::Actors(rows.actors),
            Column::Value => rows.values.map_or(Self::Absent, |values| of_values(values, rows)),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Dictionary(column) => column.values.len(),
            Self::Actors(actors) => actors.iter().max().map_or(1, |greatest| *greatest as usize + 1),
            Self::Values { keys, .. } => keys.len(),
            Self::Absent => 1,
        }
    }

    fn code(&self, row: usize) -> usize {
        match self {
            Self::Dictionary(column) => usize::from(column.codes[row]),
            Self::Actors(actors) => actors[row] as usize,
            Self::Values { codes, .. } => codes[row] as usize,
            Self::Absent => 0,
        }
    }

    fn key(&self, code: usize) -> Key {
        match self {
            Self::Dictionary(column) => of_dictionary(column, code),
            Self::Actors(_) => Key::Actor(code as u32),
            Self::Values { keys, .. } => Key::Scalar(keys[code].clone()),
            Self::Absent => Key::Scalar(Scalar::Absent),
        }
    }
}

fn of_dictionary(column: &Dictionary, code: usize) -> Key {
    Key::Scalar(column.values[code].group().cloned().unwrap_or(Scalar::Absent))
}

fn of_values<'a>(values: &Values, rows: &Rows<'_>) -> Codes<'a> {
    let mut known: FastMap<Option<u64>, u32> = FastMap::default();
    let (mut codes, mut keys) = (Vec::with_capacity(rows.times.len()), Vec::new());
    for row in 0..rows.times.len() {
        // Both zeros are one number.
        let value = values.get(row).map(|value| value + 0.0);
        codes.push(*known.entry(value.map(f64::to_bits)).or_insert_with(|| {
            let number = value.and_then(|value| domain::Decimal::parse(&format!("{value:e}")));
            keys.push(number.map_or(Scalar::Absent, Scalar::Number));
            (keys.len() - 1) as u32
        }));
    }
    Codes::Values { codes, keys }
}
