use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use chassis::{Env, INTERNAL_KEY_HEADER, Service};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use scratch_database::ScratchDatabase;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::Config;

pub(super) const KEY: &str = "a key that only tests know";
pub(super) const PASSWORD: &str = "correct horse battery";

/// A service of its own.
pub(super) struct House {
    pub(super) router: Router,
    pub(super) database: Arc<ScratchDatabase>,
    _service: Service,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    /// Status and kind of a problem.
    pub(super) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        (self.status.as_u16(), self.body["type"].as_str().unwrap())
    }

    pub(super) fn pointers(&self) -> Vec<&str> {
        self.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect()
    }

    /// The cookie as a browser sends it back.
    pub(super) fn cookie(&self) -> String {
        self.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

impl House {
    pub(super) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A service with these keys set.
    pub(super) async fn with(keys: &[(&str, &str)]) -> Self {
        Self::on(Arc::new(ScratchDatabase::empty().await), keys).await
    }

    /// Another process' worth of the service, on the same database.
    pub(super) async fn another(&self) -> Self {
        Self::on(Arc::clone(&self.database), &[]).await
    }

    async fn on(database: Arc<ScratchDatabase>, keys: &[(&str, &str)]) -> Self {
        let service = crate::start(config_with(&database, keys), CancellationToken::new()).await.unwrap();
        Self { router: service.router.clone(), database, _service: service }
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("x-request-id", "r-1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        };
        let response = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn ask(&self, path: &str, question: Value) -> Value {
        self.send(Method::POST, path, &[(INTERNAL_KEY_HEADER.as_str(), KEY)], question).await.body
    }

    pub(super) async fn sign_up(&self, email: &str) -> Answer {
        let body = json!({"name": "Ledger & Co", "email": email, "password": PASSWORD, "time_zone": "Europe/Berlin"});
        self.send(Method::POST, "/v1/customers", &[], body).await
    }

    pub(super) async fn log_in(&self, email: &str) -> Answer {
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.send(Method::POST, "/v1/session", &[], body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer
    }

    /// Whoever has just signed up, joined or logged in.
    pub(super) async fn person(&self, answer: &Answer) -> Person {
        let id = answer.body["member"]["id"].as_str().unwrap().to_owned();
        let (cookie, principal) = (answer.cookie(), Owner::of(self, answer).await);
        Person { id, cookie, principal }
    }

    /// Somebody who was invited and has joined.
    pub(super) async fn join(&self, owner: &Owner, email: &str, role: &str) -> Person {
        let body = json!({"email": email, "role": role});
        let invited = self.send(Method::POST, "/v1/members", &owner.headers(), body).await;
        let url = invited.body["invite_url"].as_str().unwrap_or_else(|| panic!("{}", invited.body));
        let body = json!({"token": url.split_once('=').unwrap().1, "password": PASSWORD});
        let joined = self.send(Method::POST, "/v1/invitations/accept", &[], body).await;
        assert_eq!(joined.status, StatusCode::CREATED, "{}", joined.body);
        self.person(&joined).await
    }

    /// A secret, issued by the owner.
    pub(super) async fn issue(&self, owner: &Owner, scopes: Value) -> (String, String) {
        let body = json!({"name": "ci", "scopes": scopes});
        let answer = self.send(Method::POST, "/v1/tokens", &owner.headers(), body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let text = |name: &str| answer.body[name].as_str().unwrap().to_owned();
        (text("id"), text("token"))
    }
}

/// One of a customer's people.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) cookie: String,
    pub(super) principal: Owner,
}

pub(super) fn config(database: &ScratchDatabase) -> Config {
    config_with(database, &[])
}

fn config_with(database: &ScratchDatabase, keys: &[(&str, &str)]) -> Config {
    let url = database.url();
    let own = [
        ("DAYBOOK_CUSTOMERS_DATABASE_URL", url.as_str()),
        ("DAYBOOK_INTERNAL_KEY", KEY),
        ("DAYBOOK_CUSTOMERS_CONNECTIONS_MAX", "8"),
    ];
    Config::from_env(&Env::from_pairs(own.into_iter().chain(keys.iter().copied()))).unwrap()
}

/// What the gateway forwards of somebody who is logged in.
pub(super) struct Owner(String);

impl Owner {
    pub(super) async fn of(house: &House, signed_up: &Answer) -> Self {
        let cookie = signed_up.cookie();
        let question = json!({"cookie": cookie.split_once('=').unwrap().1});
        Self(house.ask("/internal/sessions/resolve", question).await["principal"].to_string())
    }

    pub(super) fn headers(&self) -> [(&'static str, &str); 2] {
        [("x-daybook-principal", &self.0), ("x-daybook-internal-key", KEY)]
    }
}
