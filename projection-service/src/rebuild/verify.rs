use sqlx::{PgConnection, PgPool, Postgres, Row, Transaction};

use crate::projections::Definition;

/// Rows that are told of each table; of more, only the number.
const ROWS_TOLD_MAX: i64 = 20;

/// A snapshot that sees what is committed now, however long it is looked at.
pub(super) async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    // The first statement takes it.
    sqlx::query!("SELECT count(*) FROM projections").fetch_one(&mut *transaction).await?;
    Ok(transaction)
}

/// In which rows a generation differs from the live one.
pub(super) async fn differences(
    snapshot: &mut PgConnection,
    definition: &Definition,
    generation: i32,
) -> Result<Vec<String>, sqlx::Error> {
    let live =
        sqlx::query!("SELECT live_generation, version FROM projections WHERE name = $1", definition.name)
            .fetch_one(&mut *snapshot)
            .await?;
    if live.version != definition.version {
        return Ok(vec![format!(
            "{}: what is live was folded by version {}, and this program has version {}: their rows are not comparable",
            definition.name, live.version, definition.version
        )]);
    }
    let mut differences = accounts(snapshot, definition, live.live_generation, generation).await?;
    for table in definition.tables {
        let columns = columns(snapshot, table).await?;
        for (told, kept, other) in [
            ("only live", live.live_generation, generation),
            ("only rebuilt", generation, live.live_generation),
        ] {
            let rows = only_in(snapshot, table, &columns, kept, other).await?;
            differences.extend(rows.into_iter().map(|row| format!("{table}, {told}: {row}")));
        }
    }
    Ok(differences)
}

/// Checkpoints that do not account for the events in the same way.
async fn accounts(
    snapshot: &mut PgConnection,
    definition: &Definition,
    live: i32,
    rebuilt: i32,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT partition, l.position AS "live?", l.dead_lettered AS "live_dead?", l.discarded AS "live_discarded?",
                  r.position AS "rebuilt?", r.dead_lettered AS "rebuilt_dead?", r.discarded AS "rebuilt_discarded?"
             FROM (SELECT * FROM checkpoints WHERE projection = $1 AND generation = $2) l
             FULL JOIN (SELECT * FROM checkpoints WHERE projection = $1 AND generation = $3) r USING (partition)
            WHERE (l.position, l.dead_lettered, l.discarded)
                  IS DISTINCT FROM (r.position, r.dead_lettered, r.discarded)
            ORDER BY partition"#,
        definition.name,
        live,
        rebuilt,
    )
    .fetch_all(snapshot)
    .await?;
    let tell = |position: Option<i64>, dead: Option<i64>, discarded: Option<i64>| {
        let [position, dead, discarded] = [position, dead, discarded].map(Option::unwrap_or_default);
        format!("position {position} with {dead} dead letters and {discarded} discarded")
    };
    Ok(rows
        .into_iter()
        .map(|row| {
            let live = tell(row.live, row.live_dead, row.live_discarded);
            let rebuilt = tell(row.rebuilt, row.rebuilt_dead, row.rebuilt_discarded);
            format!(
                "checkpoints, partition {}: live at {live}, rebuilt at {rebuilt}",
                row.partition.unwrap_or(-1)
            )
        })
        .collect())
}

/// A table's columns but for the generation, each as something that can be compared: the text of JSON, and a number
/// without the zeros that only tell how it came about.
async fn columns(snapshot: &mut PgConnection, table: &str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT string_agg(CASE atttypid WHEN 'json'::regtype THEN format('%I::text', attname)
                                           WHEN 'numeric'::regtype THEN format('trim_scale(%I)', attname)
                                           ELSE format('%I', attname) END, ', ' ORDER BY attnum) AS "columns!"
             FROM pg_attribute
            WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'generation'"#,
        table,
    )
    .fetch_one(snapshot)
    .await
}

/// Rows of a generation that another one does not have.
async fn only_in(
    snapshot: &mut PgConnection,
    table: &str,
    columns: &str,
    kept: i32,
    other: i32,
) -> Result<Vec<String>, sqlx::Error> {
    // The tables and columns are those of this program's projections.
    let statement = format!(
        "WITH lone AS MATERIALIZED (SELECT {columns} FROM {table} WHERE generation = $1
                                    EXCEPT ALL SELECT {columns} FROM {table} WHERE generation = $2)
         SELECT (SELECT count(*) FROM lone), o::text FROM (SELECT * FROM lone LIMIT $3) o"
    );
    let rows = sqlx::query(&statement).bind(kept).bind(other).bind(ROWS_TOLD_MAX).fetch_all(snapshot).await?;
    let mut told: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
    let all: i64 = rows.first().map_or(0, |row| row.get(0));
    if all > ROWS_TOLD_MAX {
        told.push(format!("and {} more rows", all - ROWS_TOLD_MAX));
    }
    Ok(told)
}
