use std::time::{Duration, Instant};

use domain::token::TokenSecret;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{House, Owner};

async fn validate(house: &House, secret: &str) -> Value {
    let hash = TokenSecret::parse(secret).unwrap().hash();
    house.ask("/internal/tokens/validate", json!({"sha256": hash})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lets_in_until_it_is_revoked() {
    let house = House::start().await;
    let signed_up = house.sign_up("ada@example.com").await;
    let owner = Owner::of(&house, &signed_up).await;
    let (id, secret) = house.issue(&owner, json!(["ingest", "admin", "ingest"])).await;

    let verdict = validate(&house, &secret).await;
    let principal = &verdict["valid"]["principal"];
    assert_eq!(principal["customer_id"], signed_up.body["id"]);
    assert_eq!(principal["subject"], json!({"token": id}));
    assert_eq!(principal["scopes"], json!(["ingest", "admin"]));

    let bearer = format!("Bearer {secret}");
    let bearer = [("authorization", bearer.as_str())];
    let list = async || house.send(Method::GET, "/v1/tokens", &bearer, Value::Null).await;
    let begin = Instant::now();
    let item = loop {
        // The use is told in the background.
        let item = list().await.body["items"][0].clone();
        if item["last_used_at"].is_string() {
            break item;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "the use was never noted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&item["id"], &item["revoked_at"]), (&json!(id), &Value::Null));
    assert!(item.get("token").is_none(), "{item}");
    assert_eq!(item["prefix"], secret[..8]);

    let path = format!("/v1/tokens/{id}");
    for _ in 0..2 {
        let revoked = house.send(Method::DELETE, &path, &owner.headers(), Value::Null).await;
        assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(validate(&house, &secret).await, json!({"refused": "revoked"}));
    assert_eq!(list().await.problem(), (401, "/problems/token-revoked"));
    let unknown = TokenSecret::make(|below| below - 1);
    assert_eq!(validate(&house, unknown.reveal()).await, json!({"refused": "unknown"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customers_tokens_do_not_exist() {
    let house = House::start().await;
    let ada = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let bob = Owner::of(&house, &house.sign_up("bob@example.com").await).await;
    let (id, secret) = house.issue(&ada, json!(["ingest"])).await;
    for path in [format!("/v1/tokens/{id}"), "/v1/tokens/x".to_owned()] {
        let refused = house.send(Method::DELETE, &path, &bob.headers(), Value::Null).await;
        assert_eq!(refused.problem(), (404, "/problems/token-not-found"));
    }
    let no_text = house.send(Method::DELETE, "/v1/tokens/%FF", &bob.headers(), Value::Null).await;
    assert_eq!(no_text.problem(), (400, "/problems/invalid-path"));
    let list = house.send(Method::GET, "/v1/tokens", &bob.headers(), Value::Null).await;
    assert_eq!((&list.body["items"], &list.body["next_cursor"]), (&json!([]), &Value::Null));
    assert!(validate(&house, &secret).await.get("valid").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_gives_no_scope_that_it_does_not_have() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let issue = async |secret: &str, scopes: Value| {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", bearer.as_str())];
        house.send(Method::POST, "/v1/tokens", &headers, json!({"name": "ci", "scopes": scopes})).await
    };
    let (_, admin) = house.issue(&owner, json!(["admin"])).await;
    let (_, ingest) = house.issue(&owner, json!(["ingest"])).await;
    assert_eq!(issue(&admin, json!(["admin"])).await.status, StatusCode::CREATED);
    for (secret, scopes) in [(&admin, json!(["admin", "ingest"])), (&ingest, json!(["ingest"]))] {
        assert_eq!(issue(secret, scopes).await.problem(), (403, "/problems/scope-missing"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_token_is_named() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let cases = [
        (
            json!({"name": " ", "scopes": [], "expires_at": "2020-01-01T00:00:00Z"}),
            vec!["/name", "/scopes", "/expires_at"],
        ),
        (json!({"name": "ci", "scopes": ["ingest", "root"]}), vec!["/scopes/1"]),
        (json!({"name": "ci", "scopes": ["ingest"], "expires_at": "soon"}), vec!["/expires_at"]),
        (json!({"name": "ci", "scopes": ["ingest"], "color": "red"}), vec!["/color"]),
    ];
    for (body, pointers) in cases {
        let answer = house.send(Method::POST, "/v1/tokens", &owner.headers(), body).await;
        assert_eq!((answer.problem().0, answer.pointers()), (422, pointers), "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_listed_in_pages_the_newest_first() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let mut issued = Vec::new();
    for _ in 0..3 {
        issued.insert(0, house.issue(&owner, json!(["read"])).await.0);
    }
    let page = async |query: &str| {
        house.send(Method::GET, &format!("/v1/tokens?{query}"), &owner.headers(), Value::Null).await
    };
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = page("limit=2").await.body;
    assert_eq!(ids(&first), issued[..2]);
    let second = page(&format!("limit=2&cursor={}", first["next_cursor"].as_str().unwrap())).await.body;
    assert_eq!((ids(&second), &second["next_cursor"]), (issued[2..].to_vec(), &Value::Null));
    for query in ["limit=0", "limit=1001", "limit=x", "cursor=x", "page=2"] {
        assert_eq!(page(query).await.problem(), (400, "/problems/invalid-query"), "{query}");
    }
}

#[test]
fn every_operation_is_documented() {
    let document = serde_json::to_value(crate::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string() && operation["description"].is_string(), "{place}");
            assert!(operation["security"].is_array() && operation["tags"].is_array(), "{place}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(status.starts_with(['4', '5']), is_problem, "{place} {status}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_processes_hear_of_a_revocation() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let (id, secret) = house.issue(&owner, json!(["admin"])).await;
    let other = house.another().await;
    let bearer = format!("Bearer {secret}");
    let list = async || {
        other.send(Method::GET, "/v1/tokens", &[("authorization", &bearer)], Value::Null).await.status
    };
    assert_eq!(list().await, StatusCode::OK);
    // From here on the other process answers from its cache until the log tells it.
    house.send(Method::DELETE, &format!("/v1/tokens/{id}"), &owner.headers(), Value::Null).await;
    let begin = Instant::now();
    while list().await != StatusCode::UNAUTHORIZED {
        assert!(begin.elapsed() < Duration::from_secs(10), "the revocation was never heard of");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
