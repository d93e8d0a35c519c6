use http::{Method, StatusCode};
use serde_json::json;

use super::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn each_item_gets_its_own_result() {
    let house = House::start().await;
    house.record("known").await;
    let body = json!({"activities": [
        {"id": "new-1", "type": "t", "actor": "ada"},
        {"id": "known", "type": "order.paid", "actor": "ada", "value": 12.5},
        {"id": "known", "type": "order.paid", "actor": "ada", "value": 13},
        {"id": "bad", "type": "t ", "actor": "ada"},
        {"id": "new-1", "type": "t", "actor": "ada"},
        {"id": "new-2", "type": "t", "actor": "ada"},
    ]});
    let answer = house.send(Method::POST, "/v1/activities/batch", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(
        answer.body,
        json!({
            "accepted": 2, "duplicates": 2, "first_position": 2, "last_position": 3,
            "rejected": [
                {"index": 2, "errors": [{"pointer": "/id",
                 "detail": "activity-id-reused: an activity with this id and other content is recorded"}]},
                {"index": 3, "errors": [{"pointer": "/type", "detail": "must not begin or end with white space"}]},
            ],
        })
    );
    let again = house.send(Method::POST, "/v1/activities/batch", body.to_string()).await;
    assert_eq!((&again.body["accepted"], &again.body["duplicates"]), (&json!(0), &json!(4)));
    assert_eq!(again.body["first_position"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_which_every_item_is_bad_is_refused() {
    let house = House::start().await;
    for (body, pointers) in [
        (
            r#"{"activities":[{"type":"t ","actor":"a"},{"type":"t"}]}"#,
            vec!["/activities/0/type", "/activities/1/actor"],
        ),
        (r#"{"activities":[]}"#, vec!["/activities"]),
        (r#"{"activities":7}"#, vec!["/activities"]),
        (r#"{"activities":[{"type":"t","actor":"a"}],"more":1}"#, vec!["/more"]),
        ("{}", vec!["/activities"]),
    ] {
        let answer = house.send(Method::POST, "/v1/activities/batch", body).await;
        assert_eq!(
            (answer.problem(), answer.pointers()),
            ((422, "/problems/invalid-content"), pointers),
            "{body}"
        );
    }
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(house.database.pool()).await.unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_batch_is_recorded_in_order_and_without_a_gap() {
    let house = House::start().await;
    let text = "x".repeat(500);
    let items: Vec<_> = (0..1_000)
        .map(|n| json!({"id": format!("a-{n}"), "type": "t", "actor": "ada", "properties": {"text": text}}))
        .collect();
    let body = json!({"activities": items}).to_string();
    let answer = house.send(Method::POST, "/v1/activities/batch", body).await;
    assert_eq!(answer.body["accepted"], 1_000, "{}", answer.text);
    assert_eq!((&answer.body["first_position"], &answer.body["last_position"]), (&json!(1), &json!(1_000)));
    let order: Vec<String> = sqlx::query_scalar("SELECT aggregate_id FROM events ORDER BY position")
        .fetch_all(house.database.pool())
        .await
        .unwrap();
    let expected: Vec<String> = (0..1_000).map(|n| format!("{}:a-{n}", house.customer)).collect();
    assert_eq!(order, expected);
}
