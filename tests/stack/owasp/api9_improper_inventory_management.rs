//! API9: what is there without being known: old versions, forgotten hosts, methods that nobody wrote down.

use reqwest::Method;
use serde_json::Value;

use crate::support::{send, shared};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[tokio::test]
async fn there_is_one_version_and_nothing_beside_it() {
    let customer = shared().customer().await;
    for start in
        ["", "/v0", "/v2", "/api", "/api/v1", "/beta", "/internal", "/admin", "/V1", "/v1/v1", "/v1."]
    {
        for path in ["/activities", "/tokens", "/history", "/session", "/customers"] {
            if start.is_empty() && path == "/tokens" {
                continue; // The dashboard's page of that name.
            }
            let answer = customer.api.get(&format!("{start}{path}")).await;
            assert_eq!(answer.status, 404, "{start}{path}: {}", answer.text);
        }
    }
    for path in ["/swagger.json", "/graphql", "/actuator", "/console", "/debug", "/status", "/metrics", "/v1"]
    {
        customer.api.get(path).await.problem(404, "not-found");
    }
}

/// The methods of both.
fn with(item: &Value, other: &Value) -> Value {
    let both = [item, other].into_iter().flat_map(|item| item.as_object().unwrap().clone());
    both.collect::<serde_json::Map<String, Value>>().into()
}

#[tokio::test]
async fn every_method_of_every_path_is_documented_or_refused() {
    let customer = shared().customer().await;
    let document = customer.api.get("/openapi.json").await.json(200);
    let mut surplus = Vec::new();
    let activity = &document["paths"]["/v1/activities/{id}"];
    for (path, item) in document["paths"].as_object().unwrap() {
        // A word of ours is an activity's id too.
        let item = &if path.starts_with("/v1/activities/") { with(item, activity) } else { item.clone() };
        let place = path.replace(['{', '}'], "");
        for method in METHODS.iter().filter(|method| item[**method] == Value::Null) {
            let request = customer.api.request(method.to_uppercase().parse().unwrap(), &place);
            let answer = send(request).await;
            if answer.status != 405 {
                surplus.push(format!("{method} {path}: {}", answer.status));
            }
            let allowed = answer.header("allow").to_lowercase();
            // Browsers ask by OPTIONS whether a page may record.
            let by_itself = |name: &&str| !["head", "options"].contains(name);
            let allowed: Vec<_> = allowed.split(',').filter(by_itself).collect();
            let undocumented = allowed.iter().find(|name| item[**name] == Value::Null);
            assert_eq!(undocumented, None, "{path} says that it has {allowed:?}");
        }
    }
    assert!(surplus.is_empty(), "not documented, and there:\n{}", surplus.join("\n"));
}

#[tokio::test]
async fn every_documented_operation_says_who_may_call_it_and_how_it_refuses() {
    let document = shared().anonymous().get("/openapi.json").await.json(200);
    let open = [
        "POST /v1/customers",
        "POST /v1/session",
        "POST /v1/invitations/accept",
        "POST /v1/password/forgotten",
        "POST /v1/password/reset",
        "GET /v1/projects/{key}/settings",
    ];
    for (path, item) in
        document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1"))
    {
        for method in METHODS.iter().filter(|method| item[**method].is_object()) {
            let (operation, name) = (&item[*method], format!("{} {path}", method.to_uppercase()));
            let security = operation["security"].as_array();
            let is_open = security.is_some_and(|ways| ways.iter().any(|way| way == &serde_json::json!({})));
            assert_eq!(is_open, open.contains(&name.as_str()), "{name}: {security:?}");
            assert!(
                is_open || security.is_some_and(|ways| !ways.is_empty()),
                "{name} says nothing of security"
            );
            let needed: &[&str] =
                if is_open { &["429", "500", "503"] } else { &["401", "429", "500", "503"] };
            for status in needed {
                assert!(operation["responses"][*status].is_object(), "{name} does not document {status}");
            }
            if is_open {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = send(shared().anonymous().request(method, &path.replace(['{', '}'], ""))).await;
            assert_eq!(answer.status, 401, "{name} lets anybody in: {}", answer.text);
        }
    }
}
