use std::time::{Duration, Instant};

use domain::token::TokenSecret;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{Answer, House, Owner};

async fn validate(house: &House, secret: &str) -> Value {
    let hash = TokenSecret::parse(secret).unwrap().hash();
    house.ask("/internal/tokens/validate", json!({"sha256": hash})).await
}

async fn rotate(house: &House, owner: &Owner, id: &str, body: Value) -> Answer {
    house.send(Method::POST, &format!("/v1/tokens/{id}/rotate"), &owner.headers(), body).await
}

async fn history(house: &House, owner: &Owner, id: &str) -> Value {
    let path = format!("/v1/tokens/{id}/history");
    house.send(Method::GET, &path, &owner.headers(), Value::Null).await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_works_beside_its_successor_for_the_overlap() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let (id, old) = house.issue(&owner, json!(["admin", "read"])).await;
    let rotated = rotate(&house, &owner, &id, json!({"overlap_s": 3600})).await;
    assert_eq!(rotated.status, StatusCode::CREATED, "{}", rotated.body);
    assert_eq!((&rotated.body["name"], &rotated.body["scopes"]), (&json!("ci"), &json!(["read", "admin"])));
    assert_eq!((&rotated.body["replaces"], &rotated.body["expires_at"]), (&json!(id), &Value::Null));
    let new = rotated.body["token"].as_str().unwrap();
    assert_ne!(new, old);
    for secret in [&old, new] {
        assert!(validate(&house, secret).await.get("valid").is_some());
    }
    let ends_at: chrono::DateTime<chrono::Utc> =
        validate(&house, &old).await["valid"]["expires_at"].as_str().unwrap().parse().unwrap();
    let left = (ends_at - chrono::Utc::now()).num_seconds();
    assert!((3_500..=3_600).contains(&left), "{left}");

    // A token already cached here ends at once when there is no overlap.
    let bearer = format!("Bearer {new}");
    let list = async || {
        house.send(Method::GET, "/v1/tokens", &[("authorization", &bearer)], Value::Null).await.status
    };
    assert_eq!(list().await, StatusCode::OK);
    let new_id = rotated.body["id"].as_str().unwrap();
    assert_eq!(rotate(&house, &owner, new_id, json!({"overlap_s": 0})).await.status, StatusCode::CREATED);
    assert_eq!(validate(&house, new).await, json!({"refused": "expired"}));
    assert_eq!(list().await, StatusCode::UNAUTHORIZED);
    let again = rotate(&house, &owner, new_id, json!({})).await;
    assert_eq!(again.problem(), (409, "/problems/token-expired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_successor_lives_as_long_as_its_token_was_given() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let expires_at = chrono::Utc::now() + chrono::TimeDelta::days(30);
    let body = json!({"name": "ci", "scopes": ["read"], "expires_at": expires_at});
    let issued = house.send(Method::POST, "/v1/tokens", &owner.headers(), body).await;
    let rotated = rotate(&house, &owner, issued.body["id"].as_str().unwrap(), json!({})).await;
    let end: chrono::DateTime<chrono::Utc> = rotated.body["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(end >= expires_at && end - expires_at < chrono::TimeDelta::minutes(1), "{end}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_rotated_is_told() {
    let house = House::start().await;
    let ada = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let bob = Owner::of(&house, &house.sign_up("bob@example.com").await).await;
    let (id, _) = house.issue(&ada, json!(["read"])).await;
    assert_eq!(rotate(&house, &bob, &id, json!({})).await.problem(), (404, "/problems/token-not-found"));
    assert_eq!(rotate(&house, &ada, "x", json!({})).await.problem(), (404, "/problems/token-not-found"));
    for body in [json!({"overlap_s": 2_592_001}), json!({"overlap_s": -1}), json!({"overlap": 1})] {
        assert_eq!(rotate(&house, &ada, &id, body).await.problem().0, 422);
    }
    house.send(Method::DELETE, &format!("/v1/tokens/{id}"), &ada.headers(), Value::Null).await;
    assert_eq!(rotate(&house, &ada, &id, json!({})).await.problem(), (409, "/problems/token-revoked"));
    let list = house.send(Method::GET, "/v1/tokens", &ada.headers(), Value::Null).await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "no successor without a rotation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_says_who_made_used_and_ended_a_token() {
    let house = House::start().await;
    let signed_up = house.sign_up("ada@example.com").await;
    let owner = Owner::of(&house, &signed_up).await;
    let (admin_id, admin) = house.issue(&owner, json!(["admin", "read"])).await;
    let (id, secret) = house.issue(&owner, json!(["read"])).await;
    let rotated = rotate(&house, &owner, &id, json!({"overlap_s": 60})).await;
    let bearer = format!("Bearer {admin}");
    let path = format!("/v1/tokens/{id}");
    house.send(Method::DELETE, &path, &[("authorization", &bearer)], Value::Null).await;

    let history = history(&house, &owner, &id).await;
    let member = json!({"kind": "member", "id": signed_up.body["member"]["id"], "name": "ada@example.com"});
    let events = history["events"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["issued", "rotated", "revoked"]);
    assert_eq!((&events[0]["by"], &events[1]["by"]), (&member, &member));
    assert_eq!(events[1]["successor"], rotated.body["id"]);
    assert_eq!(events[2]["by"], json!({"kind": "token", "id": admin_id, "name": "ci"}));
    assert_eq!(events[2]["request_id"], "r-1");
    assert_eq!(history["uses"], json!({"first_used_at": null, "last_used_at": null, "addresses": []}));
    assert!(!history.to_string().contains(&secret[8..]));

    let bob = Owner::of(&house, &house.sign_up("bob@example.com").await).await;
    let foreign = house.send(Method::GET, &format!("{path}/history"), &bob.headers(), Value::Null).await;
    assert_eq!(foreign.problem(), (404, "/problems/token-not-found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn uses_are_noted_as_edges_tell_them() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let (id, _) = house.issue(&owner, json!(["read"])).await;
    let told = |address: Value, first: &str, last: &str| {
        let time = |clock: &str| format!("2026-03-01T{clock}Z");
        json!({"token_id": id, "address": address, "first_used_at": time(first), "last_used_at": time(last)})
    };
    let uses =
        [told(json!("10.0.0.1"), "12:00:00", "12:10:00"), told(json!("10.0.0.2"), "12:05:00", "12:05:00")];
    for _ in 0..2 {
        let heard = house.ask("/internal/tokens/uses", json!({"uses": uses})).await;
        assert_eq!(heard, json!({"noted": 2}));
    }
    house.ask("/internal/tokens/uses", json!({"uses": [told(Value::Null, "11:00:00", "13:00:00")]})).await;
    // Less than a minute later: nothing is written.
    house.ask("/internal/tokens/uses", json!({"uses": [told(Value::Null, "13:00:30", "13:00:30")]})).await;
    let known = history(&house, &owner, &id).await["uses"].clone();
    assert_eq!(
        (&known["first_used_at"], &known["last_used_at"]),
        (&json!("2026-03-01T11:00:00Z"), &json!("2026-03-01T13:00:00Z"))
    );
    let addresses: Vec<_> =
        known["addresses"].as_array().unwrap().iter().map(|one| &one["address"]).collect();
    assert_eq!(addresses, ["10.0.0.1", "10.0.0.2"]);
    let outsider = house.send(Method::POST, "/internal/tokens/uses", &[], json!({"uses": []})).await;
    assert_eq!(outsider.problem(), (404, "/problems/not-found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_use_is_noted_with_the_address_that_the_gateway_saw() {
    let house = House::start().await;
    let owner = Owner::of(&house, &house.sign_up("ada@example.com").await).await;
    let (id, secret) = house.issue(&owner, json!(["admin"])).await;
    let bearer = format!("Bearer {secret}");
    let claimed = [("authorization", bearer.as_str()), ("x-forwarded-for", "10.6.6.6")];
    let seen = [claimed[0], ("x-forwarded-for", "10.0.0.9"), ("x-daybook-internal-key", super::house::KEY)];
    for headers in [&claimed[..], &seen[..]] {
        assert_eq!(house.send(Method::GET, "/v1/tokens", headers, Value::Null).await.status, StatusCode::OK);
    }
    let begin = Instant::now();
    let uses = loop {
        let uses = history(&house, &owner, &id).await["uses"].clone();
        if uses["last_used_at"].is_string() {
            break uses;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "the use was never noted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let addresses: Vec<_> = uses["addresses"].as_array().unwrap().iter().map(|one| &one["address"]).collect();
    assert_eq!(addresses, ["10.0.0.9"], "a client's own claim counts for nothing");
}
