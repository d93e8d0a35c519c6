//! API1: things of another customer are asked for by their ids.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Customer, Person, invite, send, shared};

/// Every operation that names a thing, with the victim's thing and with one that never was.
async fn targets(victim: &Customer) -> Vec<(Method, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    victim.api.record(&json!({"id": "secret", "type": "page.viewed", "actor": "ada"})).await;
    let history = victim.api.get("/v1/history").await.json(200);
    let stream = text(&history["items"][0]["aggregate_id"]);
    let token = text(&victim.issue(&["ingest"]).await["id"]);
    let member = Person::joined(shared(), victim, "analyst").await.id;
    let invitation = text(&invite(victim, "auditor").await["id"]);
    let never = Uuid::now_v7();
    let of = |method: Method, path: &str, id: &str| {
        (method, path.replace("{}", id), path.replace("{}", &never.to_string()))
    };
    vec![
        of(Method::GET, "/v1/activities/{}", "secret"),
        of(Method::PATCH, "/v1/activities/{}", "secret"),
        of(Method::DELETE, "/v1/activities/{}", "secret"),
        of(Method::GET, "/v1/history/{}", &stream),
        of(Method::DELETE, "/v1/tokens/{}", &token),
        of(Method::GET, "/v1/tokens/{}/history", &token),
        of(Method::POST, "/v1/tokens/{}/rotate", &token),
        of(Method::PATCH, "/v1/members/{}", &member),
        of(Method::DELETE, "/v1/members/{}", &member),
        of(Method::DELETE, "/v1/invitations/{}", &invitation),
    ]
}

fn body(method: &Method, path: &str) -> Option<Value> {
    match *method {
        Method::PATCH if path.contains("members") => Some(json!({"role": "owner"})),
        Method::PATCH => Some(json!({"value": 1})),
        Method::POST => Some(json!({"overlap_s": 0})),
        _ => None,
    }
}

#[tokio::test]
async fn another_customers_things_are_as_if_they_were_not_there() {
    let (victim, attacker) = (shared().customer().await, shared().customer().await);
    let targets = targets(&victim).await;
    for (method, theirs, never) in &targets {
        let ask = async |path: &str| {
            let request = attacker.api.request(method.clone(), path);
            let request = match body(method, path) {
                Some(body) => request.json(&body),
                None => request,
            };
            send(request).await
        };
        let (theirs, never) = (ask(theirs).await, ask(never).await);
        // Not even the wording tells that there is something.
        assert_eq!((theirs.status, never.status), (404, 404), "{method} {}: {}", theirs.text, never.text);
        let shape = |text: &str| {
            let mut problem: Value = serde_json::from_str(text).unwrap();
            problem.as_object_mut().unwrap().remove("instance");
            problem
        };
        assert_eq!(shape(&theirs.text), shape(&never.text), "{method}");
    }
    // And nothing has happened to them.
    for (method, theirs, _) in targets.iter().filter(|(method, ..)| *method == Method::GET) {
        victim.api.get(theirs).await.json(200);
        assert_eq!(method, Method::GET);
    }
    let tokens = victim.api.get("/v1/tokens").await.json(200);
    assert!(
        tokens["items"].as_array().unwrap().iter().all(|token| token["revoked_at"].is_null()),
        "{tokens}"
    );
    assert_eq!(victim.api.get("/v1/members").await.json(200)["items"].as_array().unwrap().len(), 2);
    assert_eq!(victim.api.get("/v1/invitations").await.json(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_goes_no_further_than_the_customer_whatever_its_cursor() {
    let (victim, attacker) = (shared().customer().await, shared().customer().await);
    for n in 0..3 {
        let activity = json!({"id": format!("a-{n}"), "type": "victims.own", "actor": "ada"});
        victim.api.record(&activity).await;
        victim.issue(&["read"]).await;
    }
    let page = victim.api.get("/v1/tokens?limit=1").await.json(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let tokens = attacker.api.get(&format!("/v1/tokens?limit=1000&cursor={cursor}")).await;
    assert!(!tokens.text.contains(page["items"][0]["id"].as_str().unwrap()));
    for item in tokens.json(200)["items"].as_array().unwrap() {
        assert_ne!(item["prefix"], page["items"][0]["prefix"]);
    }
    // The position of another customer's event is only a number.
    for path in ["/v1/history?after=0", "/v1/history?type=victims.own", "/v1/activities?type=victims.own"] {
        let answer = attacker.api.get(path).await;
        assert!(!answer.text.contains("victims.own"), "{path}: {}", answer.text);
        assert_eq!(answer.json(200)["items"], json!([]), "{path}");
    }
    let report = attacker.api.get("/v1/reports/activity?group_by=type").await.json(200);
    assert_eq!(report["total"], 0, "{report}");
}

#[tokio::test]
async fn the_same_id_belongs_to_each_customer_by_itself() {
    let (victim, attacker) = (shared().customer().await, shared().customer().await);
    let theirs = json!({"id": "order-1", "type": "order.paid", "actor": "ada", "value": 1});
    victim.api.record(&theirs).await;
    // Neither a duplicate nor a conflict: the ids of others are not revealed.
    let mine = json!({"id": "order-1", "type": "order.lost", "actor": "eve", "value": 2});
    assert_eq!(attacker.api.record(&mine).await["duplicate"], false);
    assert_eq!(victim.api.get("/v1/activities/order-1").await.json(200)["actor"], "ada");
}
