//! What an operator sees of a relay, and how a partition that has stopped goes on.

use domain::Partition;
use event_store::{EventLog, advisory_locks};
use uuid::Uuid;

use super::position;
use crate::BusError;

/// A partition's relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayStatus {
    /// The partition.
    pub partition: Partition,
    /// The last position that was published.
    pub position: i64,
    /// Why it is not published until an operator decides, in words; none if it is published.
    pub stopped: Option<String>,
    /// Whether the position is that of an event of this log.
    pub is_of_the_log: bool,
}

/// Of every partition, in order; compares the event at which each relay stands with the log, whether or not a relay runs.
///
/// # Errors
/// An error if the database fails.
pub async fn relay_status(log: &EventLog) -> Result<Vec<RelayStatus>, BusError> {
    let positions = position::read(log.pool()).await?;
    let places: Vec<_> =
        positions.iter().map(|(partition, published)| (*partition, published.position)).collect();
    let found = log.stamps(&places).await?;
    let status = positions.into_iter().map(|(partition, published)| {
        let stamp = found.iter().find(|stamp| stamp.partition == partition);
        let diverged = published.compare(partition, stamp).err().map(|error| error.to_string());
        let is_of_the_log = diverged.is_none();
        let stopped = published.stopped.or(diverged);
        RelayStatus { partition, position: published.position, stopped, is_of_the_log }
    });
    Ok(status.collect())
}

/// Lets partitions be published again as this log has them, whatever the bus has: those that are named, or all that have
/// stopped; from after position `from`, or from where their relay stood, but never from beyond the log. Returns the
/// partitions and from where each goes on.
///
/// # Errors
/// [`BusError::Refused`] for a partition that is being published, or that the log does not have, and without `from` for one
/// whose relay stood at an event that is not in this log; what the database says.
pub async fn reset_relay(
    log: &EventLog,
    named: &[Partition],
    from: Option<i64>,
) -> Result<Vec<(Partition, i64)>, BusError> {
    let status = relay_status(log).await?;
    let mut wanted = Vec::new();
    let mut transaction = log.pool().begin().await?;
    for partition in named {
        let Some(found) = status.iter().find(|status| status.partition == *partition) else {
            return Err(BusError::Refused(format!("the log has no partition {partition}")));
        };
        let is_free = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_xact_lock($1, $2) AS "free!""#,
            advisory_locks::RELAY,
            i32::from(partition.0),
        )
        .fetch_one(&mut *transaction)
        .await?;
        if !is_free && found.stopped.is_none() {
            let reason = format!("a relay is publishing partition {partition}; stop it first");
            return Err(BusError::Refused(reason));
        }
        wanted.push(i32::from(partition.0));
    }
    if named.is_empty() {
        let stopped = status.iter().filter(|status| status.stopped.is_some());
        wanted.extend(stopped.map(|status| i32::from(status.partition.0)));
    }
    let lost = status.iter().find(|status| {
        from.is_none() && !status.is_of_the_log && wanted.contains(&i32::from(status.partition.0))
    });
    if let Some(RelayStatus { partition, position, .. }) = lost {
        return Err(BusError::Refused(format!(
            "the relay of partition {partition} stood at position {position} of another course of this log; say with --from \
             up to which position both are the same (0 publishes everything again)"
        )));
    }
    // The nil id stands for whatever the bus ends with now; it is gone with the first publication.
    let rows = sqlx::query!(
        r#"UPDATE relay_position r
              SET position = least(coalesce($2, r.position), h.position),
                  log_id = NULL, event_position = NULL, event_id = NULL, recorded_at = NULL,
                  superseded_event_id = $3, stopped_because = NULL
             FROM log_head h
            WHERE h.partition = r.partition AND r.partition = ANY ($1)
        RETURNING r.partition, r.position"#,
        &wanted,
        from,
        Uuid::nil(),
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(rows.into_iter().map(|row| (Partition(row.partition as u16), row.position)).collect())
}
