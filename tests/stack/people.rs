//! People by invitation, what their roles let them do, their sessions, and how often anybody may knock.

use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    Answer, Api, Customer, PASSWORD, Person, Stack, accept, eventually, invite, send, shared,
};

async fn log_in(api: &Api, email: &str, password: &str) -> Answer {
    api.post("/v1/session", &json!({"email": email, "password": password})).await
}

#[tokio::test]
async fn an_invitation_is_a_link_that_works_once() {
    let customer = shared().customer().await;
    let invited = invite(&customer, "analyst").await;
    let link = invited["invite_url"].as_str().unwrap();
    // Whole, so that it can be pasted.
    assert!(link.starts_with(&format!("{}/join#token=dbi_", shared().url)), "{link}");
    let waiting = customer.api.get("/v1/invitations").await;
    assert!(!waiting.text.contains("dbi_"), "the link is shown again");
    assert_eq!(waiting.json(200)["items"][0]["email"], invited["email"]);

    let guest = shared().anonymous();
    let session = accept(&guest, link).await.json(201);
    assert_eq!(
        (&session["member"]["email"], &session["member"]["role"]),
        (&invited["email"], &"analyst".into())
    );
    assert_eq!(session["customer"]["id"], customer.id.as_str());
    assert_eq!(guest.get("/v1/session").await.json(200)["member"], session["member"]);
    accept(&shared().anonymous(), link).await.problem(404, "invitation-not-found");
    assert_eq!(customer.api.get("/v1/invitations").await.json(200)["items"], json!([]));
    let members = customer.api.get("/v1/members").await.json(200);
    assert_eq!(members["items"].as_array().unwrap().len(), 2, "{members}");

    let withdrawn = invite(&customer, "auditor").await;
    let path = format!("/v1/invitations/{}", withdrawn["id"].as_str().unwrap());
    assert_eq!(customer.api.delete(&path).await.status, 204);
    let late = accept(&shared().anonymous(), withdrawn["invite_url"].as_str().unwrap()).await;
    late.problem(404, "invitation-not-found");
}

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

#[tokio::test]
async fn a_rotated_token_works_beside_its_successor_until_the_overlap_is_over() {
    let customer = shared().customer().await;
    let rotate = async |id: &Value, overlap_s: u32| {
        let path = format!("/v1/tokens/{}/rotate", id.as_str().unwrap());
        customer.api.post(&path, &json!({"overlap_s": overlap_s})).await
    };
    let first = customer.issue(&["read"]).await;
    let old = customer.api.with_token(first["token"].as_str().unwrap());
    old.get("/v1/reports/activity").await.json(200);

    let second = rotate(&first["id"], 3_600).await.json(201);
    assert_eq!((&second["replaces"], &second["scopes"]), (&first["id"], &first["scopes"]));
    let new = customer.api.with_token(second["token"].as_str().unwrap());
    new.get("/v1/reports/activity").await.json(200);
    old.get("/v1/reports/activity").await.json(200);

    // Without an overlap, the old one ends in every service within a second.
    rotate(&second["id"], 0).await.json(201);
    eventually("the old token has ended", async || {
        (new.get("/v1/reports/activity").await.status == 401).then_some(())
    })
    .await;
    rotate(&second["id"], 0).await.problem(409, "token-expired");
    let trace = customer.api.get(&format!("/v1/tokens/{}/history", first["id"].as_str().unwrap())).await;
    let trace = trace.json(200);
    assert!(trace["events"].as_array().unwrap().len() >= 2, "{trace}");
}

#[tokio::test]
async fn a_session_is_ended_from_another_one() {
    let customer = shared().customer().await;
    let there = shared().anonymous();
    log_in(&there, &customer.email, PASSWORD).await.json(200);
    let sessions = customer.dashboard.get("/v1/sessions").await.json(200);
    let sessions = sessions["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!(other["address"], "127.0.0.1", "{other}");
    let path = format!("/v1/sessions/{}", other["id"].as_str().unwrap());

    let stranger = shared().customer().await;
    let end = async |who: &Customer, csrf_token: &str| {
        let request = who.dashboard.request(Method::DELETE, &path);
        send(request.header("x-csrf-token", csrf_token)).await
    };
    end(&stranger, &stranger.csrf_token).await.problem(404, "session-not-found");
    end(&customer, &stranger.csrf_token).await.problem(403, "csrf-token-missing");
    there.get("/v1/session").await.json(200);
    assert_eq!(end(&customer, &customer.csrf_token).await.status, 204);
    there.get("/v1/session").await.problem(401, "session-missing");
    customer.dashboard.get("/v1/session").await.json(200);
}

#[tokio::test]
async fn the_operator_lets_somebody_back_in_by_a_link() {
    let customer = shared().customer().await;
    let link = shared().operate(&["members", "reset-password", &customer.email]).await;
    assert_eq!(link.code, Some(0), "{link:?}");
    let start = format!("{}/reset-password#token=", shared().url);
    let token = link.out.trim().strip_prefix(start.as_str()).unwrap_or_else(|| panic!("{link:?}"));
    assert!(link.err.contains(&customer.email), "{link:?}");

    let new = "staple of another stable";
    let anonymous = shared().anonymous();
    let reset = json!({"token": token, "password": new});
    assert_eq!(anonymous.post("/v1/password/reset", &reset).await.status, 204);
    anonymous.post("/v1/password/reset", &reset).await.problem(404, "reset-not-found");
    // At once, whatever the door had in its cache.
    customer.dashboard.get("/v1/history").await.problem(401, "session-expired");
    log_in(&anonymous, &customer.email, PASSWORD).await.problem(401, "wrong-credentials");
    log_in(&anonymous, &customer.email, new).await.json(200);

    let nobody = shared().operate(&["members", "reset-password", "nobody@example.com"]).await;
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""), "{nobody:?}");
    assert!(nobody.err.contains("nobody logs in with nobody@example.com"), "{nobody:?}");
}

/// A system that lets nobody knock often.
fn narrow() -> Stack {
    Stack::start_with(
        &[],
        &[
            ("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "3"),
            ("DAYBOOK_GATEWAY_CREDENTIAL_REQUESTS_PER_S", "10"),
            ("DAYBOOK_GATEWAY_CUSTOMER_REQUESTS_PER_S", "1000"),
        ],
    )
}

#[tokio::test]
async fn whoever_knocks_too_often_is_told_when_to_come_again() {
    let stack = narrow();
    let customer = stack.customer().await;
    // An account that does not exist answers like one that does.
    for email in [customer.email.as_str(), "nobody@example.com"] {
        for _ in 0..3 {
            let answer = log_in(&stack.anonymous(), email, "wrong horse battery").await;
            answer.problem(401, "wrong-credentials");
        }
        let answer = log_in(&stack.anonymous(), email, PASSWORD).await;
        answer.problem(429, "too-many-log-ins");
        let wait: u64 = answer.header(RETRY_AFTER.as_str()).parse().unwrap();
        assert!((1..=900).contains(&wait), "{wait}");
    }
    // Who is in already stays in.
    customer.dashboard.get("/v1/session").await.json(200);

    let api = customer.with_scopes(&["read"]).await;
    let refused = eventually("a token has made too many requests", async || {
        let answer = api.get("/v1/reports/activity").await;
        assert!(
            answer.header("ratelimit-policy").contains("\"credential\";q=10;w=1"),
            "{:?}",
            answer.headers
        );
        assert!(answer.header("ratelimit").contains("\"credential\";r="), "{:?}", answer.headers);
        (answer.status != 200).then_some(answer)
    })
    .await;
    refused.problem(429, "rate-limited");
    assert!(refused.header("ratelimit").contains("\"credential\";r=0"), "{:?}", refused.headers);
    let wait: u64 = refused.header(RETRY_AFTER.as_str()).parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // Another token of the customer is not to blame.
    customer.with_scopes(&["read"]).await.get("/v1/reports/activity").await.json(200);
    eventually("the token is let in again", async || {
        (api.get("/v1/reports/activity").await.status == 200).then_some(())
    })
    .await;
}
