//! API3: properties are written that are not the caller's to write, and read that are nobody's to read.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Person, invite, send, shared};

#[tokio::test]
async fn nobody_writes_what_the_system_decides() {
    let customer = shared().customer().await;
    let activity = json!({"id": "a", "type": "page.viewed", "actor": "ada"});
    customer.api.record(&activity).await;
    let person = Person::joined(shared(), &customer, "analyst").await;
    let member = format!("/v1/members/{}", person.id);
    let token = customer.issue(&["read"]).await;
    let rotate = format!("/v1/tokens/{}/rotate", token["id"].as_str().unwrap());
    let sign_up =
        json!({"name": "E", "email": "eve-writes@example.com", "password": "correct horse battery"});
    let invitation = json!({"email": "eve-writes@example.com", "role": "analyst"});
    let new_token = json!({"name": "mine", "scopes": ["read"]});
    let attacks = [
        (Method::POST, "/v1/activities", activity.clone(), "customer_id"),
        (Method::POST, "/v1/activities", activity.clone(), "position"),
        (Method::POST, "/v1/activities", activity.clone(), "recorded_at"),
        (Method::PATCH, "/v1/activities/a", json!({"value": 1}), "actor"),
        (Method::PATCH, "/v1/activities/a", json!({"value": 1}), "id"),
        (Method::PATCH, "/v1/activities/a", json!({"value": 1}), "sequence"),
        (Method::POST, "/v1/customers", sign_up.clone(), "id"),
        (Method::POST, "/v1/customers", sign_up, "role"),
        (Method::PATCH, "/v1/customers/self", json!({"time_zone": "UTC"}), "id"),
        (Method::POST, "/v1/members", invitation.clone(), "customer_id"),
        (Method::POST, "/v1/members", invitation, "password"),
        (Method::PATCH, &member, json!({"role": "analyst"}), "email"),
        (Method::PATCH, &member, json!({"role": "analyst"}), "customer_id"),
        (Method::POST, "/v1/tokens", new_token.clone(), "token"),
        (Method::POST, "/v1/tokens", new_token, "customer_id"),
        (Method::POST, &rotate, json!({"overlap_s": 60}), "scopes"),
    ];
    for (method, path, mut body, property) in attacks {
        body[property] = json!("mine");
        let answer = send(customer.api.request(method.clone(), path).json(&body)).await;
        assert_eq!(answer.pointers(), [format!("/{property}")], "{method} {path}");
    }
    let stands = customer.api.get("/v1/activities/a").await.json(200);
    assert_eq!((&stands["actor"], &stands["sequence"]), (&json!("ada"), &json!(1)), "{stands}");
}

/// Every text in an answer, keys included.
fn words(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                found.push(key.clone());
                words(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| words(item, found)),
        Value::String(text) => found.push(text.clone()),
        _ => {}
    }
}

#[tokio::test]
async fn nobody_reads_a_secret_twice() {
    let customer = shared().customer().await;
    let invited = invite(&customer, "auditor").await;
    let link = invited["invite_url"].as_str().unwrap();
    let link = link.split_once('=').unwrap().1;
    for path in [
        "/v1/tokens",
        "/v1/members",
        "/v1/invitations",
        "/v1/customers/self",
        "/v1/history",
        "/v1/sessions",
        "/v1/session",
    ] {
        let api = if path.contains("session") { &customer.dashboard } else { &customer.api };
        let answer = api.get(path).await.json(200);
        let mut found = Vec::new();
        words(&answer, &mut found);
        for word in found {
            let hidden = ["password", "hash", "sha256", "secret", "argon2"];
            assert!(!hidden.iter().any(|hidden| word.contains(hidden)), "{path}: {word}");
            assert!(word != customer.token && !word.contains(link), "{path}: a secret: {word}");
        }
    }
}
