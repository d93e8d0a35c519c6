//! Reports of one customer through the public door: warm, at an earlier moment, after a start, and beside SQL over a plain
//! table of the same rows.

mod plain_table;
mod question;

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use domain::{CustomerId, Partitions};
use embedded_postgres::Server;
use http::Method;
use sqlx::PgPool;

use self::plain_table::PlainTable;
use self::question::{QUESTIONS, Question};
use super::sample::{DAYS, Sample};
use super::storage;
use crate::bench::client::{Client, apart};
use crate::bench::database_failure;
use crate::bench::house::{House, databases};
use crate::bench::ingest::{PARTITIONS, say};
use crate::bench::owner::Owner;
use crate::bench::report::{Figure, Target};
use crate::databases::Databases;
use crate::failure::Failure;

/// Requests of which the 99th percentile is taken.
const REQUESTS: usize = 100;
/// Requests before them, after which what they read is in memory.
const WARM_UP: usize = 3;
/// The middle one of so many starts counts.
const STARTS: usize = 3;
/// The most that an answer at an earlier moment may take, beside the same answer as of now.
const AS_OF_MAX: f64 = 2.0;
/// The least that the same answer takes by SQL.
const SQL_MIN: f64 = 50.0;
const PAGE_MS_MAX: f64 = 10.0;
const POLL: Duration = Duration::from_millis(100);
/// How long folding and merging may take after the load.
const PATIENCE: Duration = Duration::from_mins(30);
/// Segments that the merger does not wait for any longer before it merges them.
const SEGMENTS_MERGED: i32 = 8;
/// Nothing happened in it, so that no column is read.
const EMPTY: &str = "/v1/reports/activity?from=2001-01-01&to=2001-01-02";
/// Pages that are asked for right after the load.
const PAGES: [(&str, &str); 3] = [
    ("a page of the list, right after the load", "/v1/activities?limit=50"),
    ("a page of history by type, right after the load", "/v1/history?type=kind.7&limit=50"),
    ("a page of history by actor, right after the load", "/v1/history?actor=person-77&limit=50"),
];

/// The customer whose reports are asked for.
#[derive(Clone)]
struct Asker {
    customer: CustomerId,
    /// The secret of a token.
    token: String,
    range: (DateTime<Utc>, DateTime<Utc>),
    /// The position in the middle of the log.
    middle: usize,
}

/// What was found out about one question, in milliseconds.
struct Answered {
    question: &'static Question,
    warm: f64,
    as_of: f64,
    total: f64,
}

/// Measures with so many activities of one customer.
pub(super) async fn measure(server: &Server, events: usize) -> Result<Vec<Figure>, Failure> {
    say("reports: loading and folding");
    let names = databases(server, "reports").await?;
    let house = House::on(&names, []).await?;
    let warm = warm(&house, &names, events).await;
    house.stop().await;
    let (asker, mut figures, answered) = warm?;

    say("reports: after a start");
    let mut cold = vec![Vec::new(); QUESTIONS.len()];
    for _ in 0..STARTS {
        for (question, cold) in QUESTIONS.iter().zip(&mut cold) {
            cold.push(first_after_start(&names, &asker, question).await?);
        }
    }
    say("reports: the same by SQL");
    let mut table = PlainTable::of_log(&names.activities).await?;
    for (answered, mut cold) in answered.iter().zip(cold) {
        figures.extend(answered.figures(crate::bench::median(&mut cold)));
        figures.extend(answered.beside_sql(&mut table, &asker).await?);
    }
    drop(table);
    storage::drop_databases(server, &names).await?;
    Ok(figures)
}

/// Loads the activities while the house folds them, and asks until what is asked for is in memory.
async fn warm(
    house: &House,
    names: &Databases,
    events: usize,
) -> Result<(Asker, Vec<Figure>, Vec<Answered>), Failure> {
    let owner = Owner::sign_up(house.address).await?;
    let token = owner.issue().await?.secret;
    let log = PgPool::connect(&names.activities).await.map_err(database_failure)?;
    let first = Utc::now() - TimeDelta::days(DAYS as i64);
    let partitions = Partitions::new(PARTITIONS).unwrap_or(Partitions::ONE);
    Sample::of(owner.customer).append(&log, partitions, events).await?;
    log.close().await;
    let midnight = |time: DateTime<Utc>| time.date_naive().and_time(NaiveTime::MIN).and_utc();
    let range = (midnight(first), midnight(Utc::now()) + TimeDelta::days(1));
    let asker = Asker { customer: owner.customer, token, range, middle: events / 2 };
    let client = Client::of(house.address)?.with_token(&asker.token)?;

    let reports = PgPool::connect(&names.reports).await.map_err(database_failure)?;
    until(&reports, FOLDED, events as i64).await?;
    let mut figures = Vec::new();
    for (name, path) in PAGES {
        let took = p99(&client, path.to_owned()).await?;
        figures.push(Figure::new((name, took), "ms", ("may be", PAGE_MS_MAX), Target::AtMost(1.0)));
    }
    until(&reports, MERGED, i64::from(SEGMENTS_MERGED)).await?;
    reports.close().await;

    say("reports: warm");
    let mut answered = Vec::new();
    for question in &QUESTIONS {
        let path = asker.path(question);
        let (_, answer) = client.call(Method::GET, &path, &[], "").await?;
        let warm = p99(&client, path.clone()).await?;
        let as_of = p99(&client, format!("{path}&as_of={}", asker.middle)).await?;
        answered.push(Answered { question, warm, as_of, total: (question.total)(&answer) });
    }
    Ok((asker, figures, answered))
}

/// Whether the read model has come to a position.
const FOLDED: &str = "SELECT coalesce(max(c.position), 0) >= $1
  FROM projections p JOIN checkpoints c ON c.projection = p.name AND c.generation = p.live_generation";
/// Whether nobody has so many segments that are not merged.
const MERGED: &str = "SELECT coalesce(max(s.new_segments), 0) < $1
  FROM projections p JOIN stores s ON s.generation = p.live_generation";

/// Waits until a statement says that it is so.
async fn until(pool: &PgPool, statement: &'static str, number: i64) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let is_so = sqlx::query_scalar(statement).bind(number).fetch_one(pool).await;
        if is_so.map_err(database_failure)? {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(Failure::Failed(format!("reports has not folded and merged within {PATIENCE:?}")))
}

impl Asker {
    fn path(&self, question: &Question) -> String {
        let [from, to] = [self.range.0, self.range.1].map(|time| time.format("%Y-%m-%d"));
        format!("{}&from={from}&to={to}&time_zone=UTC", question.path)
    }
}

impl Answered {
    fn figures(&self, cold: f64) -> [Figure; 3] {
        let Question { name, warm_ms_max, cold_ms_max, .. } = *self.question;
        let (as_of, of_now) = (format!("{name}, as of the middle, p99"), ("as of now", self.warm));
        let may_be = |ms_max| ("may be", ms_max);
        [
            Figure::new((format!("{name}, p99"), self.warm), "ms", may_be(warm_ms_max), Target::AtMost(1.0)),
            Figure::new((as_of, self.as_of), "ms", of_now, Target::AtMost(AS_OF_MAX)),
            Figure::new(
                (format!("{name}, first after a start"), cold),
                "ms",
                may_be(cold_ms_max),
                Target::AtMost(1.0),
            ),
        ]
    }

    /// Compares the time with that of the same answer by SQL, whose numbers must be the same.
    async fn beside_sql(&self, table: &mut PlainTable, asker: &Asker) -> Result<Option<Figure>, Failure> {
        let Question { name, sql: Some(sql), .. } = self.question else { return Ok(None) };
        let by_sql = table.ask(sql, asker.customer, asker.range).await?;
        if let Some(total) = by_sql.total
            && (total - self.total).abs() > total.abs() * 1e-9
        {
            let detail = format!("{name}: the numbers add up to {}, by SQL to {total}", self.total);
            return Err(Failure::Failed(detail));
        }
        let took = by_sql.took.as_secs_f64() * 1e3;
        let limit = ("through HTTP", self.warm);
        Ok(Some(Figure::new((format!("{name}, by SQL"), took), "ms", limit, Target::AtLeast(SQL_MIN))))
    }
}

/// The 99th percentile of the times of requests that follow each other, in milliseconds.
async fn p99(client: &Client, path: String) -> Result<f64, Failure> {
    let client = client.clone();
    let times = apart(async move {
        for _ in 0..WARM_UP {
            client.fetch(&path).await?;
        }
        let mut times = Vec::with_capacity(REQUESTS);
        for _ in 0..REQUESTS {
            let began = Instant::now();
            client.fetch(&path).await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        Ok(times)
    });
    let mut times: Vec<f64> = times.await?;
    times.sort_by(f64::total_cmp);
    Ok(times[(REQUESTS * 99).div_ceil(100) - 1])
}

/// Starts the house anew, whose columns are then not in memory, and asks once. In milliseconds.
async fn first_after_start(names: &Databases, asker: &Asker, question: &Question) -> Result<f64, Failure> {
    let house = House::on(names, []).await?;
    let client = Client::of(house.address)?.with_token(&asker.token)?;
    let path = asker.path(question);
    let took = apart(async move {
        // Who is asking is looked up once; that is no part of a report.
        client.fetch(EMPTY).await?;
        let began = Instant::now();
        client.fetch(&path).await?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    });
    let took = took.await;
    house.stop().await;
    took
}
