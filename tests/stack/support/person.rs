use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Api, Customer, PASSWORD, Stack, send};

/// One of a customer's people, with a session.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) csrf_token: String,
    pub(crate) dashboard: Api,
}

impl Person {
    pub(crate) fn of(dashboard: Api, session: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            id: text(&session["member"]["id"]),
            email: text(&session["member"]["email"]),
            csrf_token: text(&session["csrf_token"]),
            dashboard,
        }
    }

    /// Somebody whom the customer's owner has invited, and who has joined.
    pub(crate) async fn joined(stack: &Stack, customer: &Customer, role: &str) -> Self {
        let link = invite(customer, role).await["invite_url"].as_str().unwrap().to_owned();
        let dashboard = stack.anonymous();
        let session = accept(&dashboard, &link).await.json(201);
        Self::of(dashboard, &session)
    }

    pub(crate) async fn write(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.dashboard.request(method, path).header("x-csrf-token", &self.csrf_token);
        send(request.json(body)).await
    }

    /// A new token that the person issues.
    pub(crate) async fn issue(&self, scopes: &[&str]) -> Value {
        self.write(Method::POST, "/v1/tokens", &json!({"name": "mine", "scopes": scopes})).await.json(201)
    }
}

/// Invites somebody new, and returns the response.
pub(crate) async fn invite(customer: &Customer, role: &str) -> Value {
    let body = json!({"email": format!("{}@example.com", Uuid::now_v7()), "role": role});
    customer.api.post("/v1/members", &body).await.json(201)
}

/// Joins by a link.
pub(crate) async fn accept(api: &Api, link: &str) -> Answer {
    let (_, token) = link.split_once("/join#token=").unwrap();
    api.post("/v1/invitations/accept", &json!({"token": token, "password": PASSWORD})).await
}
