//! `GET /v1/reports/active-users`.

use serde_json::json;

use super::folded;
use crate::support::shared;

#[tokio::test]
async fn active_users_are_counted_once_however_long_the_window() {
    let customer = shared().customer().await;
    let mut activities = Vec::new();
    for (day, actors) in
        [("2026-03-01", &["ada", "bob"][..]), ("2026-03-02", &["ada"]), ("2026-03-08", &["ada", "cyd"])]
    {
        for actor in actors {
            activities.push(json!({"type": "a", "actor": actor, "occurred_at": format!("{day}T12:00:00Z")}));
            activities.push(json!({"type": "b", "actor": actor, "occurred_at": format!("{day}T13:00:00Z")}));
        }
    }
    let answer =
        customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await.json(202);
    let path = "/v1/reports/active-users?from=2026-03-01T00:00:00Z&to=2026-03-10T00:00:00Z";
    let report = folded(&customer, path, answer["last_position"].as_i64().unwrap()).await;
    let days: Vec<_> = report["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| ["daily", "weekly", "monthly"].map(|key| day[key].as_u64().unwrap()))
        .collect();
    let mut expected = [[0, 2, 2]; 9];
    (expected[0], expected[1]) = ([2, 2, 2], [1, 2, 2]);
    // On the 8th, bob's day is more than a week ago.
    (expected[7], expected[8]) = ([2, 2, 3], [0, 2, 3]);
    assert_eq!(days, expected);
    assert_eq!(report["days"][7]["date"], "2026-03-08");
    assert!((report["days"][7]["stickiness"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
}
