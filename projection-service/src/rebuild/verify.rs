use domain::Partition;
use sqlx::{Executor, PgConnection, PgPool};
use uuid::Uuid;

use super::Differences;
use super::names;
use super::rows::{self, Contents, Sums};
use crate::error::FlushError;
use crate::store::{NAME, VERSION};

/// The most differences that are described; of more, only the number is given.
const EXAMPLES_MAX: usize = 20;
/// Customers that are read at once.
const CUSTOMERS_MAX: i64 = 1_000;

impl Differences {
    fn add(&mut self, count: u64, example: impl FnOnce() -> String) {
        self.count += count;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(example());
        }
    }
}

/// A snapshot of what is committed now, on a connection of its own: if the comparison is cancelled, no transaction stays open
/// in the pool.
pub(super) async fn snapshot(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut connection = pool.acquire().await?.detach();
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    // The first statement takes it.
    sqlx::query!("SELECT count(*) FROM projections").fetch_one(&mut connection).await?;
    Ok(connection)
}

/// Compares a generation with the live one: the counts of checkpoints, the dead letters, and the rows of every customer. Rows
/// are compared by content; how they are divided into chunks and numbered does not matter.
///
/// Each customer's rows are read once, chunk by chunk, into sums of ranges of positions; where the sums of a range differ,
/// its rows are looked at one by one. So no more than a chunk is in memory, however many rows there are.
pub(super) async fn differences(
    snapshot: &mut PgConnection,
    generation: i32,
) -> Result<Differences, FlushError> {
    let live = sqlx::query!("SELECT live_generation, version FROM projections WHERE name = $1", NAME)
        .fetch_one(&mut *snapshot)
        .await?;
    let mut differences = Differences::default();
    if live.version != VERSION {
        differences.add(1, || {
            format!(
                "what is live was folded by version {}, and this program has version {VERSION}: their rows are not comparable",
                live.version
            )
        });
        return Ok(differences);
    }
    let pair = Pair { live: live.live_generation, rebuilt: generation };
    accounts(snapshot, pair, &mut differences).await?;
    dead_letters(snapshot, pair, &mut differences).await?;
    let mut after = Uuid::nil();
    loop {
        let customers = customers(snapshot, pair, after).await?;
        let Some(last) = customers.last() else { return Ok(differences) };
        after = *last;
        for customer in customers {
            compare(snapshot, pair, customer, &mut differences).await?;
        }
    }
}

/// Two generations.
#[derive(Clone, Copy)]
struct Pair {
    live: i32,
    rebuilt: i32,
}

/// Customers that either generation has, in order.
async fn customers(snapshot: &mut PgConnection, pair: Pair, after: Uuid) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT customer_id AS "customer_id!" FROM (
               (SELECT customer_id FROM stores WHERE generation = $1 AND customer_id > $3 ORDER BY customer_id LIMIT $4)
               UNION
               (SELECT customer_id FROM stores WHERE generation = $2 AND customer_id > $3 ORDER BY customer_id LIMIT $4)
           ) both_of_them ORDER BY customer_id LIMIT $4"#,
        pair.live,
        pair.rebuilt,
        after,
        CUSTOMERS_MAX,
    )
    .fetch_all(snapshot)
    .await
}

async fn compare(
    snapshot: &mut PgConnection,
    pair: Pair,
    customer: Uuid,
    differences: &mut Differences,
) -> Result<(), FlushError> {
    let generations = (pair.live, pair.rebuilt);
    for position in names::different(snapshot, generations, customer, EXAMPLES_MAX as i64).await? {
        differences.add(1, || {
            format!("customer {customer}, position {position}: it says something else about actors")
        });
    }
    let mut sums: Vec<Sums> = Vec::new();
    for (name, generation) in [("live", pair.live), ("rebuilt", pair.rebuilt)] {
        let Contents { sums: of_one, unreadable } = rows::sums(snapshot, generation, customer).await?;
        for chunk in unreadable {
            differences.add(1, || format!("customer {customer}, {name}: {chunk}"));
        }
        sums.push(of_one);
    }
    for range in sums[0].different_from(&sums[1]) {
        let live = rows::rows(snapshot, pair.live, customer, range.clone()).await?;
        let rebuilt = rows::rows(snapshot, pair.rebuilt, customer, range).await?;
        let mut positions: Vec<i64> = live.keys().chain(rebuilt.keys()).copied().collect();
        positions.sort_unstable();
        positions.dedup();
        for position in positions {
            let (live, rebuilt) = (live.get(&position), rebuilt.get(&position));
            if live != rebuilt {
                let describe = |rows: Option<&Vec<String>>| {
                    rows.map_or_else(|| "nothing".to_owned(), |rows| rows.join(" and "))
                };
                differences.add(1, || {
                    format!(
                        "customer {customer}, position {position}: live has {}, rebuilt has {}",
                        describe(live),
                        describe(rebuilt)
                    )
                });
            }
        }
    }
    Ok(())
}

/// Compares the checkpoints of both generations.
async fn accounts(
    snapshot: &mut PgConnection,
    pair: Pair,
    differences: &mut Differences,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT partition AS "partition!", l.position AS "live?", l.dead_lettered AS "live_dead?",
                  l.discarded AS "live_discarded?", l.event_id AS "live_event?", r.position AS "rebuilt?",
                  r.dead_lettered AS "rebuilt_dead?", r.discarded AS "rebuilt_discarded?", r.event_id AS "rebuilt_event?"
             FROM (SELECT * FROM checkpoints WHERE projection = $1 AND generation = $2) l
             FULL JOIN (SELECT * FROM checkpoints WHERE projection = $1 AND generation = $3) r USING (partition)
            WHERE (l.position, l.dead_lettered, l.discarded, l.event_id)
                  IS DISTINCT FROM (r.position, r.dead_lettered, r.discarded, r.event_id)
            ORDER BY partition"#,
        NAME,
        pair.live,
        pair.rebuilt,
    )
    .fetch_all(snapshot)
    .await?;
    let describe = |position: Option<i64>, dead: Option<i64>, discarded: Option<i64>, event: Option<Uuid>| {
        let [position, dead, discarded] = [position, dead, discarded].map(Option::unwrap_or_default);
        let event = event.map_or_else(|| "no event".to_owned(), |event| format!("event {event}"));
        format!("position {position} ({event}) with {dead} dead letters and {discarded} discarded")
    };
    for row in rows {
        differences.add(1, || {
            let live = describe(row.live, row.live_dead, row.live_discarded, row.live_event);
            let rebuilt = describe(row.rebuilt, row.rebuilt_dead, row.rebuilt_discarded, row.rebuilt_event);
            format!("checkpoint of partition {}: live at {live}, rebuilt at {rebuilt}", row.partition)
        });
    }
    Ok(())
}

/// Compares the dead letters of both generations.
async fn dead_letters(
    snapshot: &mut PgConnection,
    pair: Pair,
    differences: &mut Differences,
) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT partition AS "partition!", position AS "position!", l.event_id IS NOT NULL AS "live!",
                  r.event_id IS NOT NULL AS "rebuilt!"
             FROM (SELECT * FROM dead_letters WHERE projection = $1 AND generation = $2) l
             FULL JOIN (SELECT * FROM dead_letters WHERE projection = $1 AND generation = $3) r USING (partition, position)
            WHERE (l.event_id, l.waits_behind) IS DISTINCT FROM (r.event_id, r.waits_behind)
            ORDER BY partition, position"#,
        NAME,
        pair.live,
        pair.rebuilt,
    )
    .fetch_all(snapshot)
    .await?;
    for row in rows {
        differences.add(1, || {
            let place = format!("partition {}, position {}", Partition(row.partition as u16), row.position);
            match (row.live, row.rebuilt) {
                (true, false) => format!("{place}: set aside in what is live, and not in what was rebuilt"),
                (false, true) => format!("{place}: set aside in what was rebuilt, and not in what is live"),
                _ => format!("{place}: waits behind another event in what was rebuilt"),
            }
        });
    }
    Ok(())
}
