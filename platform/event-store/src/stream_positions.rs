use domain::{CustomerId, Partition};
use futures::{Stream, TryStreamExt};

use crate::log::Row;
use crate::{EventLog, LogError, RecordedEvent};

/// Where an event of a stream lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPosition {
    /// The stream.
    pub aggregate_id: String,
    /// Its place in the stream, from 1.
    pub sequence: i64,
    /// Its place in the partition.
    pub position: i64,
}

impl EventLog {
    /// Where the events of these streams lie, up to a position: in the order of each stream, without their content.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn stream_positions(
        &self,
        partition: Partition,
        aggregate_type: &str,
        aggregate_ids: &[&str],
        to: i64,
    ) -> Result<Vec<StreamPosition>, LogError> {
        // Each stream is looked up by its key, whatever the planner knows of the table.
        let rows = sqlx::query_as!(
            StreamPosition,
            r#"SELECT e.aggregate_id AS "aggregate_id!", e.sequence AS "sequence!", e.position AS "position!"
                 FROM unnest($3::text[]) AS k (aggregate_id)
                CROSS JOIN LATERAL (SELECT aggregate_id, sequence, position FROM events
                                     WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = k.aggregate_id
                                     ORDER BY sequence LIMIT 1000000) AS e
                WHERE e.position <= $4
                ORDER BY e.aggregate_id, e.sequence"#,
            i32::from(partition.0),
            aggregate_type,
            aggregate_ids as &[&str],
            to,
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// Events of a partition at these positions, in their order.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn read_at(
        &self,
        partition: Partition,
        positions: &[i64],
    ) -> Result<Vec<RecordedEvent>, LogError> {
        Ok(self.rows_at(partition, positions).map_ok(RecordedEvent::from).try_collect().await?)
    }

    /// The rows at these positions, in their order.
    pub(crate) fn rows_at<'a>(
        &'a self,
        partition: Partition,
        positions: &'a [i64],
    ) -> impl Stream<Item = Result<Row, sqlx::Error>> + Send + 'a {
        // One look-up for each, which the limit forbids to turn around.
        sqlx::query_as!(
            Row,
            r#"SELECT e.partition AS "partition!", e.position AS "position!", e.sequence AS "sequence!",
                      e.recorded_at AS "recorded_at!", e.event_id AS "event_id!", e.customer_id AS "customer_id!",
                      e.aggregate_type AS "aggregate_type!", e.aggregate_id AS "aggregate_id!",
                      e.event_type AS "event_type!", e.event_version AS "event_version!",
                      e.payload AS "payload!: _", e.metadata AS "metadata!: _"
                 FROM unnest($2::bigint[]) WITH ORDINALITY AS k (position, number)
                CROSS JOIN LATERAL (SELECT * FROM events
                                     WHERE partition = $1 AND position = k.position LIMIT 1) AS e
                ORDER BY k.number"#,
            i32::from(partition.0),
            positions,
        )
        .fetch(self.pool())
    }

    /// Those of these positions at which a customer's events lie, each with where the next event of the same stream lies.
    ///
    /// # Errors
    /// An error if the database fails.
    pub async fn with_next(
        &self,
        partition: Partition,
        customer: CustomerId,
        positions: &[i64],
    ) -> Result<Vec<(i64, Option<i64>)>, LogError> {
        let rows = sqlx::query!(
            r#"SELECT k.position AS "position!", n.position AS "next?"
                 FROM unnest($3::bigint[]) AS k (position)
                CROSS JOIN LATERAL (SELECT aggregate_type, aggregate_id, sequence, customer_id FROM events
                                     WHERE partition = $1 AND position = k.position LIMIT 1) AS e
                 LEFT JOIN LATERAL (SELECT position FROM events
                                     WHERE partition = $1 AND aggregate_type = e.aggregate_type
                                       AND aggregate_id = e.aggregate_id AND sequence = e.sequence + 1 LIMIT 1) AS n ON true
                WHERE e.customer_id = $2"#,
            i32::from(partition.0),
            customer.0,
            positions,
        )
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|row| (row.position, row.next)).collect())
    }
}
