//! Which names of actors mean one actor, at the moment of a view.

use std::sync::Arc;

use moka::sync::Cache;
use sqlx::PgConnection;
use uuid::Uuid;

/// What an alias meant from a position on; both are ordinals.
#[derive(Clone, Copy, Debug)]
struct Change {
    position: i64,
    alias: u32,
    actor: u32,
    is_merged: bool,
}

/// For each ordinal the one of the actor that it stands for.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Ordinals beyond the end stand for themselves.
    stands_for: Vec<u32>,
    /// The actor that each alias was merged into, and the position since when; itself for all others.
    merged_into: Vec<(u32, i64)>,
    /// The position of the last change that counts.
    last: i64,
}

impl Identities {
    /// Those that all changes up to a position leave behind; the changes are in order.
    fn of(changes: &[Change], position: i64) -> Self {
        let changes = &changes[..changes.partition_point(|change| change.position <= position)];
        let greatest = changes.iter().map(|change| change.alias.max(change.actor)).max();
        let mut identities = Self::default();
        identities.merged_into.extend((0..=greatest.unwrap_or(0)).map(|ordinal| (ordinal, 0)));
        for change in changes {
            identities.apply(change);
            identities.last = change.position;
        }
        identities.resolve();
        identities
    }

    fn apply(&mut self, Change { position, alias, actor, is_merged }: &Change) {
        let place = *alias as usize;
        self.merged_into[place] = (*alias, 0);
        // The write side lets no circle come about; but where an event was discarded, the next ones were decided with it.
        if *is_merged && self.last_of(*actor) != *alias {
            self.merged_into[place] = (*actor, *position);
        }
    }

    /// The end of the chain that begins with an ordinal.
    fn last_of(&self, mut ordinal: u32) -> u32 {
        loop {
            let (next, _) = self.merged_into[ordinal as usize];
            if next == ordinal {
                return ordinal;
            }
            ordinal = next;
        }
    }

    fn resolve(&mut self) {
        self.stands_for = (0..self.merged_into.len() as u32).map(|ordinal| self.last_of(ordinal)).collect();
    }

    /// The ordinal of the actor that one stands for.
    pub(crate) fn actor(&self, ordinal: u32) -> u32 {
        self.stands_for.get(ordinal as usize).copied().unwrap_or(ordinal)
    }

    /// The ordinals that stand for an actor besides its own, each with the position since when.
    pub(crate) fn aliases(&self, actor: u32) -> Vec<(u32, i64)> {
        let aliases = self
            .stands_for
            .iter()
            .zip(0..)
            .filter(|(stands_for, alias)| **stands_for == actor && *alias != actor);
        aliases.map(|(_, alias)| (alias, self.since(alias))).collect()
    }

    /// The latest merge of the chain that begins with an alias.
    fn since(&self, mut alias: u32) -> i64 {
        let mut latest = 0;
        loop {
            let (next, position) = self.merged_into[alias as usize];
            if next == alias {
                return latest;
            }
            latest = latest.max(position);
            alias = next;
        }
    }

    /// The position of the last merge or revert that counts.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// The end of the ordinals that may stand for another.
    pub(super) fn ordinals(&self) -> u32 {
        self.stands_for.len() as u32
    }

    /// Writes what a column of ordinals stands for.
    pub(super) fn translate(&self, ordinals: &[u32], translated: &mut Vec<u32>) {
        translated.clear();
        translated.extend(ordinals.iter().map(|ordinal| self.actor(*ordinal)));
    }
}

/// The changes of a customer in a generation, and what they leave behind.
struct Known {
    changes: Vec<Change>,
    now: Arc<Identities>,
}

impl Known {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.changes.len() * size_of::<Change>()
            + self.now.merged_into.len() * (size_of::<(u32, i64)>() + size_of::<u32>())
    }
}

/// A cache of changes, limited in bytes. Changes are only added, always with greater positions, so that only new ones are read.
#[derive(Clone)]
pub(crate) struct IdentityCache(Cache<(i32, Uuid), Arc<Known>>);

/// Bytes of the cache.
const CACHE_BYTES: u64 = 64 << 20;

impl Default for IdentityCache {
    fn default() -> Self {
        let weigh = |_: &(i32, Uuid), known: &Arc<Known>| u32::try_from(known.bytes()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(CACHE_BYTES).weigher(weigh).build())
    }
}

impl IdentityCache {
    /// The identities at a position, where the last change that a transaction sees lies at `last`.
    ///
    /// # Errors
    /// An error if the database fails.
    pub(super) async fn at(
        &self,
        connection: &mut PgConnection,
        (generation, customer): (i32, Uuid),
        last: i64,
        position: i64,
    ) -> Result<Arc<Identities>, sqlx::Error> {
        let key = (generation, customer);
        let mut known = self.0.get(&key);
        let known_to = known.as_ref().map_or(0, |known| known.last());
        if known_to < last {
            let mut changes = known.map_or_else(Vec::new, |known| known.changes.clone());
            changes.extend(read(connection, key, known_to).await?);
            let now = Arc::new(Identities::of(&changes, i64::MAX));
            let newer = Arc::new(Known { changes, now });
            self.0.insert(key, Arc::clone(&newer));
            known = Some(newer);
        }
        let Some(known) = known else { return Ok(Arc::default()) };
        // Another transaction may have seen more.
        let position = position.min(last);
        if position >= known.last() {
            return Ok(Arc::clone(&known.now));
        }
        Ok(Arc::new(Identities::of(&known.changes, position)))
    }
}

impl Known {
    fn last(&self) -> i64 {
        self.changes.last().map_or(0, |change| change.position)
    }
}

async fn read(
    connection: &mut PgConnection,
    (generation, customer): (i32, Uuid),
    after: i64,
) -> Result<Vec<Change>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT position, alias, actor, is_merged FROM merges
          WHERE generation = $1 AND customer_id = $2 AND position > $3 ORDER BY position",
        generation,
        customer,
        after,
    )
    .fetch_all(connection)
    .await?;
    let change = |row| {
        let Row { position, alias, actor, is_merged } = row;
        Change { position, alias: alias as u32, actor: actor as u32, is_merged }
    };
    Ok(rows.into_iter().map(change).collect())
}

struct Row {
    position: i64,
    alias: i32,
    actor: i32,
    is_merged: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(position: i64, alias: u32, actor: u32, is_merged: bool) -> Change {
        Change { position, alias, actor, is_merged }
    }

    #[test]
    fn a_chain_is_followed_to_its_end_at_any_position() {
        let changes =
            [change(5, 1, 2, true), change(7, 2, 4, true), change(9, 1, 2, false), change(11, 3, 1, true)];
        let at = |position| {
            let identities = Identities::of(&changes, position);
            [1, 2, 3, 9].map(|ordinal| identities.actor(ordinal))
        };
        assert_eq!(at(4), [1, 2, 3, 9]);
        assert_eq!(at(5), [2, 2, 3, 9]);
        assert_eq!(at(8), [4, 4, 3, 9]);
        assert_eq!(at(10), [1, 4, 3, 9]);
        assert_eq!(at(11), [1, 4, 1, 9]);
        assert_eq!(Identities::of(&changes, 8).aliases(4), [(1, 7), (2, 7)]);
        assert_eq!(Identities::of(&changes, 8).aliases(2), []);
    }

    #[test]
    fn a_circle_that_a_discarded_event_left_behind_is_none() {
        // The revert of the first one was discarded.
        let identities = Identities::of(&[change(1, 0, 1, true), change(3, 1, 0, true)], 9);
        assert_eq!([identities.actor(0), identities.actor(1)], [1, 1]);
    }
}
