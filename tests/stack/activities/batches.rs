use insta::assert_json_snapshot;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Customer, shared};

async fn batch(customer: &Customer, activities: &[Value]) -> Answer {
    customer.api.post("/v1/activities/batch", &json!({"activities": activities})).await
}

fn viewed(id: &str) -> Value {
    json!({"id": id, "type": "page.viewed", "actor": "ada"})
}

/// The ids of a customer's history, in order.
async fn recorded(customer: &Customer) -> Vec<String> {
    let history = customer.api.get("/v1/history?limit=1000").await.json(200);
    assert_eq!(history["next_cursor"], Value::Null, "more than a page");
    let id = |event: &Value| event["activity_id"].as_str().unwrap().to_owned();
    history["items"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn a_batch_is_recorded_in_its_order() {
    let customer = shared().customer().await;
    let ids: Vec<String> = (0..1_000).map(|n| format!("item-{n}")).collect();
    let activities: Vec<Value> = ids.iter().map(|id| viewed(id)).collect();
    let answer = batch(&customer, &activities).await.json(202);
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(1000), &json!(0)), "{answer}");
    assert_eq!(answer["rejected"], json!([]));
    let [first, last] = ["first_position", "last_position"].map(|key| answer[key].as_i64().unwrap());
    assert!(last - first >= 999, "{answer}");
    assert_eq!(recorded(&customer).await, ids);
    let again = batch(&customer, &activities).await.json(202);
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(1000)), "{again}");
    assert_eq!((&again["first_position"], &again["last_position"]), (&Value::Null, &Value::Null));
    assert_eq!(recorded(&customer).await.len(), 1_000, "something was recorded twice");
}

#[tokio::test]
async fn a_bad_item_is_named_and_costs_the_others_nothing() {
    let customer = shared().customer().await;
    customer.api.record(&viewed("known")).await;
    customer.api.record(&viewed("other")).await;
    let body = r#"{"activities":[
        {"id":"good","type":"page.viewed","actor":"ada"},
        7,
        {"type":"page\n","actor":""},
        {"type":"a","actor":"b","colour":"red"},
        {"id":"known","type":"page.viewed","actor":"ada"},
        {"id":"other","type":"page.left","actor":"ada"},
        {"type":"a","actor":"b","properties":{"n":1e999}},
        {"type":"a","actor":"b","context":{"n":1,"n":2}},
        {"type":"a","actor":"\ud800"},
        {"id":"last","type":"page.viewed","actor":"ada"}
    ]}"#;
    let headers = [("content-type", "application/json")];
    let answer = customer.api.post_raw("/v1/activities/batch", &headers, body).await.json(202);
    assert_json_snapshot!("partly", answer, {".first_position" => "[position]", ".last_position" => "[position]"});
    assert_eq!(recorded(&customer).await, ["known", "other", "good", "last"]);
}

#[tokio::test]
async fn an_id_twice_in_a_batch_is_a_duplicate_or_a_conflict() {
    let customer = shared().customer().await;
    let other = json!({"id": "a", "type": "page.left", "actor": "ada"});
    let answer = batch(&customer, &[viewed("a"), viewed("a"), other, viewed("b")]).await.json(202);
    assert_eq!((&answer["accepted"], &answer["duplicates"]), (&json!(2), &json!(1)), "{answer}");
    assert_eq!(answer["rejected"][0]["index"], 2);
    assert_eq!(answer["rejected"][0]["errors"][0]["pointer"], "/id");
    assert_eq!(recorded(&customer).await, ["a", "b"]);
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_recorded_is_refused_as_a_whole() {
    let customer = shared().customer().await;
    let answer = batch(&customer, &[json!({"type": "a ", "actor": "b"}), json!({"type": "a"})]).await;
    assert_eq!(answer.pointers(), ["/activities/0/type", "/activities/1/actor"]);
    assert_json_snapshot!("nothing", answer.json(422), {".instance" => "[request]"});
    assert_eq!(recorded(&customer).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_has_1_to_1000_activities() {
    let customer = shared().customer().await;
    let too_many: Vec<Value> = (0..1_001).map(|_| viewed(&Uuid::now_v7().to_string())).collect();
    for activities in [&too_many[..], &[]] {
        assert_eq!(batch(&customer, activities).await.pointers(), ["/activities"]);
    }
    for (body, pointer) in [
        (json!({}), "/activities"),
        (json!({"activities": 7}), "/activities"),
        (json!({"activities": [], "more": []}), "/more"),
        (json!([]), ""),
    ] {
        assert_eq!(customer.api.post("/v1/activities/batch", &body).await.pointers(), [pointer], "{body}");
    }
    let headers = [("content-type", "application/json")];
    let answer = customer.api.post_raw("/v1/activities/batch", &headers, r#"{"activities":[{"#).await;
    answer.problem(400, "malformed-json");
    assert_eq!(recorded(&customer).await, Vec::<String>::new());
}
