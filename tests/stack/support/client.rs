use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// One caller of the public interface.
#[derive(Clone)]
pub(crate) struct Api {
    base: String,
    http: reqwest::Client,
    token: Option<String>,
}

/// A client with cookies of its own.
pub(crate) fn http() -> reqwest::Client {
    // Built with the whole workspace, reqwest has TLS, and wants a provider though nothing here uses it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Nor does anything need the machine's certificates, which take long to load in a debug build.
    reqwest::Client::builder().cookie_store(true).tls_certs_only([]).build().unwrap()
}

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Api {
    /// Without a token; with a cookie once it has logged in.
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.to_owned(), http: http(), token: None }
    }

    /// The same system with a token, and without a cookie.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::new(&self.base) }
    }

    /// The same caller of a system that has moved.
    pub(crate) fn with_base(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// The items of all pages of a list; the path has a query.
    pub(crate) async fn pages(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{cursor}")).await.json(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PATCH, path).json(body)).await
    }

    /// A body as it stands.
    pub(crate) async fn post_raw(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = self.request(Method::POST, path).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request).await
    }

    /// Records an activity, and returns the response.
    pub(crate) async fn record(&self, activity: &Value) -> Value {
        self.post("/v1/activities", activity).await.json(202)
    }
}

/// Sends a request and reads the whole response.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, after the status that was expected.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON: {error}: {}", self.text))
    }

    /// A problem as every problem must be (RFC 9457), of this status and kind. Returns its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        let problem = self.json(status);
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/problem+json", "{problem}");
        assert_eq!(problem["type"], format!("/problems/{kind}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        let id = self.header("x-request-id");
        assert!(!id.is_empty(), "an answer without x-request-id: {problem}");
        assert_eq!(problem["instance"], format!("urn:daybook:request:{id}"), "{problem}");
        problem
    }

    /// The pointers of a 422, in order.
    #[track_caller]
    pub(crate) fn pointers(&self) -> Vec<String> {
        let problem = self.problem(422, "invalid-content");
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap().to_owned()
}

/// A customer with its owner's session and a token for everything.
pub(crate) struct Customer {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) token: String,
    pub(crate) csrf_token: String,
    /// With the token.
    pub(crate) api: Api,
    /// With the cookie.
    pub(crate) dashboard: Api,
}

impl Customer {
    pub(crate) async fn sign_up(base: &str, time_zone: &str) -> Self {
        let dashboard = Api::new(base);
        let email = format!("{}@example.com", Uuid::now_v7());
        let body =
            json!({"name": "Ledger & Co", "email": email, "password": PASSWORD, "time_zone": time_zone});
        let signed_up = dashboard.post("/v1/customers", &body).await.json(201);
        let csrf_token = text(&signed_up, "csrf_token");
        let id = text(&signed_up, "id");
        let mut customer =
            Self { id, email, token: String::new(), csrf_token, api: Api::new(base), dashboard };
        let issued = customer.issue(&["ingest", "read", "audit", "admin"]).await;
        customer.token = text(&issued, "token");
        customer.api = customer.api.with_token(&customer.token);
        customer
    }

    /// Issues a token with these scopes; returns the response.
    pub(crate) async fn issue(&self, scopes: &[&str]) -> Value {
        self.issue_with(&json!({"name": "test", "scopes": scopes})).await.json(201)
    }

    pub(crate) async fn issue_with(&self, body: &Value) -> Answer {
        let request =
            self.dashboard.request(Method::POST, "/v1/tokens").header("x-csrf-token", &self.csrf_token);
        send(request.json(body)).await
    }

    /// A caller with a new token of these scopes alone.
    pub(crate) async fn with_scopes(&self, scopes: &[&str]) -> Api {
        let issued = self.issue(scopes).await;
        self.api.with_token(issued["token"].as_str().unwrap())
    }
}
