use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::CustomerId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::View;
use crate::error::ReportsError;
use crate::store::actor_key;

/// Names that are read at a time.
const PAGE: i64 = 10_000;

impl View {
    /// The names of actors, by their ordinals.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now.
    pub(crate) async fn actor_names(&self, ordinals: &[u32]) -> Result<HashMap<u32, String>, ReportsError> {
        let ordinals: Vec<i32> = ordinals.iter().map(|ordinal| *ordinal as i32).collect();
        let mut transaction = self.transaction.lock().await;
        let rows = sqlx::query!(
            r#"SELECT a.ordinal AS "ordinal!", a.actor AS "actor!"
                 FROM unnest($3::int[]) AS k (ordinal)
                CROSS JOIN LATERAL (SELECT ordinal, actor FROM actors
                                     WHERE generation = $1 AND customer_id = $2 AND ordinal = k.ordinal LIMIT 1) AS a"#,
            self.generation,
            self.customer.0,
            &ordinals,
        )
        .fetch_all(&mut **transaction)
        .await?;
        Ok(rows.into_iter().map(|row| (row.ordinal as u32, row.actor)).collect())
    }

    /// When the events at these positions were recorded.
    ///
    /// # Errors
    /// [`ReportsError`] if the log cannot be read now.
    pub(crate) async fn recorded_at(
        &self,
        positions: &[i64],
    ) -> Result<HashMap<i64, DateTime<Utc>>, ReportsError> {
        let mut positions = positions.to_vec();
        positions.dedup();
        let events = self.state.log.read_at(self.state.partition(self.customer), &positions).await?;
        Ok(events.into_iter().map(|event| (event.position, event.recorded_at)).collect())
    }

    /// The ordinals of actors, by their names; those that are not known are left out.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now.
    pub(crate) async fn actor_ordinals(
        &self,
        names: &[String],
    ) -> Result<HashMap<String, u32>, ReportsError> {
        let mut transaction = self.transaction.lock().await;
        Ok(ordinals(&mut transaction, self.generation, self.customer, names).await?)
    }

    /// The ordinals of every actor whose name passes a test.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now.
    pub(crate) async fn actors_where(
        &self,
        test: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Vec<u32>, ReportsError> {
        let mut transaction = self.transaction.lock().await;
        let (mut passed, mut after) = (Vec::new(), -1);
        loop {
            let rows = sqlx::query!(
                "SELECT ordinal, actor FROM actors WHERE generation = $1 AND customer_id = $2 AND ordinal > $3
                  ORDER BY ordinal LIMIT $4",
                self.generation,
                self.customer.0,
                after,
                PAGE,
            )
            .fetch_all(&mut **transaction)
            .await?;
            let Some(last) = rows.last() else { return Ok(passed) };
            after = last.ordinal;
            passed.extend(rows.iter().filter(|row| test(&row.actor)).map(|row| row.ordinal as u32));
        }
    }
}

/// The ordinals of a customer's actors, by their names; those that are not known are left out.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn ordinals(
    connection: &mut PgConnection,
    generation: i32,
    customer: CustomerId,
    names: &[String],
) -> Result<HashMap<String, u32>, sqlx::Error> {
    let keys: Vec<Uuid> = names.iter().map(|name| actor_key(customer.0, name)).collect();
    let rows = sqlx::query!(
        "SELECT ordinal, actor FROM actors WHERE generation = $1 AND key = ANY ($2)",
        generation,
        &keys,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.actor, row.ordinal as u32)).collect())
}
