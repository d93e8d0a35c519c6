//! Rebuilding: the whole log is folded into tables of a new generation beside the live ones, which then take their place.

mod error;
mod fill;
mod jobs;
mod load;
mod locks;
mod names;
mod progress;
mod rows;
mod turns;
mod verify;

use std::sync::Arc;

use domain::Partition;
use event_store::EventLog;
use sqlx::PgPool;

use crate::fold::{Folder, note_of_log};
use crate::generations;
use crate::store::{NAME, Sizes, VERSION};
use fill::{Filler, Pace, stamps};
use load::LoadLimit;
use locks::RebuildLock;
use progress::Meter;

pub use error::RebuildError;
pub use jobs::{RebuildJob, RebuildState};
pub(crate) use jobs::{latest, request, run_requested};
pub use progress::Progress;

/// What a rebuild is to do.
#[derive(Clone, Debug)]
pub struct RebuildOptions {
    /// Whether to compare the result with what is live, by what the rows mean.
    pub verify: bool,
    /// How many partitions are folded at the same time.
    pub parallel: usize,
    /// The load average of the machine above which it waits; it then waits for the live fold too. None: it never waits.
    pub load_max: Option<f64>,
}

/// The result of a rebuild: a new generation is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many events it was folded from.
    pub events: u64,
    /// How many of these an earlier, interrupted rebuild had folded.
    pub resumed: u64,
    /// The new generation.
    pub generation: i32,
    /// The differences to the generation before, both at the same positions; none if `verify` is false.
    pub differences: Option<Differences>,
}

/// The differences between two generations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Some of them, each with an example and the positions behind it.
    pub examples: Vec<String>,
    /// How many there are.
    pub count: u64,
}

/// The live fold is stopped only when a generation is behind the live one by at most this number of events.
const HELD_EVENTS_MAX: i64 = 2_000;
/// Rounds of catching up with the head of the log before that; a log that grows faster is caught up while it is held.
const ROUNDS_MAX: usize = 20;

/// Folds the whole log into the tables of a new generation, and makes it the live one in one transaction. Queries go on
/// throughout. The generation before is kept for [`roll_back`], older ones are dropped. An interrupted rebuild is resumed. With
/// `verify`, the new generation becomes live even if it differs, because it is what the log says.
///
/// # Errors
/// [`RebuildError`]; what was live still is.
pub async fn rebuild(
    pool: &PgPool,
    log: &EventLog,
    options: RebuildOptions,
    progress: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Rebuilt, RebuildError> {
    generations::ensure(pool, log.partitions()).await?;
    let mut lock = RebuildLock::take(pool).await?;
    let rebuilt = rebuild_locked(pool, log, &options, Box::new(progress), &mut lock).await;
    lock.release().await;
    rebuilt
}

async fn rebuild_locked(
    pool: &PgPool,
    log: &EventLog,
    options: &RebuildOptions,
    progress: Box<dyn Fn(Progress) + Send + Sync>,
    lock: &mut RebuildLock,
) -> Result<Rebuilt, RebuildError> {
    let diverged = crate::diverged(pool, log).await?;
    for (partition, divergence) in &diverged {
        tracing::warn!(%partition, %divergence, "the live read model has read another log");
    }
    let partitions: Vec<Partition> = diverged.iter().map(|(partition, _)| *partition).collect();
    note_of_log(pool, log, &partitions).await?;
    let generation = if let Some(generation) = unfinished(pool, log).await? {
        generation
    } else {
        generations::drop_others(pool, None).await?;
        generations::begin(pool, log.partitions()).await?
    };
    let folder = Folder::new(log.clone(), Sizes::default());
    let limit = LoadLimit { load_max: options.load_max };
    let filler = Filler::new(pool, folder, generation, options.parallel, limit);
    let (resumed, total) = (filler.folded().await?, filler.heads().await?.values().sum::<i64>() as u64);
    let meter = Arc::new(Meter::new(resumed, total, progress));
    let built = build(&filler, &meter, (options.verify, !diverged.is_empty()), lock).await;
    if built.as_ref().is_err_and(RebuildError::is_lasting)
        && let Err(error) = generations::drop_others(pool, None).await
    {
        tracing::warn!(%error, "the next rebuild clears away what this one leaves");
    }
    let (events, differences) = built?;
    // The new generation is live, so an error while older ones are dropped is not returned.
    if let Err(error) = generations::drop_others(pool, None).await {
        tracing::warn!(%error, "old generations stay until the next rebuild");
    }
    tracing::info!(generation, events, resumed, "the read model was rebuilt");
    Ok(Rebuilt { events, resumed, generation, differences })
}

/// The generation of an interrupted rebuild, if it can be resumed: the same code has filled it from this log.
async fn unfinished(pool: &PgPool, log: &EventLog) -> Result<Option<i32>, RebuildError> {
    let Some(generation) = generations::unfinished(pool).await? else { return Ok(None) };
    let stamps = stamps(pool, generation).await?;
    let diverged = log.check_all(&stamps).await?;
    if let Some((_, divergence)) = diverged.first() {
        tracing::warn!(%divergence, generation, "a rebuild that was broken off begins anew");
        return Ok(None);
    }
    generations::drop_others(pool, Some(generation)).await?;
    Ok(Some(generation))
}

async fn build(
    filler: &Filler,
    meter: &Arc<Meter>,
    (verify, diverged): (bool, bool),
    lock: &mut RebuildLock,
) -> Result<(u64, Option<Differences>), RebuildError> {
    fill(filler, meter, verify && !diverged).await?;
    generations::vacuum(filler.pool(), filler.generation()).await?;
    let differences = match (verify, diverged) {
        (false, _) => None,
        (true, true) => Some(Differences {
            examples: vec!["what was live had read another log, or one that was set back since".to_owned()],
            count: 1,
        }),
        (true, false) => Some(compare(filler, meter, lock).await?),
    };
    Ok((take_over(filler, meter, lock).await?, differences))
}

/// Folds up to the head of the log, or, for a comparison, up to the live checkpoints.
async fn fill(filler: &Filler, meter: &Arc<Meter>, as_live: bool) -> Result<(), RebuildError> {
    for _ in 0..ROUNDS_MAX {
        let goals = if as_live { filler.live().await? } else { filler.heads().await? };
        filler.fill(&goals, meter, Pace::Considerate).await?;
        let goals = if as_live { filler.live().await? } else { filler.heads().await? };
        if filler.missing(&goals).await? <= HELD_EVENTS_MAX {
            break;
        }
    }
    Ok(())
}

/// Compares with the live generation at the same positions; the live fold is stopped until the snapshot is taken.
async fn compare(
    filler: &Filler,
    meter: &Arc<Meter>,
    lock: &mut RebuildLock,
) -> Result<Differences, RebuildError> {
    lock.lock_fold().await?;
    let snapshot = async {
        filler.fill(&filler.live().await?, meter, Pace::Full).await?;
        filler.settle().await?;
        Ok::<_, RebuildError>(verify::snapshot(filler.pool()).await?)
    };
    let snapshot = snapshot.await;
    lock.unlock_fold().await?;
    let mut snapshot = snapshot?;
    Ok(verify::differences(&mut snapshot, filler.generation()).await?)
}

/// Makes the new generation the live one, and returns how many events it was folded from.
async fn take_over(filler: &Filler, meter: &Arc<Meter>, lock: &mut RebuildLock) -> Result<u64, RebuildError> {
    // During the comparison the live fold went on.
    filler.fill(&filler.live().await?, meter, Pace::Considerate).await?;
    lock.lock_fold().await?;
    let swapped = async {
        filler.fill(&filler.live().await?, meter, Pace::Full).await?;
        filler.settle().await?;
        let events = filler.folded().await?;
        let swapped = generations::swap(filler.pool(), filler.generation()).await?;
        if swapped { Ok(events) } else { Err(RebuildError::Lost) }
    };
    let swapped = swapped.await;
    lock.unlock_fold().await?;
    swapped
}

/// Makes the previous generation live again, after it has folded what was recorded since. The live one then is the previous
/// one. Returns the number of the generation that is live now.
///
/// # Errors
/// [`RebuildError`]; what was live still is.
pub async fn roll_back(
    pool: &PgPool,
    log: &EventLog,
    options: RebuildOptions,
    progress: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<i32, RebuildError> {
    let mut lock = RebuildLock::take(pool).await?;
    let rolled_back = roll_back_locked(pool, log, &options, Box::new(progress), &mut lock).await;
    lock.release().await;
    rolled_back
}

async fn roll_back_locked(
    pool: &PgPool,
    log: &EventLog,
    options: &RebuildOptions,
    progress: Box<dyn Fn(Progress) + Send + Sync>,
    lock: &mut RebuildLock,
) -> Result<i32, RebuildError> {
    let (generation, version) = generations::previous(pool).await?.ok_or(RebuildError::NoPrevious)?;
    if version != VERSION {
        return Err(RebuildError::OtherVersion { generation, version });
    }
    let diverged = log.check_all(&stamps(pool, generation).await?).await?;
    if let Some((_, divergence)) = diverged.into_iter().next() {
        return Err(RebuildError::Diverged { generation, divergence });
    }
    let folder = Folder::new(log.clone(), Sizes::default());
    let limit = LoadLimit { load_max: options.load_max };
    let filler = Filler::new(pool, folder, generation, options.parallel, limit);
    let (done, total) = (filler.folded().await?, filler.heads().await?.values().sum::<i64>() as u64);
    let meter = Arc::new(Meter::new(done, total, progress));
    fill(&filler, &meter, false).await?;
    lock.lock_fold().await?;
    let swapped = async {
        filler.fill(&filler.live().await?, &meter, Pace::Full).await?;
        filler.settle().await?;
        let swapped = generations::roll_back(pool, generation).await?;
        if swapped { Ok(generation) } else { Err(RebuildError::Lost) }
    };
    let swapped = swapped.await;
    lock.unlock_fold().await?;
    swapped
}

/// Whether the live generation was folded by older code than this.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn is_outdated(pool: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM projections WHERE name = $1 AND version < $2) AS "outdated!""#,
        NAME,
        VERSION,
    )
    .fetch_one(pool)
    .await
}
