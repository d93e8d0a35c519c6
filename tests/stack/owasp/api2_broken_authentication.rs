//! API2: passwords are guessed, tokens and sessions forged, fixed and used after their end.

use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde_json::json;

use super::{LOG_INS_MAX, narrow};
use crate::support::{Api, PASSWORD, send, shared};

#[tokio::test]
async fn guessing_a_password_has_to_wait_and_tells_nothing() {
    let customer = narrow().customer().await;
    let attempt = async |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        narrow().anonymous().post("/v1/session", &body).await
    };
    let mut answers = Vec::new();
    for email in [customer.email.as_str(), "nobody.at.all@example.com"] {
        let mut of_this = Vec::new();
        for n in 0..LOG_INS_MAX {
            let mut problem =
                attempt(email, &format!("guess number {n}")).await.problem(401, "wrong-credentials");
            problem.as_object_mut().unwrap().remove("instance");
            of_this.push(problem);
        }
        // The right one does not help any more.
        let refused = attempt(email, PASSWORD).await;
        refused.problem(429, "too-many-log-ins");
        assert!(refused.header(RETRY_AFTER.as_str()).parse::<u64>().unwrap() >= 1);
        answers.push(of_this);
    }
    assert_eq!(answers[0], answers[1], "the response tells whether there is an account");
}

#[tokio::test]
async fn a_token_counts_only_where_tokens_belong() {
    let customer = shared().customer().await;
    let anonymous = shared().anonymous();
    let token = &customer.token;
    // Addresses are logged, and go to other sites as referrers.
    for name in ["token", "access_token", "api_key", "authorization"] {
        let answer = anonymous.get(&format!("/v1/activities?{name}={token}")).await;
        assert!(matches!(answer.status, 400 | 401), "{name}: {}", answer.text);
    }
    for (name, value) in [
        ("x-api-key", token.clone()),
        ("cookie", format!("daybook_session={token}")),
        ("authorization", token.clone()),
        ("authorization", format!("Token {token}")),
        ("authorization", "Bearer".to_owned()),
        ("authorization", format!("Bearer {token} {token}")),
        ("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJvd25lciJ9.".to_owned()),
        ("authorization", format!("Bearer {}", token.to_uppercase())),
        ("authorization", format!("Bearer {}", &token[..token.len() - 1])),
    ] {
        let answer = send(anonymous.request(Method::GET, "/v1/history").header(name, &value)).await;
        assert_eq!(answer.status, 401, "{name}: {value}: {}", answer.text);
    }
}

/// The cookie of an answer as a browser sends it back.
fn cookie(answer: &crate::support::Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

async fn who(api: &Api, cookie: &str) -> u16 {
    send(api.request(Method::GET, "/v1/history").header("cookie", cookie)).await.status
}

#[tokio::test]
async fn a_session_is_neither_fixed_nor_outlives_its_end() {
    let customer = shared().customer().await;
    // Without a store of cookies: what is sent is what is written here.
    let fixed = "daybook_session=0000000000000000000000000000000000000000000";
    let log_in = async |with: &str| {
        let request = shared().anonymous().request(Method::POST, "/v1/session").header("cookie", with);
        send(request.json(&json!({"email": customer.email, "password": PASSWORD}))).await
    };
    let first = log_in(fixed).await;
    let csrf_token = first.json(200)["csrf_token"].as_str().unwrap().to_owned();
    let first = cookie(&first);
    assert_ne!(first, fixed, "a session that the client chose");
    assert_eq!(who(&shared().anonymous(), fixed).await, 401);
    assert_eq!(who(&shared().anonymous(), &first).await, 200);
    // Logging in again makes a new one and ends the one that came along.
    let second = cookie(&log_in(&first).await);
    assert_ne!(second, first);
    let gone = crate::support::eventually("the session before has ended", async || {
        (who(&shared().anonymous(), &first).await == 401).then_some(())
    });
    gone.await;
    let end = |cookie: &str, csrf_token: &str| {
        let request = shared().anonymous().request(Method::DELETE, "/v1/session");
        send(request.header("cookie", cookie).header("x-csrf-token", csrf_token))
    };
    assert_eq!(end(&second, &csrf_token).await.status, 403, "another session's CSRF token");
    let session =
        send(shared().anonymous().request(Method::GET, "/v1/session").header("cookie", &second)).await;
    let csrf_token = session.json(200)["csrf_token"].as_str().unwrap().to_owned();
    assert_eq!(end(&second, &csrf_token).await.status, 204);
    assert_eq!(who(&shared().anonymous(), &second).await, 401, "after the log-out");
}

#[tokio::test]
async fn a_password_that_everybody_tries_first_is_not_taken() {
    for password in
        ["password1234", "123456789012", "qwertyuiop12", "aaaaaaaaaaaaaaaa", "short", &"x".repeat(129)]
    {
        let body = json!({"name": "Ledger & Co", "email": "weak@example.com", "password": password});
        let answer = shared().anonymous().post("/v1/customers", &body).await;
        assert_eq!(answer.pointers(), ["/password"], "{password}");
    }
}
