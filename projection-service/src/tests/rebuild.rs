use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::CustomerId;
use event_store::EventLog;
use sqlx::PgPool;

use super::house::{House, at, content, customer, eventually};
use crate::{Progress, RebuildError, RebuildOptions, RebuildOutcome, rebuild};

const DAY: &str = "/v1/reports/activity?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z";

fn all(verify: bool) -> RebuildOptions {
    RebuildOptions { projections: Vec::new(), verify, parallel: 2 }
}

async fn run(pool: &PgPool, log: &EventLog, options: RebuildOptions) -> Result<RebuildOutcome, RebuildError> {
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
    let tables =
        ["active_quarters", "activity_minutes", "activity_quarters", "actor_counts", "actors", "feed"];
    tables.iter().flat_map(|table| numbers.iter().map(move |number| format!("{table}_g{number}"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_model_can_be_thrown_away_and_folded_again() {
    let (house, reports) = House::start().await;
    let customers = [customer(), customer(), customer()];
    history(&house, &customers).await;
    let before = reports.body(customers[0], DAY).await;

    let told = Mutex::new(Vec::new());
    let note = |progress: Progress| told.lock().unwrap().push(progress);
    let outcome = rebuild(house.pool(), &house.log, all(true), note).await.unwrap();
    let events: i64 = house.log.heads().await.unwrap().iter().map(|head| head.position).sum();
    for rebuilt in &outcome.projections {
        assert_eq!(rebuilt.differences.as_deref(), Some(&[][..]), "{}", rebuilt.name);
        assert_eq!((rebuilt.generation, rebuilt.events), (2, events as u64));
    }
    assert_eq!(outcome.projections.len(), 3);
    let last = told.into_inner().unwrap().pop().unwrap();
    assert_eq!((last.folded, last.total), (events as u64, events as u64));
    let after = reports.body(customers[0], DAY).await;
    assert_eq!((&after["total"], &after["series"]), (&before["total"], &before["series"]));

    // What is not as the log says is found, told, and right again.
    for damage in [
        "DELETE FROM feed WHERE activity_id = '0'",
        "UPDATE activity_minutes SET value_sum = value_sum + 1",
        "UPDATE active_quarters SET repeats = '\\x'",
    ] {
        sqlx::query(damage).execute(house.pool()).await.unwrap();
    }
    let outcome = run(house.pool(), &house.log, all(true)).await.unwrap();
    let told: Vec<(&str, &[String])> = outcome
        .projections
        .iter()
        .map(|rebuilt| (rebuilt.name.as_str(), rebuilt.differences.as_deref().unwrap()))
        .collect();
    assert!(told.iter().all(|(_, differences)| !differences.is_empty()), "{told:?}");
    assert!(told.iter().any(|(name, differences)| *name == "feed" && differences[0].starts_with("feed, only rebuilt: (")));
    let outcome = run(house.pool(), &house.log, all(true)).await.unwrap();
    assert!(outcome.projections.iter().all(|rebuilt| rebuilt.differences.as_ref().unwrap().is_empty()));
    // The one before the live one is kept as a way back, and nothing else.
    assert_eq!(tables(house.pool()).await, generations(&[3, 4]));
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
            let outcome = run(house.pool(), &house.log, all(true)).await.unwrap();
            for rebuilt in outcome.projections {
                assert_eq!(rebuilt.differences.as_deref(), Some(&[][..]), "{}", rebuilt.name);
            }
        }
        done.store(true, Ordering::SeqCst);
    };
    tokio::join!(writing, querying, rebuilding);
    house.folded().await;
    // Of the 30 in the history, 4 are redacted.
    let total = reports.body(customers[0], DAY).await["total"].as_u64().unwrap();
    assert_eq!(total, 26 + recorded.load(Ordering::SeqCst));
    let outcome = run(house.pool(), &house.log, all(true)).await.unwrap();
    assert!(outcome.projections.iter().all(|rebuilt| rebuilt.differences.as_ref().unwrap().is_empty()));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_killed_hinders_nothing() {
    let (house, reports) = House::start().await;
    let customers = [customer(), customer()];
    history(&house, &customers).await;
    let (pool, log) = (house.pool().clone(), house.log.clone());
    let (told, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let killed = tokio::spawn(async move {
        let tell = move |_| told.send(()).unwrap_or_default();
        rebuild(&pool, &log, all(false), tell).await.map(|_| ())
    });
    begun.recv().await.unwrap();
    killed.abort();
    let _ = killed.await;
    eventually("nobody holds the right to rebuild", async || {
        match run(house.pool(), &house.log, all(true)).await {
            Err(RebuildError::Busy { .. }) => false,
            outcome => {
                let projections = outcome.unwrap().projections;
                projections.iter().all(|rebuilt| rebuilt.differences.as_ref().unwrap().is_empty())
            }
        }
    })
    .await;
    let status = crate::status(house.pool()).await.unwrap();
    assert!(status.iter().all(|projection| projection.building.is_none()));
    assert_eq!(tables(house.pool()).await.len(), 12, "two generations of six tables");
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_is_rebuilt_once_at_a_time() {
    let (house, reports) = House::start().await;
    let mut other = house.pool().acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(3502, hashtext('feed'))").execute(&mut *other).await.unwrap();
    let refused = run(house.pool(), &house.log, all(false)).await.unwrap_err();
    assert!(matches!(refused, RebuildError::Busy { projection: "feed" }), "{refused}");
    let options = RebuildOptions { projections: vec!["activity".to_owned()], verify: false, parallel: 1 };
    let outcome = run(house.pool(), &house.log, options).await.unwrap();
    assert_eq!(outcome.projections.len(), 1);
    sqlx::query("SELECT pg_advisory_unlock(3502, hashtext('feed'))").execute(&mut *other).await.unwrap();
    run(house.pool(), &house.log, all(false)).await.unwrap();
    let live: Vec<(String, i32)> = crate::status(house.pool())
        .await
        .unwrap()
        .into_iter()
        .map(|projection| (projection.name, projection.generation))
        .collect();
    let expected = [("active-users", 2), ("activity", 3), ("feed", 2)];
    assert_eq!(live, expected.map(|(name, generation)| (name.to_owned(), generation)));

    let options = RebuildOptions { projections: vec!["sales".to_owned()], verify: false, parallel: 1 };
    let unknown = run(house.pool(), &house.log, options).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no projection sales; there are activity, active-users, feed");
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_has_changed_is_rebuilt_by_itself() {
    let (house, reports) = House::start().await;
    let customers = [customer()];
    history(&house, &customers).await;
    let before = reports.body(customers[0], DAY).await["total"].clone();
    reports.stop().await;
    // As if the rows had been folded by older code, which counted something else.
    for older in [
        "UPDATE projections SET version = 0 WHERE name = 'activity'",
        "DELETE FROM activity_minutes",
        "DELETE FROM activity_quarters",
    ] {
        sqlx::query(older).execute(house.pool()).await.unwrap();
    }
    house.record(customers[0], "new", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    let reports = house.reports(20).await;
    eventually("it is rebuilt", async || {
        let status = crate::status(house.pool()).await.unwrap();
        let activity = status.iter().find(|projection| projection.name == "activity").unwrap();
        (activity.version, activity.generation) == (1, 2)
    })
    .await;
    house.folded().await;
    assert_eq!(
        reports.body(customers[0], DAY).await["total"].as_i64(),
        before.as_i64().map(|total| total + 1)
    );
    let status = crate::status(house.pool()).await.unwrap();
    assert!(
        status
            .iter()
            .filter(|projection| projection.name != "activity")
            .all(|projection| projection.generation == 1)
    );
    reports.stop().await;
}
