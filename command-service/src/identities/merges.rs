//! The merges of a customer, as far as a command needs them: those that lead upwards from its two names. They are kept in
//! tables as of some event of their stream, and the few events after it are read from the log, so that a merge costs the
//! same whether a customer has ten of them or a million.

use std::collections::HashMap;

use cqrs_es::Aggregate;
use domain::CustomerId;
use domain::identity::{CHAIN_ACTORS_MAX, Identities, IdentityEvent, Merge};
use event_store::{EventLog, LogError, RecordedEvent, StreamQuery};

use super::IdentitiesError;

/// When so many events are not in the tables yet, they are written there.
const EVENTS_MAX: usize = 256;
/// The most bytes of these events.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// How often the tables are read anew because another process has written to them in between.
const READS_MAX: usize = 20;

/// What a command is decided on.
pub(super) struct Known {
    pub(super) identities: Identities,
    /// How many events the stream has.
    pub(super) sequence: i64,
    /// Of the event that merged the alias; 0 if it is not merged.
    pub(super) position: i64,
}

/// What became of an alias by the last event about it: the actor that it was merged into, and where; none if that was
/// reverted.
type Last = Option<(String, i64)>;

/// Reads what leads upwards from the names of a merge.
pub(super) async fn read(
    log: &EventLog,
    customer: CustomerId,
    merge: &Merge,
) -> Result<Known, IdentitiesError> {
    for _ in 0..READS_MAX {
        let kept = kept(log, customer).await?;
        let events = after(log, customer, kept).await?;
        if events.len() >= EVENTS_MAX {
            keep(log, customer).await?;
            continue;
        }
        let sequence = events.last().map_or(kept, |event| event.sequence);
        let known = upwards(log, customer, merge, lasts(&events)?).await?;
        // The tables change together with what they are as of.
        if self::kept(log, customer).await? == kept {
            let (merged, position) = known;
            return Ok(Known { identities: Identities::of(merged), sequence, position });
        }
    }
    Err(IdentitiesError::Conflict)
}

/// The merges that lead upwards, and the position of the alias's own.
async fn upwards(
    log: &EventLog,
    customer: CustomerId,
    merge: &Merge,
    lasts: HashMap<String, Last>,
) -> Result<(Vec<(String, String)>, i64), IdentitiesError> {
    let mut merged = Vec::new();
    let mut position = 0;
    if let Some((actor, at)) = last_of(log, customer, &merge.alias, &lasts).await? {
        merged.push((merge.alias.clone(), actor));
        position = at;
    }
    let mut name = merge.actor.clone();
    for _ in 0..=CHAIN_ACTORS_MAX {
        let Some((above, _)) = last_of(log, customer, &name, &lasts).await? else { break };
        merged.push((std::mem::replace(&mut name, above.clone()), above));
    }
    Ok((merged, position))
}

async fn last_of(
    log: &EventLog,
    customer: CustomerId,
    alias: &str,
    lasts: &HashMap<String, Last>,
) -> Result<Last, IdentitiesError> {
    if let Some(last) = lasts.get(alias) {
        return Ok(last.clone());
    }
    // A name that no text of PostgreSQL can hold is no name, and the aggregate says so.
    if alias.contains('\0') {
        return Ok(None);
    }
    let row = sqlx::query!(
        "SELECT actor, position FROM merged_actors WHERE customer_id = $1 AND alias = $2",
        customer.0,
        alias,
    )
    .fetch_optional(log.pool())
    .await?;
    Ok(row.map(|row| (row.actor, row.position)))
}

/// The event as of which the tables are.
async fn kept(log: &EventLog, customer: CustomerId) -> Result<i64, IdentitiesError> {
    let sequence =
        sqlx::query_scalar!("SELECT sequence FROM merge_snapshots WHERE customer_id = $1", customer.0)
            .fetch_optional(log.pool())
            .await?;
    Ok(sequence.unwrap_or(0))
}

/// The next events of the stream after one.
async fn after(
    log: &EventLog,
    customer: CustomerId,
    sequence: i64,
) -> Result<Vec<RecordedEvent>, IdentitiesError> {
    let query = StreamQuery {
        partition: log.partitions().of(customer),
        aggregate_type: Identities::TYPE,
        aggregate_id: &Identities::stream(customer),
        after: sequence,
        to: i64::MAX,
        limit: EVENTS_MAX,
        bytes_max: BYTES_MAX,
    };
    Ok(log.stream_page(&query).await?.events)
}

/// What became of each alias by events in their order.
fn lasts(events: &[RecordedEvent]) -> Result<HashMap<String, Last>, IdentitiesError> {
    events.iter().map(outcome).collect()
}

fn outcome(event: &RecordedEvent) -> Result<(String, Last), IdentitiesError> {
    Ok(match event.decode().map_err(LogError::from)? {
        IdentityEvent::ActorsMerged(merged) => (merged.alias, Some((merged.actor, event.position))),
        IdentityEvent::MergeReverted(reverted) => (reverted.alias, None),
    })
}

/// Writes the next events into the tables.
async fn keep(log: &EventLog, customer: CustomerId) -> Result<(), IdentitiesError> {
    let mut transaction = log.pool().begin().await?;
    sqlx::query!(
        "INSERT INTO merge_snapshots (customer_id, sequence) VALUES ($1, 0) ON CONFLICT DO NOTHING",
        customer.0
    )
    .execute(&mut *transaction)
    .await?;
    // Locked, so that of two processes one goes on where the other has ended.
    let kept = sqlx::query_scalar!(
        "SELECT sequence FROM merge_snapshots WHERE customer_id = $1 FOR UPDATE",
        customer.0
    )
    .fetch_one(&mut *transaction)
    .await?;
    let events = after(log, customer, kept).await?;
    let Some(last) = events.last() else { return Ok(()) };
    let (mut aliases, mut actors, mut positions, mut reverted) = (vec![], vec![], vec![], vec![]);
    for (alias, last) in lasts(&events)? {
        match last {
            None => reverted.push(alias),
            Some((actor, position)) => {
                aliases.push(alias);
                actors.push(actor);
                positions.push(position);
            }
        }
    }
    sqlx::query!(
        "INSERT INTO merged_actors (customer_id, alias, actor, position)
         SELECT $1, k.alias, k.actor, k.position FROM unnest($2::text[], $3::text[], $4::bigint[]) AS k (alias, actor, position)
         ON CONFLICT (customer_id, alias) DO UPDATE SET actor = excluded.actor, position = excluded.position",
        customer.0,
        &aliases,
        &actors,
        &positions,
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "DELETE FROM merged_actors WHERE customer_id = $1 AND alias = ANY ($2)",
        customer.0,
        &reverted
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "UPDATE merge_snapshots SET sequence = $2 WHERE customer_id = $1",
        customer.0,
        last.sequence
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}
