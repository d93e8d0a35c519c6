//! Groups of rows by one or two fields.

mod name;
mod numbers;

use std::collections::HashMap;
use std::hash::Hash;

use crate::columns::{Field, Rows, Scalar};
use crate::error::ReportsError;
use crate::view::View;
use hashbrown::hash_map::Entry;

pub(crate) use self::name::Name;
use self::name::Rank;
pub(crate) use self::numbers::Grouping;

type FastMap<K, V> = hashbrown::HashMap<K, V, foldhash::fast::RandomState>;

/// The value of one field, as groups distinguish it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Scalar(Scalar),
    /// An actor, by its ordinal.
    Actor(u32),
}

/// The key of a group: the value of each field.
pub(crate) type Group = Vec<Key>;

/// What one thread has gathered for each group.
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

impl ByGroup<()> {
    /// The same groups with what was gathered for each, by its number.
    pub(crate) fn with<T>(self, gathered: Vec<T>) -> ByGroup<T> {
        ByGroup { numbers: self.numbers, gathered }
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

    /// Adds the result of another thread.
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

impl Named {
    /// Reads the text of a group, which need not have rows; none if the text has another number of fields or an actor who
    /// does not exist.
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
                    Key::Actor(view.actor_of(ordinal))
                }
                (_, scalar) => Key::Scalar(scalar.clone()),
            });
        }
        Ok(Some(Self { group, name }))
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

    /// Calls `take` with each row whose group has a place.
    pub(crate) fn choose(
        &self,
        grouping: &Grouping,
        rows: &Rows<'_>,
        place: u32,
        mut take: impl FnMut(usize),
    ) {
        grouping.numbers(rows).each_of(
            (rows, rows.range.clone()),
            &mut (),
            |(), group| self.of(&group),
            |(), row, number| {
                if number == place {
                    take(row);
                }
            },
        );
    }
}
