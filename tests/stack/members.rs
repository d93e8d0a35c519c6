//! `/v1/members`: roles and removals.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sessions::log_in;
use crate::support::{PASSWORD, Person, eventually, shared};

#[tokio::test]
async fn a_role_says_what_may_be_done() {
    let customer = shared().customer().await;
    let activity = json!({"type": "page.viewed", "actor": "ada"});
    let token = json!({"name": "mine", "scopes": ["read"]});
    let invitation = json!({"email": format!("{}@example.com", Uuid::now_v7()), "role": "analyst"});
    for (role, recorded, history, issued, traced) in
        [("engineer", 202, 200, 201, 200), ("analyst", 403, 403, 403, 403), ("auditor", 403, 200, 403, 200)]
    {
        let person = Person::joined(shared(), &customer, role).await;
        let get = async |path: &str| person.dashboard.get(path).await.status;
        let post = async |path: &str, body: &Value| person.write(Method::POST, path, body).await.status;
        assert_eq!(post("/v1/activities", &activity).await, recorded, "{role} records");
        assert_eq!(get("/v1/reports/activity").await, 200, "{role} reads reports");
        assert_eq!(get("/v1/history").await, history, "{role} reads history");
        assert_eq!(post("/v1/tokens", &token).await, issued, "{role} issues tokens");
        let tokens = customer.api.get("/v1/tokens").await.json(200);
        let trace = format!("/v1/tokens/{}/history", tokens["items"][0]["id"].as_str().unwrap());
        assert_eq!(get(&trace).await, traced, "{role} traces tokens");
        assert_eq!(get("/v1/members").await, 200, "{role} sees people");
        let refused = person.write(Method::POST, "/v1/members", &invitation).await;
        refused.problem(403, "role-insufficient");
        let promotion = format!("/v1/members/{}", person.id);
        person
            .write(Method::PATCH, &promotion, &json!({"role": "owner"}))
            .await
            .problem(403, "role-insufficient");
    }
}

#[tokio::test]
async fn a_change_of_role_and_a_removal_count_where_somebody_is_logged_in() {
    let customer = shared().customer().await;
    let person = Person::joined(shared(), &customer, "analyst").await;
    person.dashboard.get("/v1/history").await.json(403);
    let path = format!("/v1/members/{}", person.id);
    customer.api.patch(&path, &json!({"role": "auditor"})).await.json(200);
    eventually("the new role counts", async || {
        (person.dashboard.get("/v1/history").await.status == 200).then_some(())
    })
    .await;

    let stranger = shared().customer().await;
    stranger.api.delete(&path).await.problem(404, "member-not-found");
    assert_eq!(customer.api.delete(&path).await.status, 204);
    eventually("the session has ended", async || {
        (person.dashboard.get("/v1/history").await.status == 401).then_some(())
    })
    .await;
    person.dashboard.get("/v1/session").await.problem(401, "session-missing");
    log_in(&shared().anonymous(), &person.email, PASSWORD).await.problem(401, "wrong-credentials");

    let owner = customer.dashboard.get("/v1/session").await.json(200);
    let path = format!("/v1/members/{}", owner["member"]["id"].as_str().unwrap());
    customer.api.delete(&path).await.problem(409, "last-owner");
}
