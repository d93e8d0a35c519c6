use domain::CustomerId;
use domain::token::Scope;
use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::{Answer, House};

async fn merge(house: &House, actor: &str, alias: &str) -> Answer {
    let body = json!({"alias": alias}).to_string();
    house.send(Method::POST, &format!("/v1/actors/{actor}/aliases"), body).await
}

async fn revert(house: &House, actor: &str, alias: &str) -> Answer {
    house.send(Method::DELETE, &format!("/v1/actors/{actor}/aliases/{alias}"), "").await
}

async fn describe(house: &House, actor: &str, traits: Value) -> Answer {
    house.send(Method::PUT, &format!("/v1/actors/{actor}"), json!({"traits": traits}).to_string()).await
}

async fn events(house: &House) -> Vec<Value> {
    house.send(Method::GET, "/v1/history?limit=1000", "").await.body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_merged_once_and_reverted_once() {
    let house = House::start().await;
    let merged = merge(&house, "ada", "a1").await;
    assert_eq!(merged.status, StatusCode::OK, "{}", merged.text);
    assert_eq!(merged.body, json!({"actor": "ada", "alias": "a1", "position": 1, "duplicate": false}));
    let again = merge(&house, "ada", "a1").await;
    assert_eq!(again.body, json!({"actor": "ada", "alias": "a1", "position": 1, "duplicate": true}));
    let elsewhere = merge(&house, "bob", "a1").await;
    assert_eq!(elsewhere.problem(), (409, "/problems/alias-merged-elsewhere"));
    assert!(elsewhere.text.contains("ada"), "{}", elsewhere.text);
    assert_eq!(merge(&house, "a1", "ada").await.problem(), (409, "/problems/merge-circle"));
    assert_eq!(merge(&house, "ada", "ada").await.pointers(), ["/alias"]);
    assert_eq!(merge(&house, "ada", "").await.problem().0, 422);
    assert_eq!(revert(&house, "bob", "a1").await.problem(), (404, "/problems/alias-not-found"));
    assert_eq!(revert(&house, "ada", "a1").await.status, StatusCode::NO_CONTENT);
    assert_eq!(revert(&house, "ada", "a1").await.problem(), (404, "/problems/alias-not-found"));
    assert_eq!(merge(&house, "bob", "a1").await.status, StatusCode::OK);
    let types: Vec<_> = events(&house).await.iter().map(|event| event["event_type"].clone()).collect();
    assert_eq!(types, ["ActorsMerged", "MergeReverted", "ActorsMerged"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customers_merges_do_not_count() {
    let house = House::start().await;
    merge(&house, "ada", "a1").await;
    let other = CustomerId(Uuid::now_v7());
    let (path, body) = ("/v1/actors/a1/aliases", json!({"alias": "ada"}).to_string());
    let answer = house.send_as(other, &[Scope::Ingest], Method::POST, path, &[], body.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    for scope in [Scope::Read, Scope::Audit] {
        let answer = house.send_as(other, &[scope], Method::POST, path, &[], body.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn traits_are_set_and_unset_and_the_history_shows_it() {
    let house = House::start().await;
    let described = describe(&house, "ada", json!({"plan": "pro", "seats": 3})).await;
    assert_eq!(
        described.body,
        json!({"actor": "ada", "traits": {"plan": "pro", "seats": 3}, "position": 1}),
        "{}",
        described.text
    );
    assert_eq!(describe(&house, "ada", json!({"seats": 3.0})).await.body["position"], 1);
    let changed = describe(&house, "ada", json!({"plan": null})).await;
    assert_eq!(changed.body, json!({"actor": "ada", "traits": {"seats": 3}, "position": 2}));
    assert_eq!(describe(&house, "bob", json!({})).await.body["position"], Value::Null);
    assert_eq!(describe(&house, "ada", json!([])).await.pointers(), ["/traits"]);
    merge(&house, "ada", "a1").await;
    house.record("x").await;
    let of_actor = house.send(Method::GET, "/v1/history?actor=a1", "").await;
    assert_eq!(of_actor.body["items"][0]["event_type"], "ActorsMerged", "{}", of_actor.text);
    assert_eq!(of_actor.body["items"][0].get("activity_id"), None);
    assert_eq!(
        house.send(Method::GET, "/v1/history?actor=ada", "").await.body["items"].as_array().unwrap().len(),
        4
    );
    let stream = format!("/v1/history/{}%2Factors%2Fada", house.customer);
    let stream_now = house.send(Method::GET, &stream, "").await;
    assert_eq!(
        stream_now.body["state"],
        json!({"traits": {"seats": 3}, "sequence": 2}),
        "{}",
        stream_now.text
    );
    let before = house.send(Method::GET, &format!("{stream}?at=1"), "").await;
    assert_eq!(before.body["state"]["traits"]["plan"], "pro");
    let merges = house.send(Method::GET, &format!("/v1/history/{}%2Fidentities", house.customer), "").await;
    assert_eq!((&merges.body["sequence"], &merges.body["state"]), (&json!(1), &Value::Null));
    for unknown in ["%2Factors%2Fnobody", "%2Fothers", "x"] {
        let path = format!("/v1/history/{}{unknown}", house.customer);
        assert_eq!(house.send(Method::GET, &path, "").await.problem(), (404, "/problems/stream-not-found"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_may_hold_any_character() {
    let house = House::start().await;
    for name in ["a/b", "aliases", "a b", "é\u{2028}", "a\nb", "%2F", "?", "#", "🙂", ":"] {
        let path: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let described = describe(&house, &path, json!({"n": 1})).await;
        assert_eq!((described.status, &described.body["actor"]), (StatusCode::OK, &json!(name)));
        let merged = merge(&house, "somebody", name).await;
        assert_eq!(merged.status, StatusCode::OK, "{}", merged.text);
        assert_eq!(revert(&house, "somebody", &path).await.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(describe(&house, "a%00", json!({})).await.problem(), (400, "/problems/invalid-path"));
}

/// The actor that each alias was merged into, by the events alone.
fn merged(events: &[Value]) -> std::collections::BTreeMap<String, String> {
    let mut merged = std::collections::BTreeMap::new();
    for event in events {
        let name = |key: &str| event["payload"][key].as_str().unwrap().to_owned();
        if event["event_type"] == "ActorsMerged" {
            assert_eq!(merged.insert(name("alias"), name("actor")), None, "merged once: {event}");
        } else {
            assert_eq!(merged.remove(&name("alias")), Some(name("actor")), "reverted once: {event}");
        }
        for start in merged.keys() {
            let mut chain = std::iter::successors(Some(start), |name| merged.get(*name));
            assert!(chain.nth(merged.len() + 1).is_none(), "a circle after {event}: {merged:?}");
        }
    }
    merged
}

#[tokio::test(flavor = "multi_thread")]
async fn of_merges_at_the_same_time_in_two_processes_none_closes_a_circle() {
    let house = House::start().await;
    let other = house.another().await;
    // Eight names in a ring, each into the next: one of the eight must be refused. And pairs in both directions.
    let ring = (0..8).map(|n| (format!("r{n}"), format!("r{}", (n + 1) % 8)));
    let pairs = (0..8).flat_map(|n| [(format!("p{n}"), format!("q{n}")), (format!("q{n}"), format!("p{n}"))]);
    let all: Vec<(String, String)> = ring.chain(pairs).collect();
    let commands = all.iter().enumerate().map(|(index, (actor, alias))| {
        let house = if index % 2 == 0 { &house } else { &other };
        async move { merge(house, actor, alias).await.status.as_u16() }
    });
    let mut statuses = join_all(commands).await;
    statuses.sort_unstable();
    let refused = statuses.iter().filter(|status| **status == 409).count();
    assert_eq!((refused, statuses.len() - refused), (9, 15), "{statuses:?}");
    assert_eq!(merged(&events(&house).await).len(), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_merges_are_decided_as_few_are() {
    let house = House::start().await;
    let other = house.another().await;
    // More than are kept in the tables at a time, and reverts among them.
    for part in 0..6 {
        let commands = (0..100).map(|n| {
            let (house, other) = (&house, &other);
            async move {
                let alias = format!("a{part}-{n}");
                let actor = format!("ada{}", n % 7);
                assert_eq!(merge(if n % 2 == 0 { house } else { other }, &actor, &alias).await.status, 200);
                if n % 10 == 0 {
                    assert_eq!(revert(other, &actor, &alias).await.status, 204);
                }
            }
        });
        join_all(commands).await;
    }
    assert_eq!(merged(&events(&house).await).len(), 540);
    let kept: i64 = sqlx::query_scalar("SELECT sequence FROM merge_snapshots WHERE customer_id = $1")
        .bind(house.customer.0)
        .fetch_one(house.database.pool())
        .await
        .unwrap();
    assert!(kept >= 256, "{kept}");
    assert_eq!(merge(&house, "bob", "a0-1").await.problem(), (409, "/problems/alias-merged-elsewhere"));
    assert_eq!(merge(&house, "a0-1", "ada1").await.problem(), (409, "/problems/merge-circle"));
    assert_eq!(revert(&other, "ada0", "a0-0").await.problem(), (404, "/problems/alias-not-found"));
    let again = merge(&house, "ada1", "a0-1").await.body;
    assert_eq!(again["duplicate"], true);
    let position = again["position"].as_i64().unwrap();
    let event = house.send(Method::GET, &format!("/v1/history?after={}&limit=1", position - 1), "").await;
    assert_eq!(event.body["items"][0]["payload"], json!({"actor": "ada1", "alias": "a0-1"}));
    // The tables are a copy: without them the same is decided.
    sqlx::query("TRUNCATE merge_snapshots, merged_actors").execute(house.database.pool()).await.unwrap();
    assert_eq!(merge(&house, "a0-1", "ada1").await.problem(), (409, "/problems/merge-circle"));
}
