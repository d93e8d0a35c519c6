//! New customers, whose programs are the load.

use std::net::SocketAddr;

use domain::CustomerId;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::client::Client;
use crate::failure::Failure;

/// A new customer's owner, with a session.
pub(super) struct Owner {
    pub(super) customer: CustomerId,
    client: Client,
    cookie: String,
    csrf_token: String,
}

/// A token that was issued.
pub(super) struct Issued {
    id: String,
    pub(super) secret: String,
}

impl Owner {
    pub(super) async fn sign_up(door: SocketAddr) -> Result<Self, Failure> {
        let client = Client::of(door)?;
        let (email, password) =
            (format!("{}@example.com", Uuid::now_v7()), format!("{:032x}", rand::random::<u128>()));
        let body = json!({"name": "Benchmark", "email": email, "password": password});
        let (headers, answer) = client.call(Method::POST, "/v1/customers", &[], body.to_string()).await?;
        let cookie = headers.get(http::header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let customer = text(&answer, "id").parse();
        let customer = customer.map_err(|error| Failure::Failed(format!("a customer's id: {error}")))?;
        Ok(Self { customer, client, cookie, csrf_token: text(&answer, "csrf_token") })
    }

    async fn write(&self, method: Method, path: &str, body: String) -> Result<Value, Failure> {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.csrf_token.as_str())];
        Ok(self.client.call(method, path, &headers, body).await?.1)
    }

    pub(super) async fn issue(&self) -> Result<Issued, Failure> {
        let body = json!({"name": "bench", "scopes": ["ingest", "read", "audit"]}).to_string();
        let answer = self.write(Method::POST, "/v1/tokens", body).await?;
        Ok(Issued { id: text(&answer, "id"), secret: text(&answer, "token") })
    }

    pub(super) async fn revoke(&self, token: &Issued) -> Result<(), Failure> {
        self.write(Method::DELETE, &format!("/v1/tokens/{}", token.id), String::new()).await.map(|_| ())
    }

    /// A program of the customer's with a new token.
    pub(super) async fn program(&self) -> Result<Client, Failure> {
        self.client.clone().with_token(&self.issue().await?.secret)
    }
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_default().to_owned()
}
