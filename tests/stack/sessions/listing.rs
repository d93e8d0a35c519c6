//! `/v1/sessions`: the other sessions of a member.

use reqwest::Method;

use super::log_in;
use crate::support::{Customer, PASSWORD, send, shared};

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
