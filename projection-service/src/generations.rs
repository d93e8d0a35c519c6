//! Generations: the tables that a rebuild fills beside the live ones. A generation of a table is a list partition. It is
//! attached after it was created and detached before it is dropped, so that queries on other generations never wait.

use domain::{Partition, Partitions};
use sqlx::{PgConnection, PgPool};

use crate::store::{NAME, TABLES, VERSION};
use crate::transaction;

/// Deleted rows of a table after which it is vacuumed.
const VACUUM_ROWS: u32 = 5_000;

fn table(table: &str, generation: i32) -> String {
    format!("{table}_g{generation}")
}

/// Creates generation 1 if there is none, and the checkpoints that are missing.
///
/// # Errors
/// An error if the database fails.
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
        // Deltas are written and deleted all the time, so autovacuum must not wait for a share of a large table.
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

/// Executes a statement that contains no input: only names and numbers of this program vary.
async fn change(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).persistent(false).execute(connection).await?;
    Ok(())
}

/// The generation that an interrupted rebuild was filling, if this version of the code filled it.
///
/// # Errors
/// An error if the database fails.
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

/// Creates the tables of a new generation, which no query reads yet. Returns its number.
///
/// # Errors
/// An error if the database fails.
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

/// Vacuums and analyzes the tables of a generation that was filled.
///
/// # Errors
/// An error if the database fails.
pub(crate) async fn vacuum(pool: &PgPool, generation: i32) -> Result<(), sqlx::Error> {
    let mut connection = pool.acquire().await?;
    for parent in TABLES {
        change(&mut connection, &format!("VACUUM (ANALYZE) {}", table(parent, generation))).await?;
    }
    Ok(())
}

/// Makes the generation that was built the live one. The one before is kept, for [`roll_back`]. Returns false if
/// `generation` is not being built any more.
///
/// # Errors
/// An error if the database fails.
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
/// An error if the database fails.
pub(crate) async fn previous(pool: &PgPool) -> Result<Option<(i32, i32)>, sqlx::Error> {
    let row =
        sqlx::query!("SELECT previous_generation, previous_version FROM projections WHERE name = $1", NAME)
            .fetch_optional(pool)
            .await?;
    Ok(row.and_then(|row| row.previous_generation.zip(row.previous_version)))
}

/// Makes the previous generation live again; the live one becomes the previous one. Returns false if `generation` is not
/// the previous one any more.
///
/// # Errors
/// An error if the database fails.
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

/// Drops every generation but the live one, the previous one, and `building` if given. The caller must hold the advisory
/// lock of rebuilds.
///
/// # Errors
/// An error if the database fails.
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
    // PostgreSQL starts no other detachment while one is pending.
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
