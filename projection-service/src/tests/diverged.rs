//! A log that was set back to an older backup, under a read model that has read on.

use std::time::Duration;

use domain::CustomerId;
use http::StatusCode;
use sqlx::Executor;

use super::house::{House, content, customer, eventually};
use crate::{Differences, RebuildError, RebuildOptions, rebuild, roll_back};

const DAY: &str = "/v1/reports/activity?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z";
const TIME: &str = "2026-03-01T10:00:00Z";

fn options(verify: bool) -> RebuildOptions {
    RebuildOptions { verify, parallel: 1, load_max: None }
}

/// Sets a customer's partition back as the restore of an older backup does, for which the triggers do not exist.
async fn set_back(house: &House, customer: CustomerId, to: i64) {
    let mut connection = house.log.pool().acquire().await.unwrap();
    connection.execute("SET session_replication_role = replica").await.unwrap();
    for statement in [
        "DELETE FROM events WHERE partition = $1 AND position > $2",
        "UPDATE log_head SET position = $2 WHERE partition = $1",
        "UPDATE relay_position SET position = least(position, $2), log_id = NULL, event_position = NULL, event_id = NULL,
                recorded_at = NULL WHERE partition = $1",
    ] {
        let partition = i32::from(house.partition(customer).0);
        sqlx::query(statement).bind(partition).bind(to).execute(&mut *connection).await.unwrap();
    }
    connection.execute("SET session_replication_role = DEFAULT").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_set_back_and_has_gone_on_is_not_folded_until_a_rebuild() {
    let (house, reports) = House::start().await;
    let customer = customer();
    for number in 0..10 {
        house.record(customer, &format!("old {number}"), content("page.viewed", "ada", TIME)).await;
    }
    house.folded().await;
    rebuild(house.pool(), &house.log, options(false), |_| {}).await.unwrap();
    assert_eq!(crate::diverged(house.pool(), &house.log).await.unwrap(), []);
    assert_eq!(reports.ready().await.0, StatusCode::OK);

    set_back(&house, customer, 5).await;
    let diverged = crate::diverged(house.pool(), &house.log).await.unwrap();
    assert!(diverged[0].1.to_string().contains("ends before position 10"), "{diverged:?}");
    for number in 0..9 {
        house.record(customer, &format!("new {number}"), content("page.left", "bob", TIME)).await;
    }
    // Its position is past the checkpoint's by now.
    assert_eq!(house.head(customer).await, 14);
    eventually("the job says why it does not fold", async || {
        let jobs = crate::jobs(house.pool()).await.unwrap();
        let error = jobs.first().and_then(|job| job.last_error.clone()).unwrap_or_default();
        error.contains("position 10") && error.contains("daybook rebuild")
    })
    .await;
    let total = reports.body(customer, DAY).await["total"].clone();
    assert_eq!(total, 10, "something of the other history was folded");
    let (status, body) = reports.ready().await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("daybook rebuild"), "{body}");
    let refused = roll_back(house.pool(), &house.log, options(false), |_| {}).await.unwrap_err();
    assert!(matches!(refused, RebuildError::Diverged { .. }), "{refused}");

    let rebuilt = rebuild(house.pool(), &house.log, options(true), |_| {}).await.unwrap();
    assert_eq!(rebuilt.differences.map(|differences| differences.count), Some(1));
    assert_eq!(rebuilt.events, 14);
    assert_eq!(reports.body(customer, DAY).await["total"], 14);
    assert_eq!(reports.ready().await.0, StatusCode::OK);
    house.record(customer, "newer", content("page.left", "bob", TIME)).await;
    tokio::time::timeout(Duration::from_mins(1), house.folded()).await.unwrap();
    let rebuilt = rebuild(house.pool(), &house.log, options(true), |_| {}).await.unwrap();
    assert_eq!(rebuilt.differences, Some(Differences::default()));
    reports.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_is_not_folded() {
    let (house, reports) = House::start().await;
    let customer = customer();
    house.record(customer, "1", content("page.viewed", "ada", TIME)).await;
    house.folded().await;
    reports.stop().await;
    sqlx::query("UPDATE checkpoints SET log_id = gen_random_uuid() WHERE position > 0")
        .execute(house.pool())
        .await
        .unwrap();
    house.record(customer, "2", content("page.viewed", "ada", TIME)).await;
    let reports = house.reports(20).await;
    assert_eq!(reports.ready().await.0, StatusCode::SERVICE_UNAVAILABLE);
    eventually("the job says why it does not fold", async || {
        let jobs = crate::jobs(house.pool()).await.unwrap();
        jobs.first()
            .and_then(|job| job.last_error.clone())
            .is_some_and(|error| error.contains("this is the log"))
    })
    .await;
    rebuild(house.pool(), &house.log, options(false), |_| {}).await.unwrap();
    assert_eq!(reports.body(customer, DAY).await["total"], 2);
    reports.stop().await;
}
