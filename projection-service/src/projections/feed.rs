use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::Json;
use domain::activity::ActivityContent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Event, FoldError, Place, Projection};
use crate::error::FlushError;

/// Each activity as it now stands, newest first.
#[derive(Default)]
pub(crate) struct Feed {
    changes: BTreeMap<(Uuid, String), Change>,
}

/// What a batch does to one activity.
enum Change {
    Insert(Row, Origin),
    Update(Row),
    Delete,
}

struct Row {
    content: ActivityContent,
    sequence: i64,
}

/// The event that recorded it.
#[derive(Clone, Copy)]
struct Origin {
    recorded_at: DateTime<Utc>,
    position: i64,
}

#[async_trait]
impl Projection for Feed {
    const NAME: &'static str = "feed";
    const VERSION: i32 = 1;
    const TABLES: &'static [&'static str] = &["feed"];

    fn fold(&mut self, event: &Event<'_>) -> Result<(), FoldError> {
        let row = event.after().map(|content| Row { content: content.clone(), sequence: event.sequence });
        let origin = Origin { recorded_at: event.recorded_at, position: event.position };
        let entry = self.changes.entry((event.customer_id, event.activity_id.to_owned()));
        match (entry, row) {
            (Entry::Vacant(entry), Some(row)) => {
                let is_new = event.before().is_none();
                entry.insert(if is_new { Change::Insert(row, origin) } else { Change::Update(row) });
            }
            (Entry::Vacant(entry), None) => {
                entry.insert(Change::Delete);
            }
            (Entry::Occupied(mut entry), Some(row)) => {
                let change = match entry.get() {
                    Change::Insert(_, origin) => Change::Insert(row, *origin),
                    Change::Update(_) | Change::Delete => Change::Update(row),
                };
                entry.insert(change);
            }
            // Recorded and redacted within one batch: there is no row, and there shall be none.
            (Entry::Occupied(entry), None) if matches!(entry.get(), Change::Insert(..)) => {
                entry.remove();
            }
            (Entry::Occupied(mut entry), None) => {
                entry.insert(Change::Delete);
            }
        }
        Ok(())
    }

    async fn flush(&mut self, connection: &mut PgConnection, place: Place) -> Result<(), FlushError> {
        let (mut new, mut origins, mut changed) = (Columns::default(), Vec::new(), Columns::default());
        let mut gone: BTreeMap<Uuid, Vec<&str>> = BTreeMap::new();
        for (key, change) in &self.changes {
            match change {
                Change::Insert(row, origin) => {
                    new.push(key, row);
                    origins.push(*origin);
                }
                Change::Update(row) => changed.push(key, row),
                Change::Delete => gone.entry(key.0).or_default().push(key.1.as_str()),
            }
        }
        if !origins.is_empty() {
            new.insert(connection, place, &origins).await?;
        }
        if !changed.id.is_empty() && changed.update(connection, place).await? > 0 {
            return Err(FlushError::Inconsistent("an activity that was never recorded is to be corrected"));
        }
        for (customer, ids) in &gone {
            if delete(connection, place, *customer, ids).await? != ids.len() as u64 {
                return Err(FlushError::Inconsistent(
                    "an activity that was never recorded is to be redacted",
                ));
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Columns<'a> {
    customer: Vec<Uuid>,
    id: Vec<&'a str>,
    activity_type: Vec<&'a str>,
    actor: Vec<&'a str>,
    occurred_at: Vec<DateTime<Utc>>,
    value: Vec<Option<f64>>,
    properties: Vec<Option<&'a str>>,
    context: Vec<Option<&'a str>>,
    sequence: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, (customer, id): &'a (Uuid, String), row: &'a Row) {
        self.customer.push(*customer);
        self.id.push(id);
        self.activity_type.push(&row.content.activity_type);
        self.actor.push(&row.content.actor);
        self.occurred_at.push(row.content.occurred_at);
        self.value.push(row.content.value);
        self.properties.push(row.content.properties.as_ref().map(Json::as_str));
        self.context.push(row.content.context.as_ref().map(Json::as_str));
        self.sequence.push(row.sequence);
    }

    async fn insert(
        &self,
        connection: &mut PgConnection,
        place: Place,
        origins: &[Origin],
    ) -> Result<(), sqlx::Error> {
        let (recorded_at, position): (Vec<_>, Vec<_>) =
            origins.iter().map(|origin| (origin.recorded_at, origin.position)).unzip();
        sqlx::query!(
            "INSERT INTO feed (generation, partition, customer_id, activity_id, type, actor, occurred_at, value,
                               properties, context, sequence, recorded_at, position)
             SELECT $1, $2, k.customer_id, k.activity_id, k.type, k.actor, k.occurred_at, k.value,
                    k.properties::json, k.context::json, k.sequence, k.recorded_at, k.position
               FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::double precision[],
                           $9::text[], $10::text[], $11::bigint[], $12::timestamptz[], $13::bigint[])
                    AS k (customer_id, activity_id, type, actor, occurred_at, value,
                          properties, context, sequence, recorded_at, position)",
            place.generation,
            place.partition,
            &self.customer,
            &self.id as &[&str],
            &self.activity_type as &[&str],
            &self.actor as &[&str],
            &self.occurred_at,
            &self.value as &[Option<f64>],
            &self.properties as &[Option<&str>],
            &self.context as &[Option<&str>],
            &self.sequence,
            &recorded_at,
            &position,
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Changes rows, and answers how many of them were missing. The conflict finds each row by its key; a join may be
    /// planned while the table is small, and would scan it whole for every row, long after it has grown.
    async fn update(&self, connection: &mut PgConnection, place: Place) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar!(
            r#"WITH written AS (
                   INSERT INTO feed AS f (generation, partition, customer_id, activity_id, type, actor, occurred_at, value,
                                          properties, context, sequence, recorded_at, position)
                   SELECT $1, $2, k.customer_id, k.activity_id, k.type, k.actor, k.occurred_at, k.value,
                          k.properties::json, k.context::json, k.sequence, 'epoch', 0
                     FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::double precision[],
                                 $9::text[], $10::text[], $11::bigint[])
                          AS k (customer_id, activity_id, type, actor, occurred_at, value, properties, context, sequence)
                   ON CONFLICT (generation, partition, customer_id, activity_id) DO UPDATE
                      SET type = excluded.type, actor = excluded.actor, occurred_at = excluded.occurred_at,
                          value = excluded.value, properties = excluded.properties, context = excluded.context,
                          sequence = excluded.sequence
                   RETURNING position
               )
               SELECT count(*) AS "missing!" FROM written WHERE position = 0"#,
            place.generation,
            place.partition,
            &self.customer,
            &self.id as &[&str],
            &self.activity_type as &[&str],
            &self.actor as &[&str],
            &self.occurred_at,
            &self.value as &[Option<f64>],
            &self.properties as &[Option<&str>],
            &self.context as &[Option<&str>],
            &self.sequence,
        )
        .fetch_one(connection)
        .await
    }
}

async fn delete(
    connection: &mut PgConnection,
    place: Place,
    customer: Uuid,
    ids: &[&str],
) -> Result<u64, sqlx::Error> {
    let deleted = sqlx::query!(
        "DELETE FROM feed
          WHERE generation = $1 AND partition = $2 AND customer_id = $3 AND activity_id = ANY ($4)",
        place.generation,
        place.partition,
        customer,
        ids as &[&str],
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
