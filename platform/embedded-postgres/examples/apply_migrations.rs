//! `apply_migrations URL DIR PREFIX`: for each folder NAME in DIR a new database `PREFIX_NAME` on the server at URL (a
//! superuser's), with the folder's SQL files applied in order of their names. A database of that name is dropped
//! first. `cargo xtask sqlx` checks the statements in the code against these.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, raw_sql};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, dir, prefix] = arguments.as_slice() else {
        anyhow::bail!("usage: apply_migrations URL DIR PREFIX");
    };
    let server: PgConnectOptions = url.parse()?;
    let mut admin = server.connect().await?;
    for folder in sorted(Path::new(dir))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let database = format!("{prefix}_{name}");
        admin.execute(format!(r#"DROP DATABASE IF EXISTS "{database}" WITH (FORCE)"#).as_str()).await?;
        admin.execute(format!(r#"CREATE DATABASE "{database}""#).as_str()).await?;
        let mut connection = server.clone().database(&database).connect().await?;
        for file in sorted(&folder)?.iter().filter(|file| file.extension().is_some_and(|end| end == "sql")) {
            let sql = fs::read_to_string(file).with_context(|| file.display().to_string())?;
            raw_sql(&sql).execute(&mut connection).await.with_context(|| file.display().to_string())?;
        }
        connection.close().await?;
    }
    Ok(())
}

fn sorted(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
