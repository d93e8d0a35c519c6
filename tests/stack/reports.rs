//! Reports and what they count, by their routes.

mod active_users;
mod activity;
mod callers;
mod changes;
mod etag;
mod parameters;
mod time_zones;

use serde_json::{Value, json};

use crate::support::{Customer, eventually, shared};

/// A day that is over, so that every time of it can be recorded.
const FROM: &str = "2026-03-02T00:00:00Z";

const TO: &str = "2026-03-03T00:00:00Z";

/// Records activities, each a type, an actor, a time of the day and a value; returns the last position.
async fn record(customer: &Customer, activities: &[(&str, &str, &str, Option<f64>)]) -> i64 {
    let activities: Vec<Value> = activities
        .iter()
        .enumerate()
        .map(|(n, (kind, actor, time, value))| {
            let mut activity =
                json!({"id": format!("n-{n}"), "type": kind, "actor": actor, "occurred_at": format!("2026-03-02T{time}Z")});
            if let Some(value) = value {
                activity["value"] = (*value).into();
            }
            activity
        })
        .collect();
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    assert_eq!(answer["rejected"], json!([]));
    answer["last_position"].as_i64().unwrap()
}

/// Returns a report once it knows the history up to a position.
pub(crate) async fn folded(customer: &Customer, path: &str, position: i64) -> Value {
    eventually("the report knows the history", || async {
        let report = customer.api.get(path).await.json(200);
        (report["as_of"]["position"].as_i64().unwrap() >= position).then_some(report)
    })
    .await
}

async fn last_position(customer: &Customer) -> i64 {
    let history = customer.api.get("/v1/history?limit=1000").await.json(200);
    history["items"].as_array().unwrap().last().unwrap()["position"].as_i64().unwrap()
}

fn activity(query: &str) -> String {
    format!("/v1/reports/activity?from={FROM}&to={TO}{query}")
}

/// The numbers of a series that are not 0, as bucket, group and count.
fn counts(report: &Value) -> Vec<(String, String, f64)> {
    let series = report["series"].as_array().unwrap();
    let some = series.iter().filter(|bucket| bucket["count"].as_f64().unwrap() != 0.0);
    some.map(|bucket| {
        let text = |key: &str| bucket[key].as_str().unwrap_or_default().to_owned();
        (text("bucket"), text("group"), bucket["count"].as_f64().unwrap())
    })
    .collect()
}

async fn with_a_morning() -> (Customer, i64) {
    let customer = shared().customer().await;
    let position = record(
        &customer,
        &[
            ("page.viewed", "ada", "09:00:00", None),
            ("page.viewed", "bob", "09:59:59.999999", None),
            ("order.paid", "ada", "10:00:00", Some(12.5)),
            ("page.viewed", "ada", "10:30:00", None),
            ("order.paid", "bob", "10:45:00", Some(7.5)),
        ],
    )
    .await;
    (customer, position)
}
