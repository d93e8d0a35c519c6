//! Rebuilding: the whole log is folded into tables of a new generation beside the live ones, which then take their place.

mod fill;
mod hold;
mod verify;

use std::sync::Arc;

use domain::Partition;
use event_store::{EventLog, LogError};
use sqlx::PgPool;
use tokio::sync::mpsc;

use crate::fold::{Folder, note_of_log};
use crate::generations;
use crate::projections::{self, ALL, Definition};
use crate::store::Sizes;
use fill::Filler;
use hold::Hold;

/// What a rebuild is to do.
#[derive(Clone, Debug)]
pub struct RebuildOptions {
    /// The projections; all if empty.
    pub projections: Vec<String>,
    /// Whether to compare the result with what is live, row by row.
    pub verify: bool,
    /// How many partitions are folded at the same time.
    pub parallel: usize,
}

/// How far a rebuild is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The projection.
    pub projection: &'static str,
    /// Events that are folded.
    pub folded: u64,
    /// Events that there were when the rebuild began, or as many as are folded if that is more.
    pub total: u64,
}

/// What a rebuild has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuildOutcome {
    /// Each projection, in the order asked for.
    pub projections: Vec<Rebuilt>,
}

/// A projection that was rebuilt, and whose new generation is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Its name.
    pub name: String,
    /// How many events it was folded from.
    pub events: u64,
    /// The new generation.
    pub generation: i32,
    /// In which rows it differs from the generation before, both at the same positions; none if that was not asked for.
    pub differences: Option<Vec<String>>,
}

/// Why a rebuild was given up. What was live still is.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// There is no such projection.
    #[error("there is no projection {name}; there are {}", .known.join(", "))]
    Unknown {
        /// As asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// It is being rebuilt already.
    #[error("the projection {projection} is being rebuilt already; wait until that is done")]
    Busy {
        /// Which.
        projection: &'static str,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read models cannot be written.
    #[error("the database of reports: {0}")]
    Database(#[from] sqlx::Error),
    /// An event cannot be folded, and not for its own fault.
    #[error("{projection}, partition {partition}: {reason}")]
    Fold {
        /// The projection.
        projection: &'static str,
        /// The partition.
        partition: Partition,
        /// Why.
        reason: String,
    },
    /// What waited behind a discarded event cannot be folded, and not for its own fault.
    #[error("{projection}: what waits behind a discarded event: {reason}")]
    Discard {
        /// The projection.
        projection: &'static str,
        /// Why.
        reason: String,
    },
    /// Somebody has taken the new tables away.
    #[error("the generation that was being built has been taken away; try again")]
    Lost,
}

/// Behind the live one by at most so many events, a generation is brought up to it while the live fold is held.
const HELD_EVENTS_MAX: i64 = 2_000;
/// Rounds of catching up with the head of the log before that; a log that grows faster is caught up while it is held.
const ROUNDS_MAX: usize = 20;

/// Builds read models again from the first event, beside the live ones: into tables of a new generation, caught up with
/// the moving head, swapped in one transaction. Queries go on throughout. The generation before stays as a way back, older
/// ones are dropped. With `verify`, the new one takes its place even if it differs: it is what the log says, and the other
/// can still be looked at.
///
/// # Errors
/// [`RebuildError`]; what was live still is.
pub async fn rebuild(
    pool: &PgPool,
    log: &EventLog,
    options: RebuildOptions,
    progress: impl Fn(Progress) + Send + Sync,
) -> Result<RebuildOutcome, RebuildError> {
    let definitions = chosen(&options.projections)?;
    generations::ensure(pool, log.partitions()).await?;
    note_of_log(pool, log).await?;
    let mut hold = Hold::take(pool, &definitions).await?;
    let mut built = Vec::with_capacity(definitions.len());
    for definition in definitions {
        // What a rebuild that was killed has left.
        generations::drop_others(pool, definition).await?;
        built.push((definition, generations::begin(pool, definition, log.partitions()).await?));
    }
    let outcome = build(pool, log, &options, &built, &mut hold, &progress).await;
    if outcome.is_err() {
        for (definition, _) in &built {
            if let Err(error) = generations::drop_others(pool, definition).await {
                tracing::warn!(%error, projection = definition.name, "the next rebuild clears away what this one leaves");
            }
        }
    }
    hold.release().await;
    outcome
}

fn chosen(names: &[String]) -> Result<Vec<&'static Definition>, RebuildError> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    let mut chosen: Vec<&'static Definition> = Vec::with_capacity(names.len());
    for name in names {
        let unknown = || RebuildError::Unknown { name: name.clone(), known: Definition::names() };
        let definition = Definition::named(name).ok_or_else(unknown)?;
        if !chosen.iter().any(|known| known.name == definition.name) {
            chosen.push(definition);
        }
    }
    Ok(chosen)
}

async fn build(
    pool: &PgPool,
    log: &EventLog,
    options: &RebuildOptions,
    built: &[(&'static Definition, i32)],
    hold: &mut Hold,
    progress: &(impl Fn(Progress) + Send + Sync),
) -> Result<RebuildOutcome, RebuildError> {
    let folder = Arc::new(Folder::new(log.clone(), Sizes::default()));
    let filler = Filler::new(pool, &folder, built, options.parallel);
    fill(&filler, options.verify, progress).await?;
    let mut projections = Vec::with_capacity(built.len());
    for &(definition, generation) in built {
        let filler = Filler::new(pool, &folder, &[(definition, generation)], options.parallel);
        let differences =
            if options.verify { Some(compare(&filler, definition, generation, hold).await?) } else { None };
        let events = take_over(&filler, definition, generation, hold).await?;
        // It is live; what it leaves behind is in nobody's way.
        if let Err(error) = generations::drop_others(pool, definition).await {
            tracing::warn!(%error, projection = definition.name, "old generations stay until the next rebuild");
        }
        tracing::info!(projection = definition.name, generation, events, "a projection was rebuilt");
        projections.push(Rebuilt { name: definition.name.to_owned(), events, generation, differences });
    }
    Ok(RebuildOutcome { projections })
}

/// Folds up to the moving head, or, to compare, no further than what is live.
async fn fill(
    filler: &Filler,
    verify: bool,
    progress: &(impl Fn(Progress) + Send + Sync),
) -> Result<(), RebuildError> {
    let (mut folded, mut total) = (0, filler.total().await?);
    for _ in 0..ROUNDS_MAX {
        let goals = if verify { filler.live().await? } else { filler.heads().await? };
        if filler.missing(&goals).await? <= HELD_EVENTS_MAX && folded > 0 {
            return Ok(());
        }
        let (sender, mut pages) = mpsc::unbounded_channel();
        let report = async {
            while let Some(events) = pages.recv().await {
                folded += events;
                total = total.max(folded);
                for (definition, _) in filler.generations() {
                    progress(Progress { projection: definition.name, folded, total });
                }
            }
        };
        let (outcome, ()) = tokio::join!(filler.fill(&goals, sender), report);
        outcome?;
        if folded == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// Compares with the live generation, both at the same positions: the live fold is held until a snapshot is taken.
async fn compare(
    filler: &Filler,
    definition: &'static Definition,
    generation: i32,
    hold: &mut Hold,
) -> Result<Vec<String>, RebuildError> {
    generations::analyze(filler.pool(), definition, generation).await?;
    hold.fold(definition).await?;
    let snapshot = async {
        filler.fill_quietly(&filler.live().await?).await?;
        filler.settle(definition, generation).await?;
        Ok::<_, RebuildError>(verify::snapshot(filler.pool()).await?)
    };
    let snapshot = snapshot.await;
    hold.let_go(definition).await?;
    let mut snapshot = snapshot?;
    Ok(verify::differences(&mut snapshot, definition, generation).await?)
}

/// Makes the new generation the live one, and answers how many events it was folded from.
async fn take_over(
    filler: &Filler,
    definition: &'static Definition,
    generation: i32,
    hold: &mut Hold,
) -> Result<u64, RebuildError> {
    // While it was compared, the live one went on.
    filler.fill_quietly(&filler.live().await?).await?;
    generations::analyze(filler.pool(), definition, generation).await?;
    hold.fold(definition).await?;
    let swapped = async {
        filler.fill_quietly(&filler.live().await?).await?;
        filler.settle(definition, generation).await?;
        let events = filler.folded().await?;
        let swapped = generations::swap(filler.pool(), definition, generation).await?;
        if swapped { Ok(events) } else { Err(RebuildError::Lost) }
    };
    let swapped = swapped.await;
    hold.let_go(definition).await?;
    swapped
}

/// The projections whose code is newer than what folded their live generation.
///
/// # Errors
/// What the database says.
pub(crate) async fn outdated(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    let (names, versions) = projections::versions();
    sqlx::query_scalar!(
        "SELECT p.name FROM projections p
           JOIN unnest($1::text[], $2::int[]) AS v (name, version) ON v.name = p.name AND v.version > p.version
          ORDER BY p.name",
        &names,
        &versions,
    )
    .fetch_all(pool)
    .await
}
