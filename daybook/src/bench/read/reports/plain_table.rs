use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::CustomerId;
use sqlx::{Connection, Executor, PgConnection};

use crate::bench::database_failure;
use crate::failure::Failure;

/// A statement is broken off after it, and counts as having taken so long.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);
/// One that takes longer is run once only.
const RUN_TWICE_UP_TO: Duration = Duration::from_secs(5);
/// What the statements need: by time, by actor in its order, and by actor and type in its order.
const INDEXES: [&str; 3] = [
    "CREATE INDEX ON plain_activities (customer, occurred_at)",
    "CREATE INDEX ON plain_activities (customer, actor, occurred_at, position) INCLUDE (type)",
    "CREATE INDEX ON plain_activities (customer, actor, type, occurred_at, position)",
];
/// SQLSTATE of a statement that was broken off.
const CANCELED: &str = "57014";

/// The same activities as a plain table with indexes.
pub(super) struct PlainTable(PgConnection);

/// What a statement says.
pub(super) struct BySql {
    pub(super) took: Duration,
    /// None if it took too long.
    pub(super) total: Option<f64>,
}

impl PlainTable {
    /// Makes the table out of the log in the database at a URL.
    pub(super) async fn of_log(url: &str) -> Result<Self, Failure> {
        let mut connection = PgConnection::connect(url).await.map_err(database_failure)?;
        let settings = ["SET maintenance_work_mem = '1GB'", "SET work_mem = '128MB'"];
        let statements = settings.into_iter().chain([include_str!("sql/table.sql")]).chain(INDEXES);
        for statement in statements.chain(["VACUUM (ANALYZE) plain_activities"]) {
            connection.execute(statement).await.map_err(database_failure)?;
        }
        let timeout = format!("SET statement_timeout = {}", STATEMENT_TIMEOUT.as_millis());
        connection.execute(timeout.as_str()).await.map_err(database_failure)?;
        Ok(Self(connection))
    }

    /// Runs a statement; twice unless it takes long, and the faster run counts.
    pub(super) async fn ask(
        &mut self,
        sql: &'static str,
        customer: CustomerId,
        range: (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<BySql, Failure> {
        let first = self.run(sql, customer, range).await?;
        if first.took > RUN_TWICE_UP_TO {
            return Ok(first);
        }
        let second = self.run(sql, customer, range).await?;
        Ok(BySql { took: first.took.min(second.took), ..second })
    }

    async fn run(
        &mut self,
        sql: &'static str,
        customer: CustomerId,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<BySql, Failure> {
        let began = Instant::now();
        let total = sqlx::query_scalar(sql).bind(customer.0).bind(from).bind(to).fetch_one(&mut self.0).await;
        match total {
            Ok(total) => Ok(BySql { took: began.elapsed(), total: Some(total) }),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(CANCELED) => {
                Ok(BySql { took: STATEMENT_TIMEOUT, total: None })
            }
            Err(error) => Err(database_failure(error)),
        }
    }
}
