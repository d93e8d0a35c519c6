mod least;
mod set_aside;

use std::collections::HashSet;

use domain::{CustomerId, Partition};
use event_store::{EventLog, KnownPositions, PositionIndex, PositionQuestion, Stamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{PgConnection, PgPool};

use super::cache::{ColumnCache, Part};
use super::chunk::{Chunk, Kind, Preparation, Wanted};
use super::load::{self, Loaded};
use super::slots::ScanSlots;
use super::{CHUNKS_AT_A_TIME, actors};
use crate::columns::{Needs, off_async};
use crate::error::ReportsError;
use crate::fold::stamp;
use crate::state::AppState;
use crate::store::{NAME, VERSION, ends_between};
use crate::transaction::begin_snapshot;
use least::Least;

/// Decoded columns that a finder of its own keeps, in bytes.
const CACHE_BYTES: u64 = 256 << 20;

/// Finds the positions in the log of events that are about an actor or a type of activity.
///
/// Each state of an activity is a row with two positions: of the event that made it, and of the event that changed it. These
/// positions are the events to find. In addition come the events of which no row knows: dead letters, discarded events, and
/// the event of the stream that follows a discarded one.
#[derive(Clone)]
pub struct PositionFinder {
    pool: PgPool,
    log: EventLog,
    columns: ColumnCache,
    slots: ScanSlots,
}

impl std::fmt::Debug for PositionFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PositionFinder")
    }
}

/// The checkpoint of the live generation in a partition.
struct Checkpoint {
    generation: i32,
    as_of: Stamp,
}

impl PositionFinder {
    /// For a command of an operator, which has no running service: with a cache and one thread of its own.
    #[must_use]
    pub fn new(pool: PgPool, log: EventLog) -> Self {
        Self { pool, log, columns: ColumnCache::new(CACHE_BYTES), slots: ScanSlots::new(1) }
    }

    pub(crate) fn of(state: &AppState) -> Self {
        let AppState { pool, log, columns, slots, .. } = state;
        Self { pool: pool.clone(), log: log.clone(), columns: columns.clone(), slots: slots.clone() }
    }

    /// Finds the positions of the events that match a question, and possibly a few more. None if the read model knows nothing
    /// of what follows `question.after`.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model or the log cannot be read now.
    pub async fn find(&self, question: &PositionQuestion) -> Result<Option<KnownPositions>, ReportsError> {
        let customer = question.customer_id;
        let partition = self.log.partitions().of(customer);
        let mut transaction = begin_snapshot(&self.pool).await?;
        let Some(Checkpoint { generation, as_of }) = checkpoint(&mut transaction, partition).await? else {
            return Ok(None);
        };
        let to = question.to.min(as_of.position);
        if to <= question.after {
            return Ok(None);
        }
        let mut least = Least::new(question.after, to, question.limit);
        set_aside::see_set_aside(&mut transaction, generation, partition, customer, &mut least).await?;
        let discards = set_aside::see_discarded(&mut transaction, &self.log, partition, customer, &mut least);
        if !discards.await? {
            return Ok(None);
        }
        let mut search = Search { finder: self, connection: &mut transaction, generation, customer };
        search.see(question, &mut least).await?;
        search.see_changes(question, &mut least).await?;
        let complete_to = least.last();
        Ok(Some(KnownPositions { positions: least.into_positions(), complete_to, as_of }))
    }
}

impl PositionIndex for PositionFinder {
    fn find<'a>(&'a self, question: &'a PositionQuestion) -> BoxFuture<'a, Option<KnownPositions>> {
        async {
            let found = self.find(question).await;
            found.unwrap_or_else(|error| {
                tracing::debug!(?error, "the read model cannot find the positions of events");
                None
            })
        }
        .boxed()
    }
}

/// The live checkpoint of a partition, if this version of the code has folded it.
async fn checkpoint(
    connection: &mut PgConnection,
    partition: Partition,
) -> Result<Option<Checkpoint>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT p.live_generation, c.position, c.log_id, c.event_id, c.recorded_at,
                set_config('enable_seqscan', 'off', true) AS keyed, set_config('statement_timeout', '10s', true) AS limited
           FROM projections p
           JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
          WHERE p.name = $1 AND p.version = $2 AND c.partition = $3",
        NAME,
        VERSION,
        i32::from(partition.0),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.and_then(|row| {
        let as_of = stamp(partition, row.position, row.log_id, row.event_id, row.recorded_at)?;
        Some(Checkpoint { generation: row.live_generation, as_of })
    }))
}

/// A search through the rows of a customer.
struct Search<'a> {
    finder: &'a PositionFinder,
    connection: &'a mut PgConnection,
    generation: i32,
    customer: CustomerId,
}

/// The rows to search for.
struct Rows {
    /// Both positions of these rows are found.
    wanted: Wanted,
    /// If given, the first position of a row is found only if the row matches this too. The second is always found: its
    /// event may change the activity to something that matches.
    and: Option<Wanted>,
}

impl Search<'_> {
    /// Adds the positions of every row that matches the question.
    async fn see(&mut self, question: &PositionQuestion, least: &mut Least) -> Result<(), ReportsError> {
        let Some(rows) = self.rows(question).await? else { return Ok(()) };
        let mut chunks = load::manifest(self.connection, self.generation, self.customer.0).await?;
        if let Wanted::Type(name) = &rows.wanted {
            let having = self.segments_having(name).await?;
            chunks.retain(|chunk| matches!(chunk.kind, Kind::Delta) || having.contains(&chunk.id));
        }
        let ends =
            ends_between(self.connection, self.generation, self.customer.0, i64::MIN, i64::MAX).await?;
        // In the order of positions: when enough are found, the later chunks need not be read.
        chunks.sort_unstable_by_key(|chunk| chunk.positions.0);
        for some in chunks.chunks(CHUNKS_AT_A_TIME) {
            self.see_chunks(some, &rows, &ends, least).await?;
        }
        Ok(())
    }

    /// The rows to search for; none if the customer has no such actor.
    async fn rows(&mut self, question: &PositionQuestion) -> Result<Option<Rows>, ReportsError> {
        let of_type = question.activity_type.as_deref().map(|name| Wanted::Type(name.into()));
        let Some(actor) = &question.actor else {
            return Ok(of_type.map(|wanted| Rows { wanted, and: None }));
        };
        let names = std::slice::from_ref(actor);
        let ordinals = actors::ordinals(self.connection, self.generation, self.customer, names).await?;
        let ordinal = ordinals.get(actor).copied();
        Ok(ordinal.map(|ordinal| Rows { wanted: Wanted::Actor(ordinal), and: of_type }))
    }

    /// Adds the positions of what was said about an actor: its descriptions, and the merges of its name. None is of a type.
    async fn see_changes(
        &mut self,
        question: &PositionQuestion,
        least: &mut Least,
    ) -> Result<(), ReportsError> {
        let (Some(actor), None) = (&question.actor, &question.activity_type) else { return Ok(()) };
        let names = std::slice::from_ref(actor);
        let ordinals = actors::ordinals(self.connection, self.generation, self.customer, names).await?;
        let Some(ordinal) = ordinals.get(actor) else { return Ok(()) };
        let positions = sqlx::query_scalar!(
            r#"SELECT position AS "position!" FROM (
                   (SELECT position FROM merges WHERE generation = $1 AND customer_id = $2 AND alias = $3
                       AND position > $4 AND position <= $5 ORDER BY position LIMIT $6)
                   UNION ALL
                   (SELECT position FROM merges WHERE generation = $1 AND customer_id = $2 AND actor = $3
                       AND position > $4 AND position <= $5 ORDER BY position LIMIT $6)
                   UNION ALL
                   (SELECT position FROM descriptions WHERE generation = $1 AND customer_id = $2 AND actor = $3
                       AND position > $4 AND position <= $5 ORDER BY position LIMIT $6)
               ) all_of_them"#,
            self.generation,
            self.customer.0,
            *ordinal as i32,
            least.after(),
            least.last(),
            question.limit.max(1) as i64,
        )
        .fetch_all(&mut *self.connection)
        .await?;
        for position in positions {
            least.see(position);
        }
        Ok(())
    }

    async fn segments_having(&mut self, activity_type: &str) -> Result<HashSet<i64>, sqlx::Error> {
        let ids = sqlx::query_scalar!(
            "SELECT id FROM segments WHERE generation = $1 AND customer_id = $2 AND $3 = ANY (types)",
            self.generation,
            self.customer.0,
            activity_type,
        )
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(ids.into_iter().collect())
    }

    async fn see_chunks(
        &mut self,
        chunks: &[Chunk],
        rows: &Rows,
        ends: &[(i64, i64)],
        least: &mut Least,
    ) -> Result<(), ReportsError> {
        let chunks: Vec<&Chunk> = chunks.iter().filter(|chunk| may_have_some(chunk, ends, least)).collect();
        let loaded = self.load(chunks.iter().map(|chunk| (*chunk, chunk.parts_of(&rows.wanted)))).await?;
        let found = self
            .work(|search| {
                let found = chunks.iter().map(|chunk| {
                    let found = search.preparation(ends, chunk).find(
                        chunk,
                        load::parts_of(&loaded, chunk),
                        &rows.wanted,
                    );
                    found.map(|found| (*chunk, found)).ok_or_else(|| load::lacks_a_column(chunk))
                });
                found
                    .filter(|found| !matches!(found, Ok((_, rows)) if rows.is_empty()))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let parts = |chunk: &Chunk| {
            let and = rows.and.iter().flat_map(|and| chunk.parts_of(and));
            chunk.parts_of_lives().into_iter().chain(and).collect()
        };
        let loaded = self.load(found.iter().map(|(chunk, _)| (*chunk, parts(chunk)))).await?;
        self.work(|search| {
            found.iter().try_for_each(|(chunk, wanted)| {
                let own = load::parts_of(&loaded, chunk);
                let preparation = search.preparation(ends, chunk);
                let lives = preparation.lives(chunk, own).ok_or_else(|| load::lacks_a_column(chunk))?;
                let positions = lives.positions();
                match &rows.and {
                    None => wanted.iter().for_each(|row| least.see(positions.get(*row as usize))),
                    Some(and) => {
                        let too =
                            preparation.find(chunk, own, and).ok_or_else(|| load::lacks_a_column(chunk))?;
                        let both = wanted.iter().filter(|row| too.binary_search(row).is_ok());
                        both.for_each(|row| least.see(positions.get(*row as usize)));
                    }
                }
                let ended = lives.ended.iter().filter(|(row, _)| wanted.binary_search(row).is_ok());
                ended.for_each(|(_, end)| least.see(*end));
                Ok(())
            })
        })
        .await
    }

    fn preparation<'e>(&'e self, ends: &'e [(i64, i64)], chunk: &Chunk) -> Preparation<'e> {
        const NOTHING: &Needs = &Needs { actors: false, values: false, order: false, fields: Vec::new() };
        Preparation {
            cache: &self.finder.columns,
            needs: NOTHING,
            traits: const { &Vec::new() },
            position: i64::MAX,
            ends: chunk.ends_of(ends),
        }
    }

    /// Computes something when a thread is free for this customer.
    async fn work<T>(&self, work: impl FnOnce(&Self) -> Result<T, ReportsError>) -> Result<T, ReportsError> {
        let permit = self.finder.slots.acquire(self.customer).await;
        let done = off_async(|| work(self));
        drop(permit);
        done
    }

    /// Takes parts of chunks from the cache, or reads them.
    async fn load<'c>(
        &mut self,
        wanted: impl Iterator<Item = (&'c Chunk, Vec<Part>)>,
    ) -> Result<Loaded, ReportsError> {
        let (mut loaded, mut missing) = (Loaded::new(), Vec::new());
        for (chunk, mut parts) in wanted {
            let kept = loaded.entry(chunk.id).or_default();
            parts.retain(|part| {
                let column = self.finder.columns.get(chunk.id, part);
                let is_missing = column.is_none();
                kept.extend(column.map(|column| (part.clone(), column)));
                is_missing
            });
            if !parts.is_empty() {
                missing.push((chunk, parts));
            }
        }
        if !missing.is_empty() {
            let (columns, threads) = (&self.finder.columns, self.finder.slots.count());
            let (generation, customer) = (self.generation, self.customer.0);
            let (read, _) =
                load::load(self.connection, generation, customer, &missing, columns, threads).await?;
            for (chunk, parts) in read {
                loaded.entry(chunk).or_default().extend(parts);
            }
        }
        Ok(loaded)
    }
}

/// Whether a chunk may have a row with a position that would still be found.
fn may_have_some(chunk: &Chunk, ends: &[(i64, i64)], least: &Least) -> bool {
    let (first_position, last_position) = chunk.positions;
    let looked_for = |position: i64| position > least.after() && position <= least.last();
    let ends_there = || chunk.ends_of(ends).iter().any(|(_, end)| looked_for(*end));
    // The second position of a row is greater than its first.
    first_position <= least.last()
        && (last_position > least.after() || chunk.has_ended_rows() || ends_there())
}
