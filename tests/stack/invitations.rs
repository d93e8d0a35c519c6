//! `/v1/invitations`: a link that works once, shown and mailed.

use serde_json::json;

use crate::support::{MailServer, accept, eventually, invite, shared};

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
async fn an_invitation_is_mailed_and_still_shown_when_it_cannot_be() {
    let server = MailServer::start().await;
    let stack = server.stack();
    let customer = stack.customer().await;
    let invited = invite(&customer, "auditor").await;
    assert_eq!(invited["mailed"], true, "{invited}");
    let email = invited["email"].as_str().unwrap();
    let mail = eventually("the mail has come", async || {
        let out = server.program.out();
        out.contains(email).then_some(out)
    })
    .await;
    for part in
        ["From: Daybook <daybook@example.com>", "Subject: Ledger & Co invites you to Daybook", "as auditor"]
    {
        assert!(mail.contains(part), "{part} is missing: {mail}");
    }
    // What stands in the mail is what works. A long line is quoted-printable (RFC 2045, 6.7).
    let mail = mail.replace("=\n", "").replace("=3D", "=");
    let link = mail.lines().find(|line| line.contains("/join#token=")).unwrap().trim();
    let session = accept(&stack.anonymous(), link).await.json(201);
    assert_eq!(
        (&session["member"]["email"], &session["member"]["role"]),
        (&invited["email"], &"auditor".into())
    );

    server.program.kill();
    let invited = invite(&customer, "analyst").await;
    assert_eq!(invited["mailed"], false, "{invited}");
    accept(&stack.anonymous(), invited["invite_url"].as_str().unwrap()).await.json(201);
}
