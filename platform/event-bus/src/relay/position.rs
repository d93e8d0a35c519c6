use chrono::{DateTime, Utc};
use domain::Partition;
use event_store::{Divergence, LogId, Stamp};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// How far the relay has come in a partition, and at which event it stands.
#[derive(Clone, Debug)]
pub(super) struct RelayPosition {
    /// The last position that was published.
    pub(super) position: i64,
    /// The last event that was published; none if that was done by an earlier version, which noted its position only.
    last: Option<Stamp>,
    /// Whether an operator has decided that this log counts, whatever the bus ends with.
    pub(super) is_superseded: bool,
    /// Whether the bus is known to end with an event of this log.
    pub(super) is_bus_checked: bool,
    /// Why the partition is not published.
    pub(super) stopped: Option<String>,
}

impl RelayPosition {
    /// Whether the event at the position is noted; after a publication it is, unless the log has lost it meanwhile.
    pub(super) fn is_noted(&self) -> bool {
        self.last.is_some_and(|last| last.position == self.position)
    }

    /// Compares the event at which the relay stands with the one that the log has at its position.
    ///
    /// # Errors
    /// [`Divergence`].
    pub(super) fn compare(&self, partition: Partition, found: Option<&Stamp>) -> Result<(), Divergence> {
        let position = self.position;
        if position == 0 {
            return Ok(());
        }
        let found = found.ok_or(Divergence::Missing { partition, position })?;
        match &self.last {
            // An earlier version has gone on from the event that is noted.
            Some(last) if last.position != position && last.log_id == found.log_id => Ok(()),
            Some(last) => last.compare(found),
            None => Ok(()),
        }
    }
}

struct Row {
    partition: i32,
    position: i64,
    log_id: Option<Uuid>,
    event_position: Option<i64>,
    event_id: Option<Uuid>,
    recorded_at: Option<DateTime<Utc>>,
    superseded_event_id: Option<Uuid>,
    stopped_because: Option<String>,
}

impl From<Row> for (Partition, RelayPosition) {
    fn from(row: Row) -> Self {
        let partition = Partition(row.partition as u16);
        let stamp = |log_id, position, event_id, recorded_at| Stamp {
            log_id: LogId(log_id),
            partition,
            position,
            event_id,
            recorded_at,
        };
        let last = match (row.log_id, row.event_position, row.event_id, row.recorded_at) {
            (Some(log_id), Some(position), Some(event_id), Some(recorded_at)) => {
                Some(stamp(log_id, position, event_id, recorded_at))
            }
            _ => None,
        };
        let published = RelayPosition {
            position: row.position,
            last,
            is_superseded: row.superseded_event_id.is_some(),
            is_bus_checked: false,
            stopped: row.stopped_because,
        };
        (partition, published)
    }
}

/// Of every partition, in order.
pub(super) async fn read(pool: &PgPool) -> Result<Vec<(Partition, RelayPosition)>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT partition, position, log_id, event_position, event_id, recorded_at, superseded_event_id, stopped_because
           FROM relay_position ORDER BY partition"
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Notes how far partitions have been published, and with which event. Returns how they stand now.
pub(super) async fn store(
    connection: &mut PgConnection,
    moved: &[(Partition, i64)],
) -> Result<Vec<(Partition, RelayPosition)>, sqlx::Error> {
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let (partitions, positions): (Vec<i32>, Vec<i64>) =
        moved.iter().map(|(partition, position)| (i32::from(partition.0), *position)).unzip();
    let rows = sqlx::query_as!(
        Row,
        "UPDATE relay_position r
            SET position = m.position, event_position = m.position, log_id = (SELECT i.log_id FROM log_identity i),
                (event_id, recorded_at) = (SELECT e.event_id, e.recorded_at FROM events e
                                            WHERE e.partition = m.partition AND e.position = m.position LIMIT 1),
                superseded_event_id = NULL
           FROM unnest($1::int[], $2::bigint[]) AS m (partition, position) WHERE r.partition = m.partition
        RETURNING r.partition, r.position, r.log_id, r.event_position, r.event_id, r.recorded_at, r.superseded_event_id,
                  r.stopped_because",
        &partitions,
        &positions,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Notes why a partition is not published.
pub(super) async fn stop(
    connection: &mut PgConnection,
    partition: Partition,
    reason: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE relay_position SET stopped_because = $2 WHERE partition = $1",
        i32::from(partition.0),
        reason,
    )
    .execute(connection)
    .await
    .map(|_| ())
}

/// Logs that a partition is stopped, and what to do.
pub(super) fn log_stopped(partition: Partition, published: &RelayPosition) {
    if let Some(reason) = &published.stopped {
        tracing::error!(
            %partition,
            reason,
            "this partition is not published until an operator decides: see `daybook relay reset --help`"
        );
    }
}
