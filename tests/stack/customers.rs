//! Signing up, sessions, tokens.

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Customer, PASSWORD, send, shared};

fn someone() -> Value {
    json!({"name": "Ledger & Co", "email": format!("{}@example.com", Uuid::now_v7()), "password": PASSWORD})
}

#[tokio::test]
async fn signing_up_logs_in() {
    let api = shared().anonymous();
    let mut body = someone();
    body["time_zone"] = "Europe/Berlin".into();
    let answer = api.post("/v1/customers", &body).await;
    let cookie = answer.header("set-cookie");
    for part in ["daybook_session_", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let signed_up = answer.json(201);
    assert_json_snapshot!("signed-up", signed_up, {
        ".id" => "[id]", ".member.id" => "[id]", ".member.email" => "[email]", ".csrf_token" => "[secret]",
    });
    let session = api.get("/v1/session").await.json(200);
    assert_eq!(session["csrf_token"], signed_up["csrf_token"]);
    assert_eq!((&session["customer"]["id"], &session["member"]), (&signed_up["id"], &signed_up["member"]));
}

#[tokio::test]
async fn an_address_signs_up_once_whatever_its_case() {
    let body = someone();
    shared().anonymous().post("/v1/customers", &body).await.json(201);
    let mut again = body.clone();
    again["email"] = body["email"].as_str().unwrap().to_uppercase().into();
    for body in [body, again] {
        shared().anonymous().post("/v1/customers", &body).await.problem(409, "email-taken");
    }
}

#[tokio::test]
async fn every_fault_of_a_sign_up_is_named() {
    let body = json!({"name": " ", "email": "nobody", "password": "short", "time_zone": "Mars/Olympus"});
    let answer = shared().anonymous().post("/v1/customers", &body).await;
    assert_eq!(answer.pointers(), ["/name", "/email", "/password", "/time_zone"]);
    let mut unknown = someone();
    unknown["admin"] = true.into();
    assert_eq!(shared().anonymous().post("/v1/customers", &unknown).await.pointers(), ["/admin"]);
}

#[tokio::test]
async fn a_session_begins_and_ends() {
    let customer = shared().customer().await;
    let api = shared().anonymous();
    api.get("/v1/session").await.problem(401, "session-missing");
    for (email, password) in
        [(customer.email.as_str(), "wrong horse battery"), ("nobody@example.com", PASSWORD)]
    {
        let answer = api.post("/v1/session", &json!({"email": email, "password": password})).await;
        answer.problem(401, "wrong-credentials");
    }
    let login = json!({"email": customer.email.to_uppercase(), "password": PASSWORD});
    let session = api.post("/v1/session", &login).await.json(200);
    assert_eq!(session["customer"]["id"], customer.id.as_str());
    assert_eq!(api.get("/v1/session").await.json(200)["member"]["email"], customer.email.as_str());
    let csrf_token = session["csrf_token"].as_str().unwrap();
    let answer = send(api.request(Method::DELETE, "/v1/session").header("x-csrf-token", csrf_token)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    api.get("/v1/session").await.problem(401, "session-missing");
    // The session of the sign-up is another one.
    customer.dashboard.get("/v1/session").await.json(200);
}

#[tokio::test]
async fn a_write_with_the_cookie_needs_its_csrf_token() {
    let customer = shared().customer().await;
    let write = |csrf_token: Option<String>| {
        let request = customer.dashboard.request(Method::POST, "/v1/activities");
        let request = match csrf_token {
            Some(token) => request.header("x-csrf-token", token),
            None => request,
        };
        send(request.json(&json!({"type": "page.viewed", "actor": "ada"})))
    };
    write(None).await.problem(403, "csrf-token-missing");
    write(Some("0".repeat(customer.csrf_token.len()))).await.problem(403, "csrf-token-missing");
    let stranger = shared().customer().await;
    write(Some(stranger.csrf_token)).await.problem(403, "csrf-token-missing");
    write(Some(customer.csrf_token.clone())).await.json(202);
    // Reading needs none.
    customer.dashboard.get("/v1/history").await.json(200);
}

#[tokio::test]
async fn a_token_shows_its_secret_once() {
    let customer = shared().customer().await;
    let issued = customer.issue(&["read", "ingest", "read"]).await;
    let secret = issued["token"].as_str().unwrap();
    assert!(secret.starts_with("dbk_") && secret.len() == 42, "{secret}");
    assert_json_snapshot!("issued", issued, {
        ".id" => "[id]", ".customer_id" => "[id]", ".token" => "[secret]", ".prefix" => "[prefix]", ".created_at" => "[time]",
    });
    let answer = customer.api.get("/v1/tokens").await;
    assert!(!answer.text.contains(secret), "the secret is shown again");
    let listed = &answer.json(200)["items"][0];
    let mut expected = issued.clone();
    expected.as_object_mut().unwrap().retain(|name, _| !["token", "customer_id"].contains(&name.as_str()));
    assert_eq!(listed, &expected);
    assert!(secret.starts_with(listed["prefix"].as_str().unwrap()));
}

/// Tokens without what is written in the background while they are used.
fn lasting(tokens: &Value) -> Vec<Value> {
    let mut tokens = tokens.as_array().unwrap().clone();
    for token in &mut tokens {
        assert!(token.as_object_mut().unwrap().remove("last_used_at").is_some(), "{token}");
    }
    tokens
}

#[tokio::test]
async fn tokens_are_listed_page_by_page() {
    let customer = shared().customer().await;
    for _ in 0..4 {
        customer.issue(&["read"]).await;
    }
    let all = customer.api.get("/v1/tokens").await.json(200);
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next_cursor"]), (5, &Value::Null));
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = customer.api.get(&format!("/v1/tokens?limit=2{cursor}")).await.json(200);
        paged.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(lasting(&json!(paged)), lasting(&all["items"]));
    customer.api.get("/v1/tokens?limit=0").await.problem(400, "invalid-query");
}

#[tokio::test]
async fn a_token_that_could_do_nothing_is_not_issued() {
    let customer = shared().customer().await;
    for (body, pointer) in [
        (json!({"name": "", "scopes": ["read"]}), "/name"),
        (json!({"name": "a", "scopes": []}), "/scopes"),
        (json!({"name": "a", "scopes": ["everything"]}), "/scopes/0"),
        (json!({"name": "a", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}), "/expires_at"),
    ] {
        assert_eq!(customer.issue_with(&body).await.pointers(), [pointer], "{body}");
    }
}

#[tokio::test]
async fn a_token_gives_no_more_than_its_maker_may_do() {
    let customer = shared().customer().await;
    let api = customer.with_scopes(&["admin", "read"]).await;
    let issue = |scope: &'static str| {
        let api = api.clone();
        async move { api.post("/v1/tokens", &json!({"name": "more", "scopes": [scope]})).await }
    };
    issue("read").await.json(201);
    issue("audit").await.problem(403, "scope-missing");
}

#[tokio::test]
async fn a_token_is_revoked_once_and_only_by_its_customer() {
    let (customer, stranger) = (shared().customer().await, shared().customer().await);
    let issued = customer.issue(&["ingest"]).await;
    let path = format!("/v1/tokens/{}", issued["id"].as_str().unwrap());
    stranger.api.delete(&path).await.problem(404, "token-not-found");
    assert_eq!(customer.api.delete(&path).await.status, 204);
    // What is wanted is so already.
    assert!(matches!(customer.api.delete(&path).await.status, 204 | 404));
    let listed = customer.api.get("/v1/tokens").await.json(200);
    let token =
        listed["items"].as_array().unwrap().iter().find(|token| token["id"] == issued["id"]).unwrap().clone();
    assert!(token["revoked_at"].is_string(), "{token}");
    for path in ["/v1/tokens/nothing", &format!("/v1/tokens/{}", Uuid::now_v7())] {
        customer.api.delete(path).await.problem(404, "token-not-found");
    }
}

#[tokio::test]
async fn many_log_ins_at_once_are_answered() {
    let customer = shared().customer().await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (api, email) = (shared().anonymous(), customer.email.clone());
        calls.spawn(
            async move { api.post("/v1/session", &json!({"email": email, "password": PASSWORD})).await },
        );
    }
    for answer in calls.join_all().await {
        if answer.status != 200 {
            // Hashing takes a core for a while; more than a bounded queue holds is told to come again.
            answer.problem(503, "busy");
            assert!(!answer.header("retry-after").is_empty());
        }
    }
    Customer::sign_up(&shared().url, "UTC").await;
}
