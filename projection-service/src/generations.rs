//! Generations: the tables that a rebuild fills beside the live ones. A table's generation is a list partition, attached
//! after it was made and detached before it is dropped, so that nobody who reads the others ever waits.

use domain::{Partition, Partitions};
use sqlx::{PgConnection, PgPool};

use crate::store::{NAME, TABLES, VERSION};
use crate::transaction;

/// Rows that a table loses before they are cleared away.
const VACUUM_ROWS: u32 = 5_000;

fn table(table: &str, generation: i32) -> String {
    format!("{table}_g{generation}")
}

/// Makes generation 1 if there is none, and checkpoints for partitions that have none.
///
/// # Errors
/// What the database says.
pub(crate) async fn ensure(pool: &PgPool, partitions: Partitions) -> Result<(), sqlx::Error> {
    let mut transaction = transaction::begin(pool).await?;
    // Several processes may start at the same time.
    sqlx::query!("LOCK TABLE projections IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    let made = sqlx::query!(
        "INSERT INTO projections (name, version, live_generation, last_generation) VALUES ($1, $2, 1, 1)
         ON CONFLICT (name) DO NOTHING",
        NAME,
        VERSION,
    )
    .execute(&mut *transaction)
    .await?;
    if made.rows_affected() > 0 {
        create_tables(&mut transaction, 1).await?;
    }
    sqlx::query!(
        "INSERT INTO checkpoints (projection, generation, partition)
         SELECT p.name, p.live_generation, k FROM projections p, unnest($1::int[]) AS k
         ON CONFLICT DO NOTHING",
        &numbers(partitions),
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

fn numbers(partitions: Partitions) -> Vec<i32> {
    partitions.all().map(|Partition(number)| i32::from(number)).collect()
}

async fn create_tables(connection: &mut PgConnection, generation: i32) -> Result<(), sqlx::Error> {
    for parent in TABLES {
        let child = table(parent, generation);
        change(&mut *connection, &format!("CREATE TABLE {child} (LIKE {parent} INCLUDING ALL)")).await?;
        // Deltas come and go, so what they leave is cleared away after a number of rows, however large the table is.
        change(
            &mut *connection,
            &format!("ALTER TABLE {child} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = {VACUUM_ROWS})"),
        )
        .await?;
        let attach = format!("ALTER TABLE {parent} ATTACH PARTITION {child} FOR VALUES IN ({generation})");
        change(&mut *connection, &attach).await?;
    }
    Ok(())
}

/// Executes a statement of which nothing but names and numbers of this program varies.
async fn change(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).persistent(false).execute(connection).await?;
    Ok(())
}

/// The generation that a rebuild was filling when it was broken off, if this version of the code can go on with it.
///
/// # Errors
/// What the database says.
pub(crate) async fn unfinished(pool: &PgPool) -> Result<Option<i32>, sqlx::Error> {
    let generation = sqlx::query_scalar!(
        "SELECT building_generation FROM projections WHERE name = $1 AND building_version = $2",
        NAME,
        VERSION,
    )
    .fetch_optional(pool)
    .await?;
    Ok(generation.flatten())
}

/// Makes the tables of a new generation, which nobody reads yet. Returns its number.
///
/// # Errors
/// What the database says.
pub(crate) async fn begin(pool: &PgPool, partitions: Partitions) -> Result<i32, sqlx::Error> {
    let mut transaction = transaction::begin(pool).await?;
    let generation = sqlx::query_scalar!(
        "UPDATE projections SET last_generation = last_generation + 1, building_generation = last_generation + 1,
                                building_version = $2
          WHERE name = $1 RETURNING last_generation",
        NAME,
        VERSION,
    )
    .fetch_one(&mut *transaction)
    .await?;
    create_tables(&mut transaction, generation).await?;
    sqlx::query!(
        "INSERT INTO checkpoints (projection, generation, partition) SELECT $1, $2, k FROM unnest($3::int[]) AS k",
        NAME,
        generation,
        &numbers(partitions),
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(generation)
}

/// Clears away what the fold left behind while it filled a generation, and tells the planner what it holds.
///
/// # Errors
/// What the database says.
pub(crate) async fn vacuum(pool: &PgPool, generation: i32) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    for parent in TABLES {
        change(&mut connection, &format!("VACUUM (ANALYZE) {}", table(parent, generation))).await?;
    }
    Ok(())
}

/// Makes the generation that was built the live one, in one transaction; the one before stays as a way back. Returns
/// whether it was still being built.
///
/// # Errors
/// What the database says.
pub(crate) async fn swap(pool: &PgPool, generation: i32) -> Result<bool, sqlx::Error> {
    let swapped = sqlx::query!(
        "UPDATE projections
            SET previous_generation = live_generation, previous_version = version,
                live_generation = building_generation, version = $3,
                building_generation = NULL, building_version = NULL
          WHERE name = $1 AND building_generation = $2",
        NAME,
        generation,
        VERSION,
    )
    .execute(pool)
    .await?;
    Ok(swapped.rows_affected() == 1)
}

/// The generation before the live one, and the version of the code that folded it.
///
/// # Errors
/// What the database says.
pub(crate) async fn previous(pool: &PgPool) -> Result<Option<(i32, i32)>, sqlx::Error> {
    let row =
        sqlx::query!("SELECT previous_generation, previous_version FROM projections WHERE name = $1", NAME)
            .fetch_optional(pool)
            .await?;
    Ok(row.and_then(|row| row.previous_generation.zip(row.previous_version)))
}

/// Makes the generation before the live one live again, in one transaction; the other one becomes the way back. Returns
/// whether it was still the one before.
///
/// # Errors
/// What the database says.
pub(crate) async fn roll_back(pool: &PgPool, generation: i32) -> Result<bool, sqlx::Error> {
    let swapped = sqlx::query!(
        "UPDATE projections
            SET previous_generation = live_generation, previous_version = version,
                live_generation = previous_generation, version = previous_version
          WHERE name = $1 AND previous_generation = $2",
        NAME,
        generation,
    )
    .execute(pool)
    .await?;
    Ok(swapped.rows_affected() == 1)
}

/// Drops every generation but the live one, the one before it and one more, if it is named. Only for who holds the lock of
/// rebuilds.
///
/// # Errors
/// What the database says.
pub(crate) async fn drop_others(pool: &PgPool, building: Option<i32>) -> Result<(), sqlx::Error> {
    let kept = sqlx::query!(
        "UPDATE projections
            SET building_generation = $2, building_version = CASE WHEN $2::int IS NULL THEN NULL ELSE building_version END
          WHERE name = $1 RETURNING live_generation, previous_generation",
        NAME,
        building,
    )
    .fetch_one(pool)
    .await?;
    let kept: Vec<i32> =
        [Some(kept.live_generation), kept.previous_generation, building].into_iter().flatten().collect();
    for parent in TABLES {
        let kept: Vec<String> = kept.iter().map(|&generation| table(parent, generation)).collect();
        drop_tables(pool, parent, &kept).await?;
    }
    sqlx::query!("DELETE FROM checkpoints WHERE projection = $1 AND generation <> ALL ($2)", NAME, &kept)
        .execute(pool)
        .await?;
    sqlx::query!("DELETE FROM dead_letters WHERE projection = $1 AND generation <> ALL ($2)", NAME, &kept)
        .execute(pool)
        .await?;
    Ok(())
}

async fn drop_tables(pool: &PgPool, parent: &str, kept: &[String]) -> Result<(), sqlx::Error> {
    let mut children = sqlx::query!(
        r#"SELECT c.relname::text AS "name!", i.inhrelid IS NOT NULL AS "attached!",
                  coalesce(i.inhdetachpending, false) AS "half_detached!"
             FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
            WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
              AND c.relname ~ ('^' || $1 || '_g[0-9]+$') AND c.relname <> ALL ($2)
            ORDER BY c.relname"#,
        parent,
        kept,
    )
    .fetch_all(pool)
    .await?;
    // PostgreSQL begins no other detachment while one is pending.
    children.sort_by_key(|child| !child.half_detached);
    let mut connection = pool.acquire().await?;
    for child in children {
        let name = child.name;
        if child.attached {
            // Concurrently: an ordinary DETACH or DROP would lock the parent against everyone who reads it.
            let how = if child.half_detached { "FINALIZE" } else { "CONCURRENTLY" };
            change(&mut connection, &format!("ALTER TABLE {parent} DETACH PARTITION {name} {how}")).await?;
        }
        change(&mut connection, &format!("DROP TABLE {name}")).await?;
    }
    Ok(())
}
