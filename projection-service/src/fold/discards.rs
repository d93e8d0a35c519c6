use std::collections::HashSet;

use cqrs_es::Aggregate;
use domain::Partition;
use domain::dead_letter::{DeadLetter, DeadLetterEvent};
use event_store::{EventLog, LogError};
use sqlx::{PgConnection, PgPool};

use super::{Folder, PageError, Target, lock_generation, prepare, release};
use crate::store::{self, NAME};
use crate::transaction::begin;

/// Positions after the checkpoint, up to `last`, that are discarded.
pub(super) async fn ahead(
    connection: &mut PgConnection,
    target: &Target,
    last: i64,
) -> Result<HashSet<i64>, sqlx::Error> {
    if !target.has_discards_ahead {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query_scalar!(
        "SELECT position FROM discards WHERE projection = $1 AND partition = $2 AND position > $3 AND position <= $4",
        NAME,
        target.place().partition,
        target.position,
        last,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Of these positions, those that are discarded.
pub(super) async fn among(
    connection: &mut PgConnection,
    target: &Target,
    positions: &[i64],
) -> Result<HashSet<i64>, sqlx::Error> {
    if positions.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query_scalar!(
        "SELECT position FROM discards WHERE projection = $1 AND partition = $2 AND position = ANY ($3)",
        NAME,
        target.place().partition,
        positions,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Records that an event is discarded, for a rebuild that folds its position later.
pub(super) async fn note(
    connection: &mut PgConnection,
    target: &Target,
    position: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO discards (projection, partition, position) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        NAME,
        target.place().partition,
        position,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Records all discards in the log, for a read model that has not folded those events yet: in a new database, or in one that
/// was restored. Up to its checkpoint a live fold has recorded them itself. For the partitions in `diverged`, whose records
/// are about another log, everything is recorded anew.
///
/// # Errors
/// [`LogError`].
pub(crate) async fn note_of_log(
    pool: &PgPool,
    log: &EventLog,
    diverged: &[Partition],
) -> Result<(), LogError> {
    let diverged: Vec<i32> = diverged.iter().map(|partition| i32::from(partition.0)).collect();
    let (mut projections, mut partitions, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    for partition in log.partitions().all() {
        for event in log.read_type(partition, DeadLetter::TYPE).await? {
            // An event that only a later version can read is recorded by that version.
            let Ok(DeadLetterEvent::DeadLetterDiscarded(discarded)) = event.decode() else { continue };
            let name = if store::is_named(&discarded.projection) { NAME } else { &discarded.projection };
            projections.push(name.to_owned());
            partitions.push(i32::from(partition.0));
            positions.push(discarded.position);
        }
    }
    let mut transaction = begin(pool).await?;
    sqlx::query!("DELETE FROM discards WHERE projection = $1 AND partition = ANY ($2)", NAME, &diverged)
        .execute(&mut *transaction)
        .await?;
    sqlx::query!(
        "INSERT INTO discards (projection, partition, position)
         SELECT k.projection, k.partition, k.position
           FROM unnest($1::text[], $2::int[], $3::bigint[]) AS k (projection, partition, position)
           JOIN projections p ON p.name = k.projection
           JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation
                             AND c.partition = k.partition
                             AND (c.position < k.position OR k.partition = ANY ($4))
         ON CONFLICT DO NOTHING",
        &projections,
        &partitions,
        &positions,
        &diverged,
    )
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

/// Discards in a generation that is being built the dead letters that were discarded in the live one in the meantime.
///
/// # Errors
/// [`PageError`].
pub(crate) async fn settle(pool: &PgPool, folder: &Folder, generation: i32) -> Result<(), PageError> {
    let open = sqlx::query!(
        "SELECT d.partition, d.position FROM discards d
           JOIN dead_letters l ON l.projection = d.projection AND l.partition = d.partition AND l.position = d.position
          WHERE l.projection = $1 AND l.generation = $2 ORDER BY d.partition, d.position",
        NAME,
        generation,
    )
    .fetch_all(pool)
    .await?;
    for row in open {
        let mut transaction = begin(pool).await?;
        prepare(&mut transaction).await?;
        let partition = Partition(row.partition as u16);
        if let Some(mut target) = lock_generation(&mut transaction, partition, generation).await? {
            release::discard(&mut transaction, folder, &mut target, row.position).await?;
        }
        transaction.commit().await?;
    }
    Ok(())
}
