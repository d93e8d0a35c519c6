//! Views: the rows of one customer at one moment, read in one consistent snapshot, and their scan.

mod activity;
mod actors;
mod cache;
mod chunk;
mod identities;
mod load;
mod parts;
mod positions;
mod slots;
mod traits;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::CustomerId;
use sqlx::{Postgres, Transaction};
use tokio::sync::Mutex;

use crate::answers::AsOf;
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::state::AppState;
use crate::store::{self, ends_between};
use crate::transaction::begin_snapshot;

pub(crate) use activity::{Activity, StandingRow};
pub(crate) use cache::ColumnCache;
use cache::Part;
use chunk::{Chunk, Preparation, Prepared};
use identities::Identities;
pub(crate) use identities::IdentityCache;
#[cfg(test)]
pub(crate) use parts::{Stop, fold_parts};
pub use positions::PositionFinder;
pub(crate) use slots::ScanSlots;
pub(crate) use traits::TraitCache;
use traits::TraitColumns;

/// How long a query may take.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// Chunks that are read from the database and decoded in one step.
const CHUNKS_AT_A_TIME: usize = 16;

/// The moment whose rows a view has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The last position that is folded.
    Now,
    /// The state after the event at this position of the partition.
    Position(i64),
}

/// A computation over rows, chunk by chunk in any order and on several threads.
pub(crate) trait Scan: Send + Sync + 'static {
    /// The result of one thread.
    type Partial: Send + 'static;

    /// An empty result.
    fn begin(&self) -> Self::Partial;

    /// Adds one chunk to a result.
    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>);
}

/// The rows of one customer at one moment.
pub(crate) struct View {
    pub(crate) customer: CustomerId,
    /// The live generation.
    pub(crate) generation: i32,
    /// The version of the code that folded the generation.
    pub(crate) version: i32,
    /// How many events were folded; it also grows when a dead letter is folded, and the position stays.
    pub(crate) folded: i64,
    /// The moment of the view.
    pub(crate) as_of: AsOf,
    /// How long the first published event that is not folded has been waiting, in milliseconds.
    pub(crate) lag_ms: i64,
    state: AppState,
    transaction: Mutex<Transaction<'static, Postgres>>,
    chunks: Vec<Chunk>,
    /// Ends of rows that are not yet written into their segments, sorted by position.
    ends: Vec<(i64, i64)>,
    /// Which names mean one actor; none where each means its own.
    identities: Option<Arc<Identities>>,
    deadline: Instant,
    bytes_read: AtomicUsize,
}

impl View {
    /// Opens a view: begins a transaction and reads the list of chunks.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now.
    pub(crate) async fn open(
        state: &AppState,
        customer: CustomerId,
        moment: Moment,
    ) -> Result<Self, ReportsError> {
        let partition = state.partition(customer);
        let mut transaction = begin_snapshot(&state.pool).await?;
        // Every statement looks up by key and has a time limit.
        let row = sqlx::query!(
            "SELECT p.live_generation, p.version, c.position, c.folded, c.recorded_at,
                    (SELECT max(m.position) FROM merges m
                      WHERE m.generation = p.live_generation AND m.customer_id = $3) AS last_merge,
                    set_config('enable_seqscan', 'off', true) AS keyed, set_config('statement_timeout', '10s', true) AS limited
               FROM projections p
               JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
              WHERE p.name = $1 AND c.partition = $2",
            store::NAME,
            i32::from(partition.0),
            customer.0,
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(|| ReportsError::Unavailable("the read model has no live generation".to_owned()))?;
        let generation = row.live_generation;
        let mut chunks = load::manifest(&mut transaction, generation, customer.0).await?;
        let ends = ends_between(&mut transaction, generation, customer.0, i64::MIN, i64::MAX).await?;
        let as_of = match moment {
            Moment::Position(position) if position < row.position => {
                chunks.retain(|chunk| chunk.positions.0 <= position);
                let event = state.log.read_at(partition, &[position]).await?;
                AsOf { position, time: event.first().map(|event| event.recorded_at) }
            }
            Moment::Position(_) | Moment::Now => AsOf { position: row.position, time: row.recorded_at },
        };
        let identities = match row.last_merge {
            None => None,
            Some(last) => {
                let key = (generation, customer.0);
                Some(state.identities.at(&mut transaction, key, last, as_of.position).await?)
            }
        };
        let lag = state.lag.of(partition, row.position, Instant::now());
        Ok(Self {
            customer,
            generation,
            version: row.version,
            folded: row.folded,
            as_of,
            lag_ms: lag.as_millis() as i64,
            state: state.clone(),
            transaction: Mutex::new(transaction),
            chunks,
            ends,
            identities,
            deadline: Instant::now() + QUERY_TIMEOUT,
            bytes_read: AtomicUsize::new(0),
        })
    }

    /// The ordinal of the actor that one stands for at the moment.
    pub(crate) fn actor_of(&self, ordinal: u32) -> u32 {
        self.identities.as_ref().map_or(ordinal, |identities| identities.actor(ordinal))
    }

    /// The ordinals that stand for an actor besides its own, each with the position since when.
    pub(crate) fn aliases(&self, actor: u32) -> Vec<(u32, i64)> {
        self.identities.as_ref().map_or_else(Vec::new, |identities| identities.aliases(actor))
    }

    /// The least and the greatest time that any row may have, in microseconds since 1970.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        let first = self.chunks.iter().map(|chunk| chunk.times.0).min()?;
        let last = self.chunks.iter().map(|chunk| chunk.times.1).max()?;
        Some((first, last))
    }

    /// An estimate of the rows that happened in `window` (microseconds since 1970), as if a chunk's rows were spread evenly
    /// over its time.
    pub(crate) fn rows_about(&self, window: &Range<i64>) -> usize {
        let rows = |chunk: &Chunk| {
            let (first, last) = chunk.times;
            let length = last.saturating_sub(first).saturating_add(1) as f64;
            let both = window.end.min(last.saturating_add(1)).saturating_sub(window.start.max(first));
            (chunk.rows as f64 * both.max(0) as f64 / length) as usize
        };
        self.chunks.iter().map(rows).sum()
    }

    /// Scans the rows that happened in `window` (microseconds since 1970) and stand at the moment; returns what each thread
    /// has gathered.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now, or the query's budget is spent.
    pub(crate) async fn scan<S: Scan>(
        &self,
        window: Range<i64>,
        needs: &Needs,
        scan: S,
    ) -> Result<(S, Vec<S::Partial>), ReportsError> {
        let within = |chunk: &&Chunk| chunk.times.0 < window.end && chunk.times.1 >= window.start;
        let chunks: Vec<&Chunk> = self.chunks.iter().filter(within).collect();
        let traits = self.trait_columns(&needs.fields).await?;
        let scan = Arc::new(scan);
        let mut partials = vec![scan.begin()];
        let mut ready = Vec::new();
        let mut missing = Vec::new();
        for chunk in chunks {
            match self.prepare(chunk, (needs, &traits), &[]) {
                Some(prepared) => ready.push(prepared),
                None => missing.push(chunk),
            }
        }
        self.scan_ready(&scan, ready, &window, &mut partials).await?;
        for some in missing.chunks(CHUNKS_AT_A_TIME) {
            let prepared = self.load(some, (needs, &traits)).await?;
            self.scan_ready(&scan, prepared, &window, &mut partials).await?;
        }
        let scan =
            Arc::into_inner(scan).ok_or_else(|| ReportsError::Internal("a scan has not ended".to_owned()))?;
        Ok((scan, partials))
    }

    fn prepare(
        &self,
        chunk: &Chunk,
        (needs, traits): (&Needs, &TraitColumns),
        loaded: &[(Part, Arc<cache::Column>)],
    ) -> Option<Prepared> {
        let preparation = Preparation {
            cache: &self.state.columns,
            needs,
            traits,
            position: self.as_of.position,
            ends: chunk.ends_of(&self.ends),
        };
        preparation.prepare(chunk, loaded)
    }

    /// Reads the columns of these chunks that are not in the cache.
    async fn load(
        &self,
        chunks: &[&Chunk],
        (needs, traits): (&Needs, &TraitColumns),
    ) -> Result<Vec<Prepared>, ReportsError> {
        let cache = &self.state.columns;
        let missing: Vec<(&Chunk, Vec<Part>)> = chunks
            .iter()
            .map(|chunk| {
                let has_ends = !chunk.ends_of(&self.ends).is_empty();
                let mut parts = chunk.parts(needs, self.as_of.position, has_ends);
                parts.retain(|part| cache.get(chunk.id, part).is_none());
                (*chunk, parts)
            })
            .collect();
        let (loaded, bytes) = {
            let mut transaction = self.transaction.lock().await;
            let threads = self.state.slots.count();
            load::load(&mut transaction, self.generation, self.customer.0, &missing, cache, threads).await?
        };
        let read = self.bytes_read.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if read > self.state.query_bytes_max {
            return Err(ReportsError::OverBudget(format!(
                "would read more than {} MiB",
                self.state.query_bytes_max >> 20
            )));
        }
        let prepared = chunks.iter().map(|chunk| {
            self.prepare(chunk, (needs, traits), load::parts_of(&loaded, chunk))
                .ok_or_else(|| load::lacks_a_column(chunk))
        });
        prepared.collect()
    }

    /// Scans chunks with as many threads as are free, and at least one.
    async fn scan_ready<S: Scan>(
        &self,
        scan: &Arc<S>,
        chunks: Vec<Prepared>,
        window: &Range<i64>,
        partials: &mut Vec<S::Partial>,
    ) -> Result<(), ReportsError> {
        if Instant::now() > self.deadline {
            return Err(over_time());
        }
        if chunks.is_empty() {
            return Ok(());
        }
        let permit = self.state.slots.acquire(self.customer).await;
        let (work, threads) = (
            Arc::new(Work {
                chunks,
                identities: self.identities.clone(),
                next: AtomicUsize::new(0),
                deadline: self.deadline,
            }),
            self.state.slots.count(),
        );
        let mut tasks = Vec::new();
        for thread in 0..threads.min(work.chunks.len()) {
            let extra = if thread == 0 { None } else { Some(self.state.slots.try_acquire_extra()) };
            if matches!(extra, Some(None)) {
                break;
            }
            let partial = partials.pop().unwrap_or_else(|| scan.begin());
            let (scan, work, window, extra) =
                (Arc::clone(scan), Arc::clone(&work), window.clone(), extra.flatten());
            tasks.push(tokio::task::spawn_blocking(move || {
                let (mut partial, mut actors) = (partial, Vec::new());
                while !extra.as_ref().is_some_and(slots::ExtraPermit::is_wanted)
                    && let Some(chunk) = work.next()
                {
                    if let Some(rows) = chunk.rows(&window, work.identities.as_deref(), &mut actors) {
                        scan.scan(&mut partial, &rows);
                    }
                }
                partial
            }));
        }
        for task in tasks {
            partials.push(task.await.map_err(|error| ReportsError::Internal(error.to_string()))?);
        }
        drop(permit);
        if work.is_done() { Ok(()) } else { Err(over_time()) }
    }
}

/// Chunks that several threads scan.
struct Work {
    chunks: Vec<Prepared>,
    identities: Option<Arc<Identities>>,
    next: AtomicUsize,
    deadline: Instant,
}

impl Work {
    fn next(&self) -> Option<&Prepared> {
        if Instant::now() > self.deadline {
            return None;
        }
        self.chunks.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn is_done(&self) -> bool {
        self.next.load(Ordering::Relaxed) >= self.chunks.len()
    }
}

fn over_time() -> ReportsError {
    ReportsError::OverBudget(format!("takes longer than {} seconds", QUERY_TIMEOUT.as_secs()))
}
