//! Days of a zone, and how many hours they have.

use serde_json::json;

use super::{counts, folded};
use crate::support::{Customer, shared};

#[tokio::test]
async fn a_day_is_the_customers_own() {
    let customer = Customer::sign_up(&shared().url, "Asia/Kolkata").await;
    // 2026-03-02 in Kolkata begins at 18:30 UTC the day before.
    let activities =
        ["2026-03-01T18:29:00Z", "2026-03-01T18:30:00Z", "2026-03-02T18:29:00Z", "2026-03-02T18:30:00Z"]
            .map(|time| json!({"type": "a", "actor": time, "occurred_at": time}));
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    let position = answer["last_position"].as_i64().unwrap();
    let range = "from=2026-03-01T00:00:00Z&to=2026-03-04T00:00:00Z";
    let in_zone = |zone: &str| format!("/v1/reports/activity?{range}&interval=day&time_zone={zone}");
    let report = folded(&customer, &in_zone("Asia/Kolkata"), position).await;
    let days: Vec<_> = counts(&report).into_iter().map(|(bucket, _, count)| (bucket, count)).collect();
    assert_eq!(
        days,
        [
            ("2026-02-28T18:30:00Z".to_owned(), 1.0),
            ("2026-03-01T18:30:00Z".to_owned(), 2.0),
            ("2026-03-02T18:30:00Z".to_owned(), 1.0)
        ]
    );
    let utc = customer.api.get(&in_zone("UTC")).await.json(200);
    let days: Vec<_> = counts(&utc).into_iter().map(|(_, _, count)| count).collect();
    assert_eq!(days, [2.0, 2.0]);
    // Without one, days are those of the customer.
    let own = customer.api.get(&format!("/v1/reports/activity?{range}&interval=day")).await.json(200);
    assert_eq!(own["series"], report["series"]);
    let users = format!("/v1/reports/active-users?{range}&time_zone=Asia/Kolkata");
    let users = folded(&customer, &users, position).await;
    let daily: Vec<_> = users["days"].as_array().unwrap().iter().map(|day| &day["daily"]).collect();
    assert_eq!(daily, [&json!(1), &json!(2), &json!(1), &json!(0)]);
}

#[tokio::test]
async fn a_day_has_as_many_hours_as_the_clock_gives_it() {
    let customer = shared().customer().await;
    for (from, to, hours) in [
        // Clocks go forward in Berlin on 2026-03-29, and back on 2025-10-26.
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23),
        ("2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z", 25),
    ] {
        let of = |interval: &str| {
            format!("/v1/reports/activity?from={from}&to={to}&interval={interval}&time_zone=Europe/Berlin")
        };
        let series = async |interval: &str| {
            let report = customer.api.get(&of(interval)).await.json(200);
            report["series"].as_array().unwrap().len()
        };
        assert_eq!((series("day").await, series("hour").await), (1, hours), "{from}");
    }
}
