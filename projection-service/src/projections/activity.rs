use std::collections::BTreeMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::activity::ActivityContent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::event::{MINUTE_S, QUARTER_S, bucket};
use super::{Event, FoldError, Place, Projection};
use crate::error::FlushError;

/// Counts of activities by type, per UTC minute and per UTC quarter of an hour.
#[derive(Default)]
pub(crate) struct Activity {
    minutes: Deltas,
    quarters: Deltas,
}

/// In the order of the tables' keys, so that two writers of a table would meet rows in the same order.
type Deltas = BTreeMap<(Uuid, DateTime<Utc>, String), Delta>;

#[derive(Default)]
struct Delta {
    count: i64,
    value_count: i64,
    added: Vec<f64>,
    removed: Vec<f64>,
}

impl Delta {
    /// Whether it changes nothing: what was added has been taken out within the batch. There may be no row then.
    fn is_nothing(&self) -> bool {
        let sorted = |values: &[f64]| {
            let mut values: Vec<u64> = values.iter().map(|value| value.to_bits()).collect();
            values.sort_unstable();
            values
        };
        self.count == 0 && self.value_count == 0 && sorted(&self.added) == sorted(&self.removed)
    }

    /// Signed decimals, each the shortest that reads back as the same double. PostgreSQL adds them up exactly.
    fn amounts(&self) -> String {
        let removed = self.removed.iter().map(|value| -value);
        let amounts: Vec<String> =
            self.added.iter().copied().chain(removed).map(|value| format!("{value:e}")).collect();
        amounts.join(",")
    }
}

impl Activity {
    fn add(&mut self, customer: Uuid, content: &ActivityContent, sign: i64) {
        for (deltas, width_s) in [(&mut self.minutes, MINUTE_S), (&mut self.quarters, QUARTER_S)] {
            let key = (customer, bucket(content.occurred_at, width_s), content.activity_type.clone());
            let delta = deltas.entry(key).or_default();
            delta.count += sign;
            if let Some(value) = content.value {
                delta.value_count += sign;
                if sign > 0 { delta.added.push(value) } else { delta.removed.push(value) }
            }
        }
    }
}

#[async_trait]
impl Projection for Activity {
    const NAME: &'static str = "activity";
    const VERSION: i32 = 1;
    const TABLES: &'static [&'static str] = &["activity_minutes", "activity_quarters"];

    fn fold(&mut self, event: &Event<'_>) -> Result<(), FoldError> {
        if let Some(before) = event.before() {
            self.add(event.customer_id, before, -1);
        }
        if let Some(after) = event.after() {
            self.add(event.customer_id, after, 1);
        }
        Ok(())
    }

    async fn flush(&mut self, connection: &mut PgConnection, place: Place) -> Result<(), FlushError> {
        for (deltas, table) in [(&self.minutes, Table::Minutes), (&self.quarters, Table::Quarters)] {
            let mut rows = Columns::default();
            for (key, delta) in deltas.iter().filter(|(_, delta)| !delta.is_nothing()) {
                rows.push(key, delta);
            }
            if !rows.customer.is_empty() {
                table.write(connection, place, deltas, &rows).await?;
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Columns<'a> {
    customer: Vec<Uuid>,
    bucket: Vec<DateTime<Utc>>,
    activity_type: Vec<&'a str>,
    count: Vec<i64>,
    value_count: Vec<i64>,
    amounts: Vec<String>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, (customer, bucket, activity_type): &'a (Uuid, DateTime<Utc>, String), delta: &Delta) {
        self.customer.push(*customer);
        self.bucket.push(*bucket);
        self.activity_type.push(activity_type);
        self.count.push(delta.count);
        self.value_count.push(delta.value_count);
        self.amounts.push(delta.amounts());
    }
}

/// A row that the batch has brought to nothing or below.
struct Low {
    customer_id: Uuid,
    bucket: DateTime<Utc>,
    r#type: String,
    count: i64,
    value_count: i64,
}

/// Rows of one customer that have come to nothing.
#[derive(Default)]
struct Emptied {
    bucket: Vec<DateTime<Utc>>,
    activity_type: Vec<String>,
}

const INCONSISTENT: FlushError =
    FlushError::Inconsistent("an activity is to be taken out of a count that does not hold it");

#[derive(Clone, Copy)]
enum Table {
    Minutes,
    Quarters,
}

impl Table {
    /// Adds the batch to the rows, and removes those that come to nothing. No statement joins the table: what was planned
    /// while it was small would scan it whole for every row, long after it has grown.
    async fn write(
        self,
        connection: &mut PgConnection,
        place: Place,
        deltas: &Deltas,
        rows: &Columns<'_>,
    ) -> Result<(), FlushError> {
        let low = match self {
            Self::Minutes => minutes::add(connection, place, rows).await?,
            Self::Quarters => quarters::add(connection, place, rows).await?,
        };
        let mut emptied: BTreeMap<Uuid, Emptied> = BTreeMap::new();
        for Low { customer_id, bucket, r#type, count, value_count } in low {
            let key = (customer_id, bucket, r#type);
            // Only a row that was there comes to nothing; one that was missing shows what the batch wanted of it.
            if count != 0 || value_count != 0 || deltas.get(&key).is_none_or(|delta| delta.count >= 0) {
                return Err(INCONSISTENT);
            }
            let emptied = emptied.entry(customer_id).or_default();
            emptied.bucket.push(key.1);
            emptied.activity_type.push(key.2);
        }
        for (customer, emptied) in emptied {
            let removed = match self {
                Self::Minutes => minutes::remove(connection, place, customer, &emptied).await?,
                Self::Quarters => quarters::remove(connection, place, customer, &emptied).await?,
            };
            if removed != emptied.bucket.len() as u64 {
                return Err(INCONSISTENT);
            }
        }
        Ok(())
    }
}

/// The statements of one of the two tables, which differ in name only.
macro_rules! statements {
    ($module:ident, $table:tt) => {
        mod $module {
            use sqlx::PgConnection;
            use uuid::Uuid;

            use super::{Columns, Emptied, Low, Place};

            /// Adds to rows, makes those that are missing, and answers those that are then at nothing or below.
            pub(super) async fn add(
                connection: &mut PgConnection,
                place: Place,
                rows: &Columns<'_>,
            ) -> Result<Vec<Low>, sqlx::Error> {
                sqlx::query_as!(
                    Low,
                    "WITH written AS (
                         INSERT INTO " + $table + " AS t (generation, partition, customer_id, bucket, type, count, value_count, value_sum)
                         SELECT $1, $2, k.customer_id, k.bucket, k.type, k.count, k.value_count,
                                (SELECT coalesce(sum(amount::numeric), 0)
                                   FROM unnest(string_to_array(k.amounts, ',')) AS amount)
                           FROM unnest($3::uuid[], $4::timestamptz[], $5::text[], $6::bigint[], $7::bigint[], $8::text[])
                                AS k (customer_id, bucket, type, count, value_count, amounts)
                         ON CONFLICT (generation, partition, customer_id, bucket, type) DO UPDATE
                            SET count = t.count + excluded.count,
                                value_count = t.value_count + excluded.value_count,
                                value_sum = t.value_sum + excluded.value_sum
                         RETURNING customer_id, bucket, type, count, value_count
                     )
                     SELECT customer_id, bucket, type, count, value_count FROM written
                      WHERE count <= 0 OR value_count < 0",
                    place.generation,
                    place.partition,
                    &rows.customer,
                    &rows.bucket,
                    &rows.activity_type as &[&str],
                    &rows.count,
                    &rows.value_count,
                    &rows.amounts,
                )
                .fetch_all(connection)
                .await
            }

            /// Removes rows that have come to nothing, and answers how many.
            pub(super) async fn remove(
                connection: &mut PgConnection,
                place: Place,
                customer: Uuid,
                rows: &Emptied,
            ) -> Result<u64, sqlx::Error> {
                let removed = sqlx::query!(
                    "DELETE FROM " + $table + " WHERE generation = $1 AND partition = $2 AND customer_id = $3
                        AND bucket = ANY ($4) AND type = ANY ($5) AND count = 0",
                    place.generation,
                    place.partition,
                    customer,
                    &rows.bucket,
                    &rows.activity_type,
                )
                .execute(connection)
                .await?;
                Ok(removed.rows_affected())
            }
        }
    };
}

statements!(minutes, "activity_minutes");
statements!(quarters, "activity_quarters");
