//! Traits of actors at the moment of a view: as a column by which rows are filtered and grouped, and of one actor.
//!
//! An actor has the traits of all of its names. Where several names have a trait, the actor's own counts, and then that of the
//! name which was described last.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Json;
use futures::TryStreamExt;
use moka::sync::Cache;
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use super::View;
use crate::columns::{Dictionary, Field, Path, Scalar, flatten};
use crate::error::ReportsError;

/// The value of one field of the traits for each actor.
#[derive(Debug)]
pub(crate) struct TraitColumn {
    /// Tells columns apart that are kept in memory for chunks.
    pub(super) number: u64,
    /// The index of a value, by ordinal, also of those that stand for another actor; ordinals beyond have none.
    codes: Vec<u32>,
    /// The first one is that of those without one.
    values: Vec<Scalar>,
}

impl TraitColumn {
    fn of(best: HashMap<u32, (Rank, Scalar)>, actor_of: impl Fn(u32) -> u32, ordinals: u32) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let mut values = vec![Scalar::Absent];
        let mut known: HashMap<Scalar, u32> = HashMap::from([(Scalar::Absent, 0)]);
        let code = |value: Scalar, values: &mut Vec<Scalar>, known: &mut HashMap<Scalar, u32>| {
            *known.entry(value).or_insert_with_key(|value| {
                values.push(value.clone());
                (values.len() - 1) as u32
            })
        };
        let of_actors: HashMap<u32, u32> = best
            .into_iter()
            .map(|(actor, (_, value))| (actor, code(value, &mut values, &mut known)))
            .collect();
        let codes = (0..ordinals).map(|ordinal| of_actors.get(&actor_of(ordinal)).copied().unwrap_or(0));
        Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), codes: codes.collect(), values }
    }

    /// The column of a chunk's rows, by their actors.
    pub(super) fn of_rows(&self, actors: &[u32]) -> Dictionary {
        let mut own: Vec<u32> = vec![u32::MAX; self.values.len()];
        let mut values = Vec::new();
        let code = |actor: &u32| {
            let code = self.codes.get(*actor as usize).copied().unwrap_or(0) as usize;
            if own[code] == u32::MAX {
                own[code] = values.len() as u32;
                values.push(self.values[code].clone());
            }
            // A chunk has no more rows than 16 bits tell apart.
            own[code] as u16
        };
        Dictionary { codes: actors.iter().map(code).collect(), values }
    }

    fn bytes(&self) -> usize {
        let values: usize = self.values.iter().map(Scalar::bytes).sum();
        size_of::<Self>() + size_of_val(self.codes.as_slice()) + values
    }
}

/// Which of several descriptions counts: the actor's own, then the one with the greatest position.
type Rank = (bool, i64);

/// What a column of traits depends on: generation and customer, the field, how many descriptions there are, up to which
/// position they count, and the last merge that does.
type Key = (i32, Uuid, Field, i64, i64, i64);

/// A cache of columns of traits, limited in bytes.
#[derive(Clone)]
pub(crate) struct TraitCache(Cache<Key, Arc<TraitColumn>>);

/// Bytes of the cache.
const CACHE_BYTES: u64 = 64 << 20;

impl Default for TraitCache {
    fn default() -> Self {
        let weigh = |_: &Key, column: &Arc<TraitColumn>| u32::try_from(column.bytes()).unwrap_or(u32::MAX);
        Self(Cache::builder().max_capacity(CACHE_BYTES).weigher(weigh).build())
    }
}

/// Columns of traits that a scan needs.
pub(super) type TraitColumns = Vec<(Field, Arc<TraitColumn>)>;

impl View {
    /// The columns of those fields that are traits.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now, or the query's budget is spent.
    pub(super) async fn trait_columns(&self, fields: &[Field]) -> Result<TraitColumns, ReportsError> {
        let mut columns = TraitColumns::new();
        for field in fields {
            if let Field::Trait(path) = field
                && !columns.iter().any(|(known, _)| known == field)
            {
                columns.push((field.clone(), self.trait_column(field, path).await?));
            }
        }
        Ok(columns)
    }

    async fn trait_column(&self, field: &Field, path: &Path) -> Result<Arc<TraitColumn>, ReportsError> {
        let (count, last) = self.described().await?;
        let merged = self.identities.as_ref().map_or(0, |identities| identities.last());
        let key = (self.generation, self.customer.0, field.clone(), count, last, merged);
        if let Some(column) = self.state.traits.0.get(&key) {
            return Ok(column);
        }
        let column = Arc::new(self.read_trait_column(field, path, last).await?);
        self.state.traits.0.insert(key, Arc::clone(&column));
        Ok(column)
    }

    /// How many descriptions there are, and the position of the last one that counts.
    async fn described(&self) -> Result<(i64, i64), ReportsError> {
        let mut transaction = self.transaction.lock().await;
        let row = sqlx::query!(
            r#"SELECT s.descriptions,
                      (SELECT max(d.position) FROM descriptions d
                        WHERE d.generation = $1 AND d.customer_id = $2 AND d.position <= $3) AS last
                 FROM stores s WHERE s.generation = $1 AND s.customer_id = $2"#,
            self.generation,
            self.customer.0,
            self.as_of.position,
        )
        .fetch_optional(&mut **transaction)
        .await?;
        Ok(row.map_or((0, 0), |row| (row.descriptions, row.last.unwrap_or(0))))
    }

    async fn read_trait_column(
        &self,
        field: &Field,
        path: &Path,
        last: i64,
    ) -> Result<TraitColumn, ReportsError> {
        let (whole, first) = (field.to_string(), Field::Trait(path.first()).to_string());
        let mut best: HashMap<u32, (Rank, Scalar)> = HashMap::new();
        let (mut ordinals, mut bytes) = (0, 0);
        let mut transaction = self.transaction.lock().await;
        // The last description of each name, in one walk through the key.
        let mut rows = sqlx::query!(
            "SELECT DISTINCT ON (actor) actor, position, traits FROM descriptions
              WHERE generation = $1 AND customer_id = $2 AND position <= $3
              ORDER BY actor DESC, position DESC",
            self.generation,
            self.customer.0,
            last,
        )
        .fetch(&mut **transaction);
        while let Some(row) = rows.try_next().await? {
            bytes += row.traits.len();
            if bytes > self.state.query_bytes_max {
                let mebibytes = self.state.query_bytes_max >> 20;
                return Err(ReportsError::OverBudget(format!("would read more than {mebibytes} MiB")));
            }
            let Some(value) = value_of(&row.traits, &whole, &first) else { continue };
            let (ordinal, actor) = (row.actor as u32, self.actor_of(row.actor as u32));
            ordinals = ordinals.max(ordinal + 1);
            let rank = (actor == ordinal, row.position);
            let known = best.entry(actor).or_insert((rank, Scalar::Absent));
            if rank >= known.0 {
                *known = (rank, value);
            }
        }
        drop(rows);
        drop(transaction);
        // Also names that were not described may stand for an actor that was.
        let ordinals = ordinals.max(self.identities.as_ref().map_or(0, |identities| identities.ordinals()));
        Ok(TraitColumn::of(best, |ordinal| self.actor_of(ordinal), ordinals))
    }

    /// All traits of an actor, a JSON object.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now.
    pub(crate) async fn traits_of(&self, actor: u32) -> Result<Json, ReportsError> {
        let aliases = self.aliases(actor).into_iter().map(|(alias, _)| alias as i32);
        let names: Vec<i32> = std::iter::once(actor as i32).chain(aliases).collect();
        let mut transaction = self.transaction.lock().await;
        let rows = sqlx::query!(
            r#"SELECT d.actor AS "actor!", d.position AS "position!", d.traits AS "traits!"
                 FROM unnest($3::int[]) AS k (actor)
                CROSS JOIN LATERAL (SELECT actor, position, traits FROM descriptions
                                     WHERE generation = $1 AND customer_id = $2 AND actor = k.actor AND position <= $4
                                     ORDER BY position DESC LIMIT 1) AS d"#,
            self.generation,
            self.customer.0,
            &names,
            self.as_of.position,
        )
        .fetch_all(&mut **transaction)
        .await?;
        let mut ranked: Vec<(Rank, String)> =
            rows.into_iter().map(|row| ((row.actor as u32 == actor, row.position), row.traits)).collect();
        ranked.sort_unstable();
        let mut traits: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
        let unreadable = |error: serde_json::Error| ReportsError::Internal(error.to_string());
        for (_, text) in &ranked {
            traits.extend(serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text).map_err(unreadable)?);
        }
        to_raw_value(&traits).map(Json).map_err(unreadable)
    }
}

/// The value at a path of traits; none if they do not have even the first key of it. Paths are as fields are written.
fn value_of(traits: &str, whole: &str, first: &str) -> Option<Scalar> {
    let traits: &RawValue = serde_json::from_str(traits).ok()?;
    let (mut has_first, mut value) = (false, Scalar::Absent);
    flatten(traits, &mut "traits.".to_owned(), &mut |path, text| {
        has_first |= path == first;
        if path == whole {
            value = Scalar::of_text(text);
        }
    });
    has_first.then_some(value)
}
