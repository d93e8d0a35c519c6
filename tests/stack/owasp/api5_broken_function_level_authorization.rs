//! API5: functions are called that are for others: owners', operators', and those of services among themselves.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{raw, status};
use crate::support::{Person, invite, send, shared, within};

#[tokio::test]
async fn nobody_makes_himself_more_than_he_is() {
    let customer = shared().customer().await;
    for role in ["engineer", "analyst", "auditor"] {
        let person = Person::joined(shared(), &customer, role).await;
        let own = format!("/v1/members/{}", person.id);
        let invitation = json!({"email": "accomplice@example.com", "role": "owner"});
        for (method, path, body) in [
            (Method::PATCH, own.as_str(), json!({"role": "owner"})),
            (Method::POST, "/v1/members", invitation),
            (Method::GET, "/v1/invitations", Value::Null),
            (Method::POST, "/v1/tokens", json!({"name": "mine", "scopes": ["admin"]})),
            (Method::PATCH, "/v1/customers/self", json!({"time_zone": "Asia/Tokyo"})),
        ] {
            let answer = person.write(method.clone(), path, &body).await;
            answer.problem(403, "role-insufficient");
        }
    }
    // Nor by a token: one with `admin` gives only what it has itself.
    let admin = customer.with_scopes(&["admin"]).await;
    for scope in ["ingest", "read", "audit"] {
        let body = json!({"name": "more", "scopes": ["admin", scope]});
        admin.post("/v1/tokens", &body).await.problem(403, "scope-missing");
    }
}

#[tokio::test]
async fn a_demotion_takes_the_tokens_along() {
    let customer = shared().customer().await;
    let person = Person::joined(shared(), &customer, "owner").await;
    let admin = customer.api.with_token(person.issue(&["admin", "ingest"]).await["token"].as_str().unwrap());
    let ingest = customer.api.with_token(person.issue(&["ingest"]).await["token"].as_str().unwrap());
    // Hidden behind another token.
    let body = json!({"name": "hidden", "scopes": ["admin"]});
    let hidden = admin.post("/v1/tokens", &body).await.json(201);
    let hidden = customer.api.with_token(hidden["token"].as_str().unwrap());
    let activity = json!({"type": "page.viewed", "actor": "ada"});
    for api in [&admin, &ingest] {
        api.record(&activity).await;
    }
    hidden.get("/v1/members").await.json(200);

    let path = format!("/v1/members/{}", person.id);
    customer.api.patch(&path, &json!({"role": "engineer"})).await.json(200);
    for api in [&admin, &hidden] {
        let refused = within(Duration::from_secs(1), "the token is refused", async || {
            let answer = api.get("/v1/members").await;
            (answer.status != 200).then_some(answer)
        });
        refused.await.problem(401, "token-revoked");
    }
    let refused = within(Duration::from_secs(1), "the token is refused where activities go", async || {
        let answer = admin.post("/v1/activities", &activity).await;
        (answer.status != 202).then_some(answer)
    });
    refused.await.problem(401, "token-revoked");
    // What an engineer may issue goes on.
    ingest.record(&activity).await;

    assert_eq!(customer.api.delete(&path).await.status, 204);
    let refused = within(Duration::from_secs(1), "a token is refused whose maker has left", async || {
        let answer = ingest.post("/v1/activities", &activity).await;
        (answer.status != 202).then_some(answer)
    });
    refused.await.problem(401, "token-revoked");
    // The customer's own go on.
    customer.api.record(&activity).await;
}

#[tokio::test]
async fn what_services_tell_each_other_is_not_behind_the_door() {
    for target in [
        "/internal/tokens/validate",
        "/internal/tokens/uses",
        "/internal/sessions/resolve",
        "//internal/tokens/validate",
        "/v1/../internal/tokens/validate",
        "/v1/tokens/../../internal/tokens/validate",
        "/v1/%2e%2e/internal/tokens/validate",
        "/v1/tokens/..%2f..%2finternal%2ftokens%2fvalidate",
        "/v1/reports/..%2f..%2finternal%2ftokens%2fvalidate",
        "/v1/history/..%2F..%2Finternal%2Ftokens%2Fvalidate",
        "/v1/reports/%00",
        "/v1\\internal\\tokens\\validate",
    ] {
        for method in ["GET", "POST"] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: daybook\r\nx-daybook-internal-key: guess\r\n\
                 content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
            );
            let answer = raw(&shared().url, &request).await;
            assert!(matches!(status(&answer), 400 | 401 | 404 | 405), "{method} {target}: {answer}");
            assert!(
                !answer.contains("refused") && !answer.contains("principal"),
                "{method} {target}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn a_header_does_not_say_who_or_what_it_is() {
    let (customer, victim) = (shared().customer().await, shared().customer().await);
    let api = customer.with_scopes(&["read"]).await;
    let principal = json!({
        "customer_id": victim.id, "subject": {"member": victim.id}, "scopes": ["ingest", "read", "audit", "admin"],
        "time_zone": "UTC",
    });
    for (name, value) in [
        ("x-daybook-principal", principal.to_string()),
        ("X-Daybook-Principal", principal.to_string()),
        ("x-daybook-internal-key", "change-me-in-production-0123456789".to_owned()),
        ("x-original-url", "/v1/history".to_owned()),
        ("x-rewrite-url", "/v1/history".to_owned()),
        ("x-forwarded-user", "owner".to_owned()),
        ("connection", "x-daybook-principal, authorization".to_owned()),
    ] {
        let ask = |path| send(api.request(Method::GET, path).header(name, &value));
        let answer = ask("/v1/history").await;
        assert!(matches!(answer.status, 401 | 403), "{name}: {}", answer.text);
        let answer = ask("/v1/customers/self").await;
        assert!(!answer.text.contains(&victim.id), "{name}: {}", answer.text);
    }
    // A method is what stands in the first line.
    let path = format!("/v1/invitations/{}", invite(&victim, "analyst").await["id"].as_str().unwrap());
    let request = victim.api.request(Method::GET, &path).header("x-http-method-override", "DELETE");
    assert_eq!(send(request).await.status, 405);
    assert_eq!(victim.api.get("/v1/invitations").await.json(200)["items"].as_array().unwrap().len(), 1);
}
