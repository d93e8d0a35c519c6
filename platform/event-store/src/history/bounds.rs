use chrono::{DateTime, Utc};
use domain::Partition;

use super::HistoryQuery;
use crate::{EventLog, LogError};

impl EventLog {
    /// After which position and up to which one a query looks; none if there is nothing in between.
    ///
    /// Times never go back within a partition, so each of them is a position.
    pub(super) async fn bounds(&self, query: &HistoryQuery) -> Result<Option<(i64, i64)>, LogError> {
        let (mut after, mut to) = (query.after, query.filter.to.unwrap_or(i64::MAX));
        if let Some(since) = query.filter.since {
            after = after.max(self.first_at(query.partition, since).await? - 1);
        }
        if let Some(until) = query.filter.until {
            to = to.min(self.first_at(query.partition, until).await? - 1);
        }
        Ok((after < to).then_some((after, to)))
    }

    /// The position of a partition's first event that was recorded at a time or after it; the next one's if there is none.
    ///
    /// It lies in `[low, high]`, and each step of the query looks at the event in the middle: one statement, since a look-up
    /// takes much less than asking for it.
    async fn first_at(&self, partition: Partition, time: DateTime<Utc>) -> Result<i64, LogError> {
        let first = sqlx::query_scalar!(
            r#"WITH RECURSIVE search (low, high) AS (
                   SELECT 1::bigint, h.position + 1 FROM log_head h WHERE h.partition = $1
                   UNION ALL
                   SELECT CASE WHEN e.is_before THEN m.middle + 1 ELSE s.low END,
                          CASE WHEN e.is_before THEN s.high ELSE m.middle END
                     FROM search s
                    CROSS JOIN LATERAL (SELECT s.low + (s.high - s.low) / 2 AS middle) m
                    CROSS JOIN LATERAL (SELECT coalesce((SELECT recorded_at < $2 FROM events
                                                          WHERE partition = $1 AND position = m.middle), false)
                                               AS is_before) e
                    WHERE s.low < s.high)
               SELECT max(low) AS first FROM search"#,
            i32::from(partition.0),
            time,
        );
        Ok(first.fetch_one(self.pool()).await?.unwrap_or(1))
    }
}
