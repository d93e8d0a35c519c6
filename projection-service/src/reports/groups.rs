//! Groups of rows by one or two fields.

use std::collections::HashMap;
use std::hash::Hash;

use hashbrown::hash_map::Entry;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::columns::{Dictionary, Field, Needs, Rows, Scalar, Values};
use crate::error::ReportsError;
use crate::view::View;

type FastMap<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// What a row says in one field, as groups tell it apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Scalar(Scalar),
    /// An actor, by its ordinal.
    Actor(u32),
}

/// What rows of one group have in common: a key for each field.
pub(crate) type Group = Vec<Key>;

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
    /// No row has a value.
    Absent,
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
            // No event gives an actor traits.
            Field::Trait(_) => Column::Absent,
            Field::Type | Field::Property(_) | Field::Context(_) => {
                needs.fields.push(field.clone());
                Column::Field(needs.fields.len() - 1)
            }
        };
        Self { columns: fields.iter().map(column).collect() }
    }

    /// For each row of the range the number that `resolve` gives its group. Rows that do not count have none that means
    /// anything, and no group is made for them.
    pub(crate) fn numbers(&self, rows: &Rows<'_>, mut resolve: impl FnMut(Group) -> u32) -> Vec<u32> {
        let codes: Vec<Codes<'_>> = self.columns.iter().map(|column| Codes::of(*column, rows)).collect();
        match &codes[..] {
            [] => vec![resolve(Vec::new()); rows.range.len()],
            [one] => number(rows, one.count(), |row| one.code(row), |code| resolve(vec![one.key(code)])),
            [one, other, ..] => {
                let width = other.count();
                number(
                    rows,
                    one.count().saturating_mul(width),
                    |row| one.code(row) * width + other.code(row),
                    |code| resolve(vec![one.key(code / width), other.key(code % width)]),
                )
            }
        }
    }
}

/// Asks once for every code that occurs.
fn number(
    rows: &Rows<'_>,
    codes: usize,
    code: impl Fn(usize) -> usize,
    mut resolve: impl FnMut(usize) -> u32,
) -> Vec<u32> {
    let mut numbers = vec![UNKNOWN; rows.range.len()];
    let start = rows.range.start;
    if codes <= rows.range.len().saturating_mul(TABLE_FACTOR).max(1_024) {
        let mut table = vec![UNKNOWN; codes];
        rows.each(|row| {
            let code = code(row);
            if table[code] == UNKNOWN {
                table[code] = resolve(code);
            }
            numbers[row - start] = table[code];
        });
    } else {
        let mut table: FastMap<usize, u32> = FastMap::default();
        rows.each(|row| {
            let code = code(row);
            numbers[row - start] = *table.entry(code).or_insert_with(|| resolve(code));
        });
    }
    numbers
}

impl<'a> Codes<'a> {
    fn of(column: Column, rows: &'a Rows<'_>) -> Self {
        match column {
            Column::Field(index) => Self::Dictionary(&rows.fields[index]),
            Column::Actor => Self::Actors(rows.actors),
            Column::Value => rows.values.map_or(Self::Absent, |values| of_values(values, rows)),
            Column::Absent => Self::Absent,
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
            Self::Dictionary(column) => {
                Key::Scalar(column.values[code].group().cloned().unwrap_or(Scalar::Absent))
            }
            Self::Actors(_) => Key::Actor(code as u32),
            Self::Values { keys, .. } => Key::Scalar(keys[code].clone()),
            Self::Absent => Key::Scalar(Scalar::Absent),
        }
    }
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

/// Something that is gathered for each group by one thread.
#[derive(Debug)]
pub(crate) struct ByGroup<T> {
    numbers: FastMap<Group, u32>,
    pub(crate) gathered: Vec<T>,
}

impl<T> Default for ByGroup<T> {
    fn default() -> Self {
        Self { numbers: FastMap::default(), gathered: Vec::new() }
    }
}

impl<T: Default> ByGroup<T> {
    /// The number of a group, a new one if it is not known.
    pub(crate) fn number(&mut self, group: Group) -> u32 {
        match self.numbers.entry(group) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.gathered.push(T::default());
                *new.insert((self.gathered.len() - 1) as u32)
            }
        }
    }

    /// Adds what another thread has gathered.
    pub(crate) fn merge(&mut self, other: Self, mut merge: impl FnMut(&mut T, T)) {
        let mut gathered: Vec<Option<T>> = other.gathered.into_iter().map(Some).collect();
        for (group, number) in other.numbers {
            if let Some(part) = gathered[number as usize].take() {
                let own = self.number(group);
                merge(&mut self.gathered[own as usize], part);
            }
        }
    }

    pub(crate) fn into_groups(self) -> Vec<(Group, T)> {
        let mut gathered: Vec<Option<T>> = self.gathered.into_iter().map(Some).collect();
        let own = |(group, number): (Group, u32)| Some((group, gathered[number as usize].take()?));
        self.numbers.into_iter().filter_map(own).collect()
    }
}

/// A group that has a line of its own.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) group: Group,
    pub(crate) name: Name,
}

/// What names are ordered by.
type Rank = Vec<(String, u8)>;

/// What a group is called: for each field the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(Vec<Scalar>);

impl Name {
    /// In the order of texts, and of equal texts by their types: absent first, then truth values, numbers and texts.
    fn rank(&self) -> Rank {
        let one = |scalar: &Scalar| match scalar {
            Scalar::Absent | Scalar::Composite => (String::new(), 0),
            Scalar::Bool(value) => (value.to_string(), 1),
            Scalar::Number(number) => (number.to_string(), 2),
            Scalar::Text(text) => (text.to_string(), 3),
        };
        self.0.iter().map(one).collect()
    }

    /// Reads what a group is called: its JSON, or a text that needs no quotation marks.
    pub(crate) fn parse(text: &str) -> Self {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
            return Self(items.into_iter().map(Scalar::of_json).collect());
        }
        match serde_json::from_str::<&RawValue>(text) {
            Ok(json) => Self(vec![Scalar::of_json(json)]),
            Err(_) => Self(vec![Scalar::Text(text.into())]),
        }
    }
}

impl Named {
    /// The group that a text means, whether or not it has rows; none if it is of other fields, or of an actor who never was.
    ///
    /// # Errors
    /// As [`View::scan`].
    pub(crate) async fn find(
        view: &View,
        fields: &[Field],
        text: &str,
    ) -> Result<Option<Self>, ReportsError> {
        let name = Name::parse(text);
        if name.0.len() != fields.len() {
            return Ok(None);
        }
        let mut group = Group::new();
        for (field, scalar) in fields.iter().zip(&name.0) {
            group.push(match (field, scalar) {
                (Field::Actor, Scalar::Text(actor)) => {
                    let known = view.actor_ordinals(&[actor.to_string()]).await?;
                    let Some(ordinal) = known.into_values().next() else { return Ok(None) };
                    Key::Actor(ordinal)
                }
                (_, scalar) => Key::Scalar(scalar.clone()),
            });
        }
        Ok(Some(Self { group, name }))
    }
}

/// The value, or an array of two.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => Shown(one).serialize(serializer),
            several => {
                let mut items = serializer.serialize_seq(Some(several.len()))?;
                several.iter().try_for_each(|one| items.serialize_element(&Shown(one)))?;
                items.end()
            }
        }
    }
}

struct Shown<'a>(&'a Scalar);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Scalar::Absent | Scalar::Composite => serializer.serialize_none(),
            Scalar::Bool(value) => serializer.serialize_bool(*value),
            // As many digits as it has.
            Scalar::Number(number) => RawValue::from_string(number.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Scalar::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// The largest groups, ties by name. `larger` says which of two comes first.
///
/// # Errors
/// As [`View::scan`].
pub(crate) async fn largest<T>(
    view: &View,
    mut groups: Vec<(Group, T)>,
    count: usize,
    larger: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Result<Vec<Named>, ReportsError> {
    groups.sort_by(|(_, one), (_, other)| larger(one, other));
    // Names are looked up only for those that may be among the largest.
    if let Some((_, last)) = count.checked_sub(1).and_then(|last| groups.get(last)) {
        let end = groups.partition_point(|(_, size)| larger(size, last).is_le());
        groups.truncate(end);
    }
    let ordinals: Vec<u32> = groups.iter().flat_map(|(group, _)| group.iter().filter_map(ordinal)).collect();
    let names = if ordinals.is_empty() { HashMap::new() } else { view.actor_names(&ordinals).await? };
    let mut ranked: Vec<(Named, T, Rank)> = groups
        .into_iter()
        .map(|(group, size)| {
            let name = Name(group.iter().map(|key| scalar(key, &names)).collect());
            let rank = name.rank();
            (Named { group, name }, size, rank)
        })
        .collect();
    ranked.sort_by(|one, other| larger(&one.1, &other.1).then_with(|| one.2.cmp(&other.2)));
    ranked.truncate(count);
    Ok(ranked.into_iter().map(|(named, ..)| named).collect())
}

fn ordinal(key: &Key) -> Option<u32> {
    match key {
        Key::Actor(ordinal) => Some(*ordinal),
        Key::Scalar(_) => None,
    }
}

fn scalar(key: &Key, names: &HashMap<u32, String>) -> Scalar {
    match key {
        Key::Scalar(scalar) => scalar.clone(),
        Key::Actor(ordinal) => {
            names.get(ordinal).map_or(Scalar::Absent, |name| Scalar::Text(name.as_str().into()))
        }
    }
}

/// The places of groups that have one; every other group has the last.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    places: FastMap<Group, u32>,
    pub(crate) other: u32,
}

impl Places {
    pub(crate) fn new(groups: &[Named]) -> Self {
        let places = groups.iter().zip(0..).map(|(named, place)| (named.group.clone(), place)).collect();
        Self { places, other: groups.len() as u32 }
    }

    pub(crate) fn of(&self, group: &Group) -> u32 {
        self.places.get(group).copied().unwrap_or(self.other)
    }
}
