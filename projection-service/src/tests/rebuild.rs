use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use domain::CustomerId;
use event_store::{EventLog, advisory_locks};
use sqlx::{PgConnection, PgPool};

use super::house::{House, at, content, customer, eventually};
use crate::{Differences, Progress, RebuildError, RebuildOptions, Rebuilt, rebuild, roll_back};

const DAY: &str = "/v1/reports/activity?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z";

fn all(verify: bool) -> RebuildOptions {
    RebuildOptions { verify, parallel: 2, load_max: None }
}

async fn run(pool: &PgPool, log: &EventLog, options: RebuildOptions) -> Result<Rebuilt, RebuildError> {
    rebuild(pool, log, options, |_| {}).await
}

/// Some history with everything in it that can happen, folded in several batches.
async fn history(house: &House, customers: &[CustomerId]) {
    for customer in customers {
        for number in 0..30 {
            let mut content =
                content("page.viewed", &format!("actor {}", number % 4), "2026-03-01T10:00:00Z");
            content.value = (number % 3 == 0).then_some(0.1 * f64::from(number));
            house.record(*customer, &number.to_string(), content).await;
            if number % 5 == 1 {
                house.folded().await;
            }
            if number % 4 == 3 {
                house
                    .correct(*customer, &(number - 1).to_string(), |content| {
                        content.occurred_at = at("2026-03-01T12:00:00Z");
                        content.activity_type = "page.left".to_owned();
                        content.value = Some(1.25);
                    })
                    .await;
            }
            if number % 7 == 6 {
                house.redact(*customer, &(number - 2).to_string()).await;
            }
        }
        let stream = domain::ActivityId::parse("poison").unwrap().stream(*customer);
        house.append(*customer, stream, 1, "ActivityDreamt".into(), "1.0.0".into(), "{}".into()).await;
    }
    house.folded().await;
}

async fn tables(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname ~ '_g[0-9]+$' ORDER BY relname",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

fn generations(numbers: &[i32]) -> Vec<String> {
    let mut tables: Vec<String> = crate::store::TABLES
        .iter()
        .flat_map(|table| numbers.iter().map(move |number| format!("{table}_g{number}")))
        .collect();
    tables.sort_unstable();
    tables
}

#[expect(clippy::unnecessary_wraps, reason = "what is compared with")]
fn equal() -> Option<Differences> {
    Some(Differences::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_can_be_thrown_away_and_folded_again() {
    let (house, reports) = House::start().await;
    let customers = [customer(), customer(), customer()];
    history(&house, &customers).await;
    let before = reports.body(customers[0], DAY).await;

    let reported = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&reported);
    let report = move |progress: Progress| copy.lock().unwrap().push(progress);
    let rebuilt = rebuild(house.pool(), &house.log, all(true), report).await.unwrap();
    let events = house.log.heads().await.unwrap().iter().map(|head| head.position as u64).sum();
    let expected = Rebuilt { events, resumed: 0, generation: 2, differences: equal() };
    assert_eq!(rebuilt, expected);
    let last = *reported.lock().unwrap().last().unwrap();
    assert_eq!((last.folded, last.total, last.paused), (events, events, None));
    let after = reports.body(customers[0], DAY).await;
    assert_eq!((&after["total"], &after["series"]), (&before["total"], &before["series"]));
    run(house.pool(), &house.log, all(false)).await.unwrap();
    // The one before the live one is kept as a way back, and nothing else.
    assert_eq!(tables(house.pool()).await, generations(&[2, 3]));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_the_log_says_is_named_and_right_again() {
    let (house, reports) = House::start().await;
    let customers = [customer(), customer()];
    history(&house, &customers).await;
    for (damage, named) in [
        // An end is lost, and a redacted activity stands again.
        ("DELETE FROM ends WHERE generation = (SELECT live_generation FROM projections)", "ended at"),
        // A byte of a delta: its name of a type, or what it is packed as.
        (
            "UPDATE deltas SET content = set_byte(content, length(content) - 1, get_byte(content, length(content) - 1) # 1)
              WHERE id = (SELECT min(id) FROM deltas WHERE generation = (SELECT live_generation FROM projections))",
            "",
        ),
        ("DELETE FROM deltas WHERE generation = (SELECT live_generation FROM projections)", "live has nothing, rebuilt has {first position"),
        ("UPDATE actors SET actor = 'nobody' WHERE actor = 'actor 1' AND generation = (SELECT live_generation FROM projections)", "actor \"nobody\""),
        ("DELETE FROM dead_letters WHERE generation = (SELECT live_generation FROM projections)", "set aside in what was rebuilt"),
        ("UPDATE checkpoints SET discarded = 1, folded = folded - 1 WHERE folded > 1 AND generation = (SELECT live_generation FROM projections)", "1 discarded"),
    ] {
        let done = sqlx::query(damage).execute(house.pool()).await.unwrap();
        assert!(done.rows_affected() > 0, "{damage}");
        let rebuilt = run(house.pool(), &house.log, all(true)).await.unwrap();
        let differences = rebuilt.differences.unwrap();
        assert!(differences.count > 0 && !differences.examples.is_empty(), "{damage}");
        let listed = differences.examples.join("\n");
        assert!(listed.contains(named) && listed.contains("position"), "{damage}: {listed}");
        let rebuilt = run(house.pool(), &house.log, all(true)).await.unwrap();
        assert_eq!(rebuilt.differences, equal(), "{damage}");
    }
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_writes_go_on_while_a_rebuild_runs() {
    let (house, reports) = House::start().await;
    let customers = [customer(), customer()];
    history(&house, &customers).await;
    let (recorded, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let writing = async {
        while !done.load(Ordering::SeqCst) {
            for customer in &customers {
                let id = format!("more {}", recorded.load(Ordering::SeqCst));
                house.record(*customer, &id, content("page.viewed", "ada", "2026-03-01T15:00:00Z")).await;
            }
            recorded.fetch_add(1, Ordering::SeqCst);
        }
    };
    let querying = async {
        let mut last = 0;
        while !done.load(Ordering::SeqCst) {
            let total = reports.body(customers[0], DAY).await["total"].as_i64().unwrap();
            assert!(total >= last, "a query saw {total} after {last}");
            last = total;
        }
    };
    let rebuilding = async {
        for _ in 0..3 {
            let rebuilt = run(house.pool(), &house.log, all(true)).await.unwrap();
            assert_eq!(rebuilt.differences, equal());
        }
        done.store(true, Ordering::SeqCst);
    };
    tokio::join!(writing, querying, rebuilding);
    house.folded().await;
    // Of the 30 in the history, 4 are redacted.
    let total = reports.body(customers[0], DAY).await["total"].as_u64().unwrap();
    assert_eq!(total, 26 + recorded.load(Ordering::SeqCst));
    assert_eq!(run(house.pool(), &house.log, all(true)).await.unwrap().differences, equal());
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_killed_goes_on_where_it_stopped() {
    let (house, reports) = House::start().await;
    // In several partitions, so that there is something left to do after the first page.
    let customers = [customer(), customer(), customer(), customer(), customer(), customer()];
    history(&house, &customers).await;
    let (pool, log) = (house.pool().clone(), house.log.clone());
    let (reported, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let options = RebuildOptions { parallel: 1, ..all(false) };
    let killed = tokio::spawn(async move {
        let report = move |progress: Progress| {
            reported.send(progress.folded).unwrap_or_default();
            // Dies in the middle, as a process does; nothing after it is done.
            std::thread::sleep(std::time::Duration::from_millis(200));
        };
        rebuild(&pool, &log, options, report).await.map(|_| ())
    });
    let folded = begun.recv().await.unwrap();
    killed.abort();
    let _ = killed.await;
    let status = crate::status(house.pool()).await.unwrap();
    assert_eq!(status[0].building, Some(2));
    let rebuilt = Mutex::new(None);
    eventually("nobody holds the right to rebuild", async || {
        match run(house.pool(), &house.log, all(true)).await {
            Err(RebuildError::Busy) => false,
            outcome => rebuilt.lock().unwrap().replace(outcome.unwrap()).is_none(),
        }
    })
    .await;
    let rebuilt = rebuilt.into_inner().unwrap().unwrap();
    assert!(rebuilt.resumed >= folded && folded > 0, "{rebuilt:?} after {folded}");
    assert_eq!((rebuilt.generation, rebuilt.differences), (2, equal()));
    let status = crate::status(house.pool()).await.unwrap();
    assert_eq!((status[0].building, status[0].generation), (None, 2));
    assert_eq!(tables(house.pool()).await, generations(&[1, 2]));
    assert_eq!(run(house.pool(), &house.log, all(true)).await.unwrap().differences, equal());
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_is_caught_up_first() {
    let (house, reports) = House::start().await;
    let customers = [customer()];
    assert!(matches!(back(&house).await, Err(RebuildError::NoPrevious)));
    history(&house, &customers).await;
    run(house.pool(), &house.log, all(false)).await.unwrap();
    house.record(customers[0], "new", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    let before = reports.body(customers[0], DAY).await;
    assert_eq!(back(&house).await.unwrap(), 1);
    house.folded().await;
    let after = reports.body(customers[0], DAY).await;
    assert_eq!((&after["total"], &after["series"]), (&before["total"], &before["series"]));
    // And forth again.
    assert_eq!(back(&house).await.unwrap(), 2);
    sqlx::query("UPDATE projections SET previous_version = 0").execute(house.pool()).await.unwrap();
    let refused = back(&house).await.unwrap_err();
    assert!(matches!(refused, RebuildError::OtherVersion { generation: 1, version: 0 }), "{refused}");
    assert_eq!(run(house.pool(), &house.log, all(true)).await.unwrap().differences, equal());
    reports.stop().await;
}

async fn back(house: &House) -> Result<i32, RebuildError> {
    roll_back(house.pool(), &house.log, all(false), |_| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_waits_while_the_machine_is_busy() {
    let (house, reports) = House::start().await;
    history(&house, &[customer()]).await;
    let (reported, mut paused) = tokio::sync::mpsc::unbounded_channel();
    let (pool, log) = (house.pool().clone(), house.log.clone());
    // No machine is less busy than that.
    let options = RebuildOptions { load_max: Some(-1.0), ..all(false) };
    let waiting = tokio::spawn(async move {
        rebuild(&pool, &log, options, move |progress| reported.send(progress).unwrap_or_default()).await
    });
    let progress = paused.recv().await.unwrap();
    assert_eq!((progress.folded, progress.paused), (0, Some("the machine is busy")));
    assert!(!waiting.is_finished());
    waiting.abort();
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_rebuilt_once_at_a_time() {
    let (house, reports) = House::start().await;
    let mut other = house.pool().acquire().await.unwrap();
    let lock = async |function: &str, connection: &mut PgConnection| {
        let statement = format!("SELECT {function}($1, hashtext('activities'))");
        sqlx::query(&statement).bind(advisory_locks::REBUILD).execute(connection).await.unwrap();
    };
    lock("pg_advisory_lock", &mut other).await;
    let refused = run(house.pool(), &house.log, all(false)).await.unwrap_err();
    assert!(matches!(refused, RebuildError::Busy), "{refused}");
    lock("pg_advisory_unlock", &mut other).await;
    assert_eq!(run(house.pool(), &house.log, all(false)).await.unwrap().generation, 2);
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fold_that_has_changed_rebuilds_by_itself() {
    let (house, reports) = House::start().await;
    let customers = [customer()];
    history(&house, &customers).await;
    let before = reports.body(customers[0], DAY).await["total"].clone();
    reports.stop().await;
    // As if the rows had been folded by older code, which left something out.
    for older in ["UPDATE projections SET version = 0", "DELETE FROM deltas"] {
        sqlx::query(older).execute(house.pool()).await.unwrap();
    }
    house.record(customers[0], "new", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    let reports = house.reports(20).await;
    eventually("it is rebuilt", async || {
        let status = crate::status(house.pool()).await.unwrap();
        (status[0].version, status[0].generation) == (crate::store::VERSION, 2)
    })
    .await;
    house.folded().await;
    assert_eq!(
        reports.body(customers[0], DAY).await["total"].as_i64(),
        before.as_i64().map(|total| total + 1)
    );
    reports.stop().await;
}
