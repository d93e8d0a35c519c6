use std::sync::Arc;

use access::{Principal, Subject};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use chassis::{Env, INTERNAL_KEY_HEADER, PRINCIPAL_HEADER, Service};
use chrono_tz::Tz;
use domain::token::Scope;
use domain::{CustomerId, MemberId};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use scratch_database::ScratchDatabase;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

use crate::Config;

const KEY: &str = "a key that only tests know";

/// A service of its own, and a customer who calls it with every scope.
pub(super) struct House {
    router: Router,
    pub(super) customer: CustomerId,
    pub(super) database: Arc<ScratchDatabase>,
    _service: Service,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) body: Value,
}

impl Answer {
    /// Status and kind of a problem.
    pub(super) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        (self.status.as_u16(), self.body["type"].as_str().unwrap())
    }

    pub(super) fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
    }
}

impl House {
    pub(super) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(super) async fn start_with(pairs: &[(&str, &str)]) -> Self {
        let database = Arc::new(ScratchDatabase::empty().await);
        Self::over(database, CustomerId(Uuid::now_v7()), pairs).await
    }

    /// Another process over the same database, for the same customer.
    pub(super) async fn another(&self) -> Self {
        Self::over(Arc::clone(&self.database), self.customer, &[]).await
    }

    async fn over(database: Arc<ScratchDatabase>, customer: CustomerId, pairs: &[(&str, &str)]) -> Self {
        let url = database.url();
        let own = [
            ("DAYBOOK_ACTIVITIES_DATABASE_URL", url.as_str()),
            ("DAYBOOK_CUSTOMERS_DATABASE_URL", url.as_str()),
            ("DAYBOOK_INTERNAL_KEY", KEY),
            ("DAYBOOK_PARTITIONS", "4"),
        ];
        let config = Config::from_env(&Env::from_pairs(own.iter().chain(pairs).copied())).unwrap();
        let service = crate::start(config, CancellationToken::new()).await.unwrap();
        Self { router: service.router.clone(), customer, database, _service: service }
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        self.send_as(self.customer, &Scope::ALL, method, path, &[], body).await
    }

    pub(super) async fn send_as(
        &self,
        customer: CustomerId,
        scopes: &[Scope],
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let principal = Principal {
            customer_id: customer,
            subject: Subject::Member(MemberId(Uuid::from_u128(1))),
            scopes: scopes.to_vec().into(),
            time_zone: Tz::UTC,
            public: None,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-request-id", "r-1")
            .header(INTERNAL_KEY_HEADER, KEY)
            .header(PRINCIPAL_HEADER, serde_json::to_string(&principal).unwrap())
            .header("content-type", "application/json");
        let sent = request.headers_mut().unwrap();
        for (name, value) in headers {
            // In place of those above.
            sent.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, text, body }
    }

    /// Records an activity with this id and answers its position.
    pub(super) async fn record(&self, id: &str) -> i64 {
        let body = format!(r#"{{"id":"{id}","type":"order.paid","actor":"ada","value":12.5}}"#);
        let answer = self.send(Method::POST, "/v1/activities", body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        answer.body["position"].as_i64().unwrap()
    }
}
