//! What a correction and a redaction do to a report.

use serde_json::json;

use super::{FROM, TO, activity, counts, folded, last_position, with_a_morning};

#[tokio::test]
async fn a_correction_moves_what_it_contributed() {
    let (customer, _) = with_a_morning().await;
    // The first page view was an order, and two hours later.
    let correction = json!({"type": "order.paid", "occurred_at": "2026-03-02T11:15:00Z", "value": 1});
    customer.api.patch("/v1/activities/n-0", &correction).await.json(200);
    let position = last_position(&customer).await;
    let report = folded(&customer, &activity("&interval=hour&group_by=type"), position).await;
    let of =
        |hour: &str, group: &str, count: f64| (format!("2026-03-02T{hour}:00:00Z"), group.to_owned(), count);
    assert_eq!(report["total"], 5);
    assert_eq!(
        counts(&report),
        [
            of("09", "page.viewed", 1.0),
            of("10", "order.paid", 2.0),
            of("10", "page.viewed", 1.0),
            of("11", "order.paid", 1.0)
        ]
    );
    let feed = folded(&customer, "/v1/activities", 0).await;
    let corrected = feed["items"].as_array().unwrap().iter().find(|item| item["id"] == "n-0").unwrap();
    assert_eq!(
        (&corrected["type"], &corrected["occurred_at"]),
        (&json!("order.paid"), &json!("2026-03-02T11:15:00Z"))
    );
}

#[tokio::test]
async fn a_redaction_takes_out_what_it_contributed() {
    let (customer, _) = with_a_morning().await;
    for id in ["n-1", "n-4"] {
        assert_eq!(customer.api.delete(&format!("/v1/activities/{id}")).await.status, 204);
    }
    let position = last_position(&customer).await;
    let report = folded(&customer, &activity("&interval=day&group_by=type"), position).await;
    let counts: Vec<_> = counts(&report).into_iter().map(|(_, group, count)| (group, count)).collect();
    assert_eq!(counts, [("page.viewed".to_owned(), 2.0), ("order.paid".to_owned(), 1.0)]);
    let users = format!("/v1/reports/active-users?from={FROM}&to={TO}");
    let users = folded(&customer, &users, position).await;
    assert_eq!(users["days"][0]["daily"], 1, "nothing is left of bob: {users}");
    let feed = customer.api.get("/v1/activities").await;
    assert!(!feed.text.contains("bob"), "{}", feed.text);
}
