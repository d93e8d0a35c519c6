use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::activity::ActivityContent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::event::{QUARTER_S, bucket};
use super::{ActorSet, Event, FoldError, Place, Projection};
use crate::error::FlushError;

/// Who was active: a bitmap of actors per customer and UTC quarter of an hour.
#[derive(Default)]
pub(crate) struct ActiveUsers {
    /// The actors of the batch in the order in which they appear, which gives new ones their ordinals.
    actors: Vec<(Uuid, String)>,
    numbers: HashMap<(Uuid, String), usize>,
    /// By customer and quarter, then by place in `actors`.
    deltas: BTreeMap<(Uuid, DateTime<Utc>), BTreeMap<usize, i64>>,
}

impl ActiveUsers {
    fn add(&mut self, customer: Uuid, content: &ActivityContent, sign: i64) {
        let actor = (customer, content.actor.clone());
        let number = *self.numbers.entry(actor).or_insert_with_key(|actor| {
            self.actors.push(actor.clone());
            self.actors.len() - 1
        });
        let quarter = self.deltas.entry((customer, bucket(content.occurred_at, QUARTER_S))).or_default();
        *quarter.entry(number).or_default() += sign;
    }

    /// The ordinal of every actor of the batch; gives new actors the next ones. Each row is looked up by its whole key:
    /// a plan that joins the table, made while it was small, would scan it whole for every row, long after it has grown.
    async fn ordinals(&self, connection: &mut PgConnection, place: Place) -> Result<Vec<u32>, FlushError> {
        let customers: Vec<Uuid> = self.actors.iter().map(|(customer, _)| *customer).collect();
        let names: Vec<&str> = self.actors.iter().map(|(_, actor)| actor.as_str()).collect();
        let known = sqlx::query!(
            r#"SELECT k.number AS "number!", a.ordinal
                 FROM unnest($3::uuid[], $4::text[]) WITH ORDINALITY AS k (customer_id, actor, number)
                CROSS JOIN LATERAL (SELECT ordinal FROM actors
                                     WHERE generation = $1 AND partition = $2
                                       AND customer_id = k.customer_id AND actor = k.actor LIMIT 1) AS a"#,
            place.generation,
            place.partition,
            &customers,
            &names as &[&str],
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut ordinals = vec![None; self.actors.len()];
        for row in known {
            ordinals[row.number as usize - 1] = Some(row.ordinal as u32);
        }
        let new: Vec<usize> = (0..ordinals.len()).filter(|&number| ordinals[number].is_none()).collect();
        if !new.is_empty() {
            let mut next =
                take_ordinals(connection, place, new.iter().map(|&number| customers[number])).await?;
            for &number in &new {
                let next = next.entry(customers[number]).or_default();
                ordinals[number] = Some(*next);
                *next += 1;
            }
            let columns: (Vec<Uuid>, Vec<&str>) =
                new.iter().map(|&number| (customers[number], names[number])).unzip();
            let given: Vec<i32> =
                new.iter().filter_map(|&number| ordinals[number]).map(|ordinal| ordinal as i32).collect();
            sqlx::query!(
                "INSERT INTO actors (generation, partition, customer_id, ordinal, actor)
                 SELECT $1, $2, k.customer_id, k.ordinal, k.actor
                   FROM unnest($3::uuid[], $4::int[], $5::text[]) AS k (customer_id, ordinal, actor)",
                place.generation,
                place.partition,
                &columns.0,
                &given,
                &columns.1 as &[&str],
            )
            .execute(connection)
            .await?;
        }
        Ok(ordinals.into_iter().flatten().collect())
    }
}

/// Takes an ordinal for each of these new actors, and answers the first one of each customer.
async fn take_ordinals(
    connection: &mut PgConnection,
    place: Place,
    new: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, u32>, sqlx::Error> {
    let mut taken: BTreeMap<Uuid, i32> = BTreeMap::new();
    for customer in new {
        *taken.entry(customer).or_default() += 1;
    }
    let (customers, counts): (Vec<Uuid>, Vec<i32>) =
        taken.iter().map(|(customer, count)| (*customer, *count)).unzip();
    let rows = sqlx::query!(
        r#"INSERT INTO actor_counts AS c (generation, partition, customer_id, actors)
           SELECT $1, $2, k.customer_id, k.actors FROM unnest($3::uuid[], $4::int[]) AS k (customer_id, actors)
           ON CONFLICT (generation, partition, customer_id) DO UPDATE SET actors = c.actors + excluded.actors
           RETURNING customer_id, actors"#,
        place.generation,
        place.partition,
        &customers,
        &counts,
    )
    .fetch_all(connection)
    .await?;
    let first =
        |customer, actors: i32| (customer, (actors - taken.get(&customer).copied().unwrap_or(0)) as u32);
    Ok(rows.into_iter().map(|row| first(row.customer_id, row.actors)).collect())
}

#[async_trait]
impl Projection for ActiveUsers {
    const NAME: &'static str = "active-users";
    const VERSION: i32 = 1;
    const TABLES: &'static [&'static str] = &["actors", "actor_counts", "active_quarters"];

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
        let ordinals = self.ordinals(connection, place).await?;
        for quarter in self.deltas.values_mut() {
            quarter.retain(|_, delta| *delta != 0);
        }
        self.deltas.retain(|_, quarter| !quarter.is_empty());
        let mut sets = read_sets(connection, place, self.deltas.keys()).await?;
        let mut rows = Rows::default();
        for (key, quarter) in &self.deltas {
            let set = sets.entry(*key).or_default();
            for (&number, &delta) in quarter {
                set.add(ordinals[number], delta)?;
            }
            rows.push(*key, set)?;
        }
        rows.write(connection, place).await?;
        Ok(())
    }
}

async fn read_sets(
    connection: &mut PgConnection,
    place: Place,
    keys: impl Iterator<Item = &(Uuid, DateTime<Utc>)>,
) -> Result<HashMap<(Uuid, DateTime<Utc>), ActorSet>, FlushError> {
    let (customers, buckets): (Vec<Uuid>, Vec<DateTime<Utc>>) = keys.copied().unzip();
    let rows = sqlx::query!(
        "SELECT q.customer_id, q.bucket, q.actors, q.repeats
           FROM unnest($3::uuid[], $4::timestamptz[]) AS k (customer_id, bucket)
          CROSS JOIN LATERAL (SELECT * FROM active_quarters
                               WHERE generation = $1 AND partition = $2
                                 AND customer_id = k.customer_id AND bucket = k.bucket LIMIT 1) AS q",
        place.generation,
        place.partition,
        &customers,
        &buckets,
    )
    .fetch_all(connection)
    .await?;
    let mut sets = HashMap::with_capacity(rows.len());
    for row in rows {
        sets.insert((row.customer_id, row.bucket), ActorSet::read(&row.actors, &row.repeats)?);
    }
    Ok(sets)
}

/// Sets to be written, and keys of sets that have become empty.
#[derive(Default)]
struct Rows {
    customers: Vec<Uuid>,
    buckets: Vec<DateTime<Utc>>,
    actors: Vec<Vec<u8>>,
    repeats: Vec<Vec<u8>>,
    emptied: BTreeMap<Uuid, Vec<DateTime<Utc>>>,
}

impl Rows {
    fn push(&mut self, (customer, bucket): (Uuid, DateTime<Utc>), set: &ActorSet) -> Result<(), FlushError> {
        if set.is_empty() {
            self.emptied.entry(customer).or_default().push(bucket);
            return Ok(());
        }
        let (actors, repeats) = set.write()?;
        self.customers.push(customer);
        self.buckets.push(bucket);
        self.actors.push(actors);
        self.repeats.push(repeats);
        Ok(())
    }

    async fn write(&self, connection: &mut PgConnection, place: Place) -> Result<(), sqlx::Error> {
        if !self.customers.is_empty() {
            sqlx::query!(
                "INSERT INTO active_quarters (generation, partition, customer_id, bucket, actors, repeats)
                 SELECT $1, $2, k.customer_id, k.bucket, k.actors, k.repeats
                   FROM unnest($3::uuid[], $4::timestamptz[], $5::bytea[], $6::bytea[])
                        AS k (customer_id, bucket, actors, repeats)
                 ON CONFLICT (generation, partition, customer_id, bucket) DO UPDATE
                    SET actors = excluded.actors, repeats = excluded.repeats",
                place.generation,
                place.partition,
                &self.customers,
                &self.buckets,
                &self.actors,
                &self.repeats,
            )
            .execute(&mut *connection)
            .await?;
        }
        for (customer, buckets) in &self.emptied {
            sqlx::query!(
                "DELETE FROM active_quarters
                  WHERE generation = $1 AND partition = $2 AND customer_id = $3 AND bucket = ANY ($4)",
                place.generation,
                place.partition,
                customer,
                buckets,
            )
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}
