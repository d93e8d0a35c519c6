//! Invitations and links for whoever has forgotten a password by mail, through a real mail server.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::support::{Program, Stack, accept, eventually, invite};

/// A server that says on its standard output what mail it takes.
struct Server {
    program: Program,
    port: u16,
    _dir: TempDir,
}

impl Server {
    async fn start() -> Self {
        let key = "DAYBOOK_TEST_PYTHON";
        let python = std::env::var_os(key);
        let python = python
            .unwrap_or_else(|| panic!("{key} is not set; `cargo xtask test` makes a Python with aiosmtpd"));
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(python);
        command.args(["-u", "-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")]);
        command.args(["-c", "aiosmtpd.handlers.Debugging", "stdout"]).stdin(Stdio::null());
        let mut program = Program::start(&mut command, dir.path(), "mail");
        eventually("the mail server listens", || {
            assert!(program.ended().is_none(), "it ended: {}", program.err());
            async move { TcpStream::connect(("127.0.0.1", port)).await.ok() }
        })
        .await;
        Self { program, port, _dir: dir }
    }
}

#[tokio::test]
async fn an_invitation_is_mailed_and_still_shown_when_it_cannot_be() {
    let server = Server::start().await;
    let relay = format!("smtp://127.0.0.1:{}", server.port);
    let environment =
        [("DAYBOOK_SMTP_URL", relay.as_str()), ("DAYBOOK_MAIL_FROM", "Daybook <daybook@example.com>")];
    let stack = Stack::start_with(&[], &environment);
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

#[tokio::test]
async fn whoever_has_forgotten_the_password_gets_a_link_by_mail() {
    let server = Server::start().await;
    let relay = format!("smtp://127.0.0.1:{}", server.port);
    let environment =
        [("DAYBOOK_SMTP_URL", relay.as_str()), ("DAYBOOK_MAIL_FROM", "Daybook <daybook@example.com>")];
    let stack = Stack::start_with(&[], &environment);
    let customer = stack.customer().await;
    let api = stack.anonymous();
    for email in ["nobody@example.com", customer.email.as_str()] {
        let answer = api.post("/v1/password/forgotten", &json!({"email": email})).await.json(202);
        assert_eq!(answer, json!({"expires_in_s": 3_600}), "{email}");
    }
    let mail = eventually("the mail has come", async || {
        let out = server.program.out();
        out.contains(&customer.email).then_some(out)
    })
    .await;
    // They are mailed one after the other: the first one would have come before.
    assert!(!mail.contains("nobody@example.com"), "{mail}");
    let mail = mail.replace("=\n", "").replace("=3D", "=");
    let link = mail.lines().find(|line| line.contains("/reset-password#token=")).unwrap().trim();
    assert!(link.starts_with(&stack.url), "{link}");
    let reset = json!({"token": link.split_once('=').unwrap().1, "password": "staple of another stable"});
    assert_eq!(api.post("/v1/password/reset", &reset).await.status, 204);
    let body = json!({"email": customer.email, "password": "staple of another stable"});
    api.post("/v1/session", &body).await.json(200);
}
