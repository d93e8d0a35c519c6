use std::time::Duration;

use super::house::{House, content, customer, eventually};

const AN_HOUR_MS: u64 = 60 * 60 * 1_000;

/// Lets the time of every job come.
async fn pass_time(house: &House) {
    sqlx::query("UPDATE jobs SET run_at = clock_timestamp()").execute(house.pool()).await.unwrap();
}

async fn folded(house: &House) -> i64 {
    let status = crate::status(house.pool()).await.unwrap();
    status.iter().flat_map(|projection| &projection.partitions).map(|checkpoint| checkpoint.folded).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_becomes_one_job() {
    let house = House::empty().await;
    let reports = house.reports(AN_HOUR_MS).await;
    let customer = customer();
    for number in 0..50 {
        house
            .record(customer, &number.to_string(), content("page.viewed", "ada", "2026-03-01T10:00:00Z"))
            .await;
    }
    eventually("the burst is heard of", async || !crate::jobs(house.pool()).await.unwrap().is_empty()).await;
    // Another customer's job is made by a notification that comes after those of the burst.
    let other = std::iter::repeat_with(super::house::customer)
        .find(|other| house.partition(*other) != house.partition(customer))
        .unwrap();
    house.record(other, "1", content("page.viewed", "bob", "2026-03-01T10:00:00Z")).await;
    eventually("the other is heard of", async || crate::jobs(house.pool()).await.unwrap().len() == 2).await;
    let jobs = crate::jobs(house.pool()).await.unwrap();
    let of_burst: Vec<_> = jobs.iter().filter(|job| job.partition == house.partition(customer).0).collect();
    assert_eq!(of_burst.len(), 1);
    assert_eq!((of_burst[0].attempts, of_burst[0].last_error.as_deref()), (0, None));
    assert_eq!(folded(&house).await, 0, "a job ran before its time");
    pass_time(&house).await;
    house.folded().await;
    assert_eq!(folded(&house).await, 51);
    eventually("no job is left", async || crate::jobs(house.pool()).await.unwrap().is_empty()).await;
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_survives_a_restart() {
    let house = House::empty().await;
    let reports = house.reports(AN_HOUR_MS).await;
    let customer = customer();
    house.record(customer, "1", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    eventually("a job is made", async || crate::jobs(house.pool()).await.unwrap().len() == 1).await;
    let before = crate::jobs(house.pool()).await.unwrap();
    reports.stop().await;
    let reports = house.reports(AN_HOUR_MS).await;
    pass_time(&house).await;
    // A job of the new process would be due in an hour.
    house.folded().await;
    assert_eq!(folded(&house).await, 1);
    assert_eq!(before[0].published_position, 1);
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_is_tried_again_and_recovers() {
    let (house, reports) = House::start().await;
    let customer = customer();
    sqlx::query("ALTER TABLE checkpoints RENAME TO checkpoints_away").execute(house.pool()).await.unwrap();
    sqlx::query("INSERT INTO jobs (partition, run_at, published_position) VALUES ($1, now(), 1)")
        .bind(i32::from(house.partition(customer).0))
        .execute(house.pool())
        .await
        .unwrap();
    house.record(customer, "1", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    eventually("the job has failed twice", async || {
        crate::jobs(house.pool())
            .await
            .unwrap()
            .iter()
            .any(|job| job.attempts >= 2 && job.last_error.is_some())
    })
    .await;
    sqlx::query("ALTER TABLE checkpoints_away RENAME TO checkpoints").execute(house.pool()).await.unwrap();
    house.folded().await;
    assert_eq!(folded(&house).await, 1);
    eventually("no job is left", async || crate::jobs(house.pool()).await.unwrap().is_empty()).await;
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_fold_each_event_once() {
    let house = House::empty().await;
    let processes = [house.reports(5).await, house.reports(5).await, house.reports(5).await];
    let customers: Vec<_> = (0..8).map(|_| customer()).collect();
    let mut recorded = 0;
    for round in 0..40 {
        for customer in &customers {
            let content = content("page.viewed", &format!("actor {}", round % 7), "2026-03-01T10:00:00Z");
            house.record(*customer, &round.to_string(), content).await;
            recorded += 1;
        }
    }
    house.folded().await;
    assert_eq!(folded(&house).await, recorded);
    let path = "/v1/reports/activity?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z";
    for customer in &customers {
        for reports in &processes {
            assert_eq!(reports.body(*customer, path).await["total"], 40);
        }
    }
    for reports in processes {
        reports.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_while_reports_is_away_is_folded_when_it_is_back() {
    let (house, reports) = House::start().await;
    reports.stop().await;
    let customer = customer();
    house.record(customer, "1", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    let reports = house.reports(1).await;
    house.folded().await;
    eventually("nothing is left to wait for", async || {
        reports.body(customer, "/v1/activities").await["lag_ms"] == 0
    })
    .await;
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_is_never_folded_over() {
    let (house, reports) = House::start().await;
    let customer = customer();
    house.record(customer, "1", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    // As if position 2 had got lost on the way: what comes next does not fit the checkpoint.
    house.record(customer, "2", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    let back =
        "UPDATE checkpoints SET position = 0, folded = 0 WHERE projection = 'activities' AND partition = $1";
    let partition = i32::from(house.partition(customer).0);
    reports.stop().await;
    sqlx::query(back).bind(partition).execute(house.pool()).await.unwrap();
    let events = house.log.read(house.partition(customer), 1, 10).await.unwrap();
    let page = crate::fold::Page::decode(&events);
    let mut transaction = house.pool().begin().await.unwrap();
    let live = crate::fold::lock_live(&mut transaction, house.partition(customer)).await.unwrap();
    let error = page.fold(&mut transaction, &house.folder(), &mut live.unwrap()).await.unwrap_err();
    assert_eq!(error.to_string(), "position 1 is missing: 2 follows 0");
    transaction.commit().await.unwrap();
    let position: i64 = sqlx::query_scalar("SELECT min(position) FROM checkpoints WHERE partition = $1")
        .bind(partition)
        .fetch_one(house.pool())
        .await
        .unwrap();
    assert_eq!(position, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activity_is_visible_soon_after_the_fold_delay() {
    let house = House::empty().await;
    let reports = house.reports(200).await;
    let customer = customer();
    house.record(customer, "warm", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    let begin = std::time::Instant::now();
    house.record(customer, "1", content("page.viewed", "ada", "2026-03-01T10:00:00Z")).await;
    house.folded().await;
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(150), "the delay was not kept: {took:?}");
    // The promise is 300 ms on a machine that does nothing else; here other tests run at the same time.
    assert!(took < Duration::from_secs(5), "{took:?}");
    reports.stop().await;
}
