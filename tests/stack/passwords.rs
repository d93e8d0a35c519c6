//! `/v1/password`: the links for somebody who has forgotten one.

use serde_json::json;

use crate::sessions::log_in;
use crate::support::{MailServer, PASSWORD, eventually, shared};

/// How the path of the link to a new password begins.
const LINK: &str = "/reset-password#token=";

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
    // At once, whatever the gateway has in its cache.
    customer.dashboard.get("/v1/history").await.problem(401, "session-expired");
    log_in(&anonymous, &customer.email, PASSWORD).await.problem(401, "wrong-credentials");
    log_in(&anonymous, &customer.email, new).await.json(200);

    let nobody = shared().operate(&["members", "reset-password", "nobody@example.com"]).await;
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""), "{nobody:?}");
    assert!(nobody.err.contains("nobody logs in with nobody@example.com"), "{nobody:?}");
}

#[tokio::test]
async fn whoever_has_forgotten_the_password_gets_a_link_by_mail() {
    let server = MailServer::start().await;
    let stack = server.stack();
    let customer = stack.customer().await;
    let api = stack.anonymous();
    for email in ["nobody@example.com", customer.email.as_str()] {
        let answer = api.post("/v1/password/forgotten", &json!({"email": email})).await.json(202);
        assert_eq!(answer, json!({"expires_in_s": 3_600}), "{email}");
    }
    // The relay prints it line by line, and the link may be cut by the encoding.
    let mail = eventually("the mail has come", async || {
        let mail = server.program.out().replace("=\n", "").replace("=3D", "=");
        let is_whole = mail.split_once(LINK).is_some_and(|(_, rest)| rest.contains('\n'));
        is_whole.then_some(mail)
    })
    .await;
    assert!(mail.contains(&customer.email), "{mail}");
    // They are mailed one after the other: the first one would have come before.
    assert!(!mail.contains("nobody@example.com"), "{mail}");
    let link = mail.lines().find(|line| line.contains(LINK)).unwrap().trim();
    assert!(link.starts_with(&stack.url), "{link}");
    let reset = json!({"token": link.split_once('=').unwrap().1, "password": "staple of another stable"});
    assert_eq!(api.post("/v1/password/reset", &reset).await.status, 204);
    let body = json!({"email": customer.email, "password": "staple of another stable"});
    api.post("/v1/session", &body).await.json(200);
}
