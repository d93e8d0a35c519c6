//! How often somebody may try to log in, and a token may ask.

use reqwest::header::RETRY_AFTER;

use super::log_in;
use crate::support::{PASSWORD, Stack, eventually};

/// A system with low limits.
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
async fn whoever_tries_too_often_gets_when_to_try_again() {
    let stack = narrow();
    let customer = stack.customer().await;
    // An account that does not exist is treated like one that does.
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
    // Another token of the customer is not limited.
    customer.with_scopes(&["read"]).await.get("/v1/reports/activity").await.json(200);
    eventually("the token is let in again", async || {
        (api.get("/v1/reports/activity").await.status == 200).then_some(())
    })
    .await;
}
