//! Asking a process of reports, as the gateway does.

use access::{Principal, Subject};
use axum::body::Body;
use axum::extract::Request;
use chrono_tz::Tz;
use domain::token::{Scope, Scopes};
use domain::{CustomerId, MemberId};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use super::{Answer, KEY, PATIENCE, Reports};

impl Reports {
    /// What `/readyz` says.
    pub(in crate::tests) async fn ready(&self) -> (StatusCode, String) {
        let request = Request::builder().uri("/readyz").body(Body::empty()).unwrap();
        let response = self.service.readiness.clone().router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    pub(in crate::tests) async fn get(&self, customer: CustomerId, path: &str) -> Answer {
        self.ask(customer, path, &[], &[Scope::Read]).await
    }

    /// A body that is surely there.
    pub(in crate::tests) async fn body(&self, customer: CustomerId, path: &str) -> Value {
        let answer = self.get(customer, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        answer.body
    }

    /// A body that is a file.
    pub(in crate::tests) async fn file(
        &self,
        customer: CustomerId,
        path: &str,
        accept: &str,
    ) -> (HeaderMap, Vec<u8>) {
        let answer = self.ask(customer, path, &[("accept", accept)], &[Scope::Read]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        (answer.headers, answer.bytes.to_vec())
    }

    pub(in crate::tests) async fn ask(
        &self,
        customer: CustomerId,
        path: &str,
        headers: &[(&str, &str)],
        scopes: &[Scope],
    ) -> Answer {
        self.send(http::Method::GET, customer, path, headers, scopes).await
    }

    pub(in crate::tests) async fn send(
        &self,
        method: http::Method,
        customer: CustomerId,
        path: &str,
        headers: &[(&str, &str)],
        scopes: &[Scope],
    ) -> Answer {
        let principal = Principal {
            customer_id: customer,
            subject: Subject::Member(MemberId(Uuid::nil())),
            scopes: Scopes::from(scopes.to_vec()),
            time_zone: Tz::Europe__Berlin,
            public: None,
        };
        let mut request = Request::builder().method(method).uri(path).header("x-daybook-internal-key", KEY);
        request = request.header("x-daybook-principal", serde_json::to_string(&principal).unwrap());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body, bytes }
    }

    /// Ends the process, and waits until it has ended.
    pub(in crate::tests) async fn stop(self) {
        self.shutdown.cancel();
        let ending = tokio::time::timeout(PATIENCE, self.service.tasks.join_all());
        ending.await.expect("the tasks must end");
    }
}
