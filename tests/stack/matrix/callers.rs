use domain::customer::Role;
use domain::token::Scope;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Customer, PASSWORD, Person, shared};

/// Everybody who might call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nobody,
    /// A text that is no token.
    Malformed,
    Revoked,
    Token(Scope),
    Member(Role),
    /// The owner of another customer.
    Stranger,
    /// A token of another customer, for everything.
    StrangersToken,
}

pub(super) struct Caller {
    pub(super) kind: Kind,
    /// How a person logs in; empty for programs.
    pub(super) email: String,
    /// What a program shows; empty for persons.
    secret: String,
}

impl Caller {
    pub(super) async fn all(customer: &Customer) -> Vec<Self> {
        let program = |kind, secret: &str| Self { kind, email: String::new(), secret: secret.to_owned() };
        let person = |kind, email: &str| Self { kind, email: email.to_owned(), secret: String::new() };
        let revoked = customer.issue(&["admin"]).await;
        let path = format!("/v1/tokens/{}", revoked["id"].as_str().unwrap());
        assert_eq!(customer.api.delete(&path).await.status, 204);
        let mut callers = vec![
            program(Kind::Nobody, ""),
            program(Kind::Malformed, "dbk_x"),
            program(Kind::Revoked, revoked["token"].as_str().unwrap()),
        ];
        for scope in Scope::ALL {
            let issued = customer.issue(&[scope.name()]).await;
            callers.push(program(Kind::Token(scope), issued["token"].as_str().unwrap()));
        }
        for role in Role::ALL {
            let joined = Person::joined(shared(), customer, role.name()).await;
            callers.push(person(Kind::Member(role), &joined.email));
        }
        let stranger = shared().customer().await;
        callers.push(person(Kind::Stranger, &stranger.email));
        callers.push(program(Kind::StrangersToken, &stranger.token));
        callers
    }

    /// What it sends along. A person has a session of its own for each call, since a call may end it.
    pub(super) async fn headers(&self) -> Vec<(&'static str, String)> {
        if !self.email.is_empty() {
            let (cookie, csrf_token) = log_in(&self.email).await;
            return vec![("cookie", cookie), ("x-csrf-token", csrf_token)];
        }
        if self.kind == Kind::Nobody {
            return Vec::new();
        }
        vec![("authorization", format!("Bearer {}", self.secret))]
    }

    /// A scope that the caller may give, if it may give any.
    pub(super) fn gives(&self) -> Scope {
        if let Kind::Token(scope) = self.kind { scope } else { Scope::Ingest }
    }

    pub(super) fn name(&self) -> String {
        match self.kind {
            Kind::Nobody => "nobody".into(),
            Kind::Malformed => "no token".into(),
            Kind::Revoked => "a revoked token".into(),
            Kind::Token(scope) => format!("a token with {scope}"),
            Kind::Member(role) => format!("a member as {}", role.name()),
            Kind::Stranger => "the owner of another customer".into(),
            Kind::StrangersToken => "a token of another customer".into(),
        }
    }
}

/// Begins a session: the cookie, and the token that a write must show beside it.
pub(super) async fn log_in(email: &str) -> (String, String) {
    let answer =
        shared().anonymous().post("/v1/session", &json!({"email": email, "password": PASSWORD})).await;
    let csrf_token = answer.json(200)["csrf_token"].as_str().unwrap().to_owned();
    (answer.header("set-cookie").split(';').next().unwrap().to_owned(), csrf_token)
}

pub(super) fn fresh_email() -> String {
    format!("{}@example.com", Uuid::now_v7())
}
