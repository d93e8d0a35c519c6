use std::fmt;

use chrono::{DateTime, Utc};
use domain::Partition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EventLog, LogError, RecordedEvent};

/// The identity of a log, made when the log is created. A copy of a log, as a restored backup is, has the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(pub Uuid);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One event of one log, for a reader that remembers how far it has come: a position alone does not say which event it means,
/// since a log that was set back to a backup gives the same positions out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The log.
    pub log_id: LogId,
    /// The event's partition.
    pub partition: Partition,
    /// Its place in the partition, from 1.
    pub position: i64,
    /// Its own id.
    pub event_id: Uuid,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

/// The log is not the one that a reader has read, or has been set back since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// There is no event at the position.
    #[error(
        "partition {partition} of the log ends before position {position}, which has been read: \
         the log was set back or is another one"
    )]
    Missing {
        /// The partition.
        partition: Partition,
        /// Where an event should be.
        position: i64,
    },
    /// Another event is at the position.
    #[error(
        "partition {}, position {}: the log has event {} of {}, and event {} of {} has been read there: \
         the log was set back and has gone on",
        found.partition, found.position, found.event_id, found.recorded_at, expected.event_id, expected.recorded_at
    )]
    OtherEvent {
        /// What the reader has read.
        expected: Stamp,
        /// What the log has.
        found: Stamp,
    },
    /// The log is another one.
    #[error("this is the log {found}, and the log {expected} has been read")]
    OtherLog {
        /// The log that the reader has read.
        expected: LogId,
        /// This one.
        found: LogId,
    },
}

impl Stamp {
    /// Compares the event that a reader has read with the one that the log has at its position.
    ///
    /// # Errors
    /// [`Divergence`] unless it is the same event of the same log.
    pub fn compare(&self, found: &Self) -> Result<(), Divergence> {
        if self.log_id != found.log_id {
            return Err(Divergence::OtherLog { expected: self.log_id, found: found.log_id });
        }
        if (self.event_id, self.recorded_at) != (found.event_id, found.recorded_at) {
            return Err(Divergence::OtherEvent { expected: *self, found: *found });
        }
        Ok(())
    }
}

impl RecordedEvent {
    /// The event's stamp, given the log that it was read from.
    #[must_use]
    pub fn stamp(&self, log_id: LogId) -> Stamp {
        Stamp {
            log_id,
            partition: self.partition,
            position: self.position,
            event_id: self.event_id,
            recorded_at: self.recorded_at,
        }
    }
}

impl EventLog {
    /// The log's identity. It is asked of the database each time: what is restored under a running program is another log.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn id(&self) -> Result<LogId, LogError> {
        let id = sqlx::query_scalar!("SELECT log_id FROM log_identity").fetch_one(self.pool()).await?;
        Ok(LogId(id))
    }

    /// The stamp of the event at a position, in one keyed read.
    ///
    /// # Errors
    /// What the database says; [`LogError::Diverged`] with [`Divergence::Missing`] if there is no such event.
    pub async fn stamp(&self, partition: Partition, position: i64) -> Result<Stamp, LogError> {
        let row = sqlx::query!(
            r#"SELECT (SELECT log_id FROM log_identity) AS "log_id!", event_id, recorded_at
                 FROM events WHERE partition = $1 AND position = $2"#,
            i32::from(partition.0),
            position,
        )
        .fetch_optional(self.pool())
        .await?;
        let row = row.ok_or(Divergence::Missing { partition, position })?;
        Ok(Stamp {
            log_id: LogId(row.log_id),
            partition,
            position,
            event_id: row.event_id,
            recorded_at: row.recorded_at,
        })
    }

    /// The stamps of the events at these positions, in one keyed read for each; those that do not exist are left out.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn stamps(&self, places: &[(Partition, i64)]) -> Result<Vec<Stamp>, LogError> {
        let (partitions, positions): (Vec<i32>, Vec<i64>) =
            places.iter().map(|(partition, position)| (i32::from(partition.0), *position)).unzip();
        let rows = sqlx::query!(
            r#"SELECT p.partition AS "partition!", p.position AS "position!", e.event_id AS "event_id!",
                      e.recorded_at AS "recorded_at!", (SELECT log_id FROM log_identity) AS "log_id!"
                 FROM unnest($1::int[], $2::bigint[]) AS p (partition, position)
                CROSS JOIN LATERAL (SELECT s.event_id, s.recorded_at FROM events s
                                     WHERE s.partition = p.partition AND s.position = p.position LIMIT 1) e"#,
            &partitions,
            &positions,
        )
        .fetch_all(self.pool())
        .await?;
        let stamps = rows.into_iter().map(|row| Stamp {
            log_id: LogId(row.log_id),
            partition: Partition(row.partition as u16),
            position: row.position,
            event_id: row.event_id,
            recorded_at: row.recorded_at,
        });
        Ok(stamps.collect())
    }

    /// Whether this log still has, at its position, the event that a reader has read. To be asked before a reader goes on
    /// from a checkpoint; then everything before that event is what the reader has read too, for a log only grows.
    ///
    /// # Errors
    /// What the database says; [`LogError::Diverged`] if it has not, or the log is another one.
    pub async fn check(&self, read: &Stamp) -> Result<(), LogError> {
        match self.stamp(read.partition, read.position).await {
            Ok(found) => Ok(read.compare(&found)?),
            Err(LogError::Diverged(missing)) => {
                let found = self.id().await?;
                if found == read.log_id {
                    return Err(missing.into());
                }
                Err(Divergence::OtherLog { expected: read.log_id, found }.into())
            }
            Err(error) => Err(error),
        }
    }

    /// [`Self::check`] for many readers at once: what is wrong with those that must not go on.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn check_all(&self, read: &[Stamp]) -> Result<Vec<(Partition, Divergence)>, LogError> {
        let partitions: Vec<i32> = read.iter().map(|stamp| i32::from(stamp.partition.0)).collect();
        let positions: Vec<i64> = read.iter().map(|stamp| stamp.position).collect();
        let found_id = self.id().await?;
        let rows = sqlx::query!(
            r#"SELECT k.number AS "number!", e.event_id, e.recorded_at
                 FROM unnest($1::int[], $2::bigint[]) WITH ORDINALITY AS k (partition, position, number)
                CROSS JOIN LATERAL (SELECT event_id, recorded_at FROM events
                                     WHERE partition = k.partition AND position = k.position LIMIT 1) AS e"#,
            &partitions,
            &positions,
        )
        .fetch_all(self.pool())
        .await?;
        let mut found = vec![None; read.len()];
        for row in rows {
            found[row.number as usize - 1] = Some((row.event_id, row.recorded_at));
        }
        let diverged = read.iter().zip(found).filter_map(|(expected, found)| {
            let compared = match found {
                Some((event_id, recorded_at)) => {
                    expected.compare(&Stamp { log_id: found_id, event_id, recorded_at, ..*expected })
                }
                None if found_id != expected.log_id => {
                    Err(Divergence::OtherLog { expected: expected.log_id, found: found_id })
                }
                None => {
                    Err(Divergence::Missing { partition: expected.partition, position: expected.position })
                }
            };
            compared.err().map(|divergence| (expected.partition, divergence))
        });
        Ok(diverged.collect())
    }
}
