//! `daybook status`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{settled, write};
use crate::support::{Stack, eventually};

#[tokio::test]
async fn status_accounts_for_every_event() {
    let stack = Stack::start();
    let mut written = 0;
    for _ in 0..3 {
        written += write(&stack.customer().await, 0, 100).await;
    }
    let status = settled(&stack).await;
    assert_eq!(status["healthy"], true, "{status}");
    let log = status["logs"].as_array().unwrap().iter().find(|log| log["name"] == "activities").unwrap();
    assert_eq!((&log["events"], &log["unpublished"]), (&json!(written), &json!(0)), "{log}");
    assert_eq!(log["partitions"].as_array().unwrap().len(), 16);
    let names: Vec<_> = status["projections"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, [&json!("activities")]);
    for projection in status["projections"].as_array().unwrap() {
        let [appended, folded, dead] =
            ["appended", "folded", "dead_lettered"].map(|key| projection[key].as_u64().unwrap());
        assert_eq!((appended, dead), (written as u64, 0), "{projection}");
        assert_eq!(folded + dead, appended, "{projection}");
        assert_eq!(projection["accounted_for"], true, "{projection}");
    }
    let table = stack.operate(&["status"]).await;
    assert_eq!(table.code, Some(0));
    assert!(table.out.contains("Everything is accounted for."), "{}", table.out);
}

#[tokio::test]
async fn status_shows_the_one_delayed_job_that_a_burst_becomes() {
    let stack = Stack::start_with(&[], &[("DAYBOOK_FOLD_DELAY_MS", "3600000")]);
    let customer = stack.customer().await;
    write(&customer, 0, 100).await;
    let status = eventually("a job is there", || async {
        let finished = stack.operate(&["status", "--json"]).await;
        let status: Value = serde_json::from_str(&finished.out).unwrap();
        (!status["jobs"].as_array().unwrap().is_empty()).then_some(status)
    })
    .await;
    assert_eq!(status["jobs"].as_array().unwrap().len(), 1, "{status}");
    let job = &status["jobs"][0];
    assert_eq!((&job["attempts"], &job["last_error"]), (&json!(0), &Value::Null), "{job}");
    let due: chrono::DateTime<chrono::Utc> = job["run_at"].as_str().unwrap().parse().unwrap();
    assert!(due > chrono::Utc::now() + Duration::from_mins(50), "{job}");
    let seen = customer.api.get("/v1/projections").await.json(200);
    assert_eq!((&seen["partition"], &seen["job"]["run_at"]), (&job["partition"], &job["run_at"]), "{seen}");
    let table = stack.operate(&["status"]).await.out;
    assert!(table.contains("JOB OF"), "{table}");
}
