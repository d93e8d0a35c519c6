//! The whole door, with small services behind it that note what reaches them.

mod browsers;
mod faults;
mod openapi;
mod operations;
mod pages;
mod passing;
mod rates;
mod routing;
mod sessions;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Json, Response};
use chassis::{Env, Upstream};
use domain::token::TokenSecret;
use http::{HeaderMap, Method, StatusCode};
use rust_embed::Embed;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::config::Config;
use crate::router::router;
use crate::site::Site;
use crate::state::AppState;

#[derive(Embed)]
#[folder = "src/tests/site"]
struct Pages;

/// A request as a service saw it.
#[derive(Clone, Debug)]
struct Seen {
    service: &'static str,
    method: Method,
    path: String,
    headers: HeaderMap,
}

#[derive(Clone, Default)]
struct Witness(Arc<Mutex<Vec<Seen>>>);

impl Witness {
    /// A service that notes every request and answers its name.
    fn service(&self, service: &'static str) -> Router {
        let witness = self.clone();
        Router::new().fallback(move |request: Request| {
            let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
            let (method, headers) = (request.method().clone(), request.headers().clone());
            witness.0.lock().unwrap().push(Seen { service, method, path, headers });
            async move { Json(json!({"service": service})) }
        })
    }

    fn last(&self) -> Seen {
        self.0.lock().unwrap().last().cloned().expect("a request that reached a service")
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// The header of a program whose token is well formed; each number makes another.
fn bearer(n: u8) -> String {
    format!("Bearer {}", TokenSecret::make(|below| n % below).reveal())
}

fn config() -> Config {
    let config = Config::from_env(&Env::from_pairs([("DAYBOOK_INTERNAL_KEY", "0123456789abcdef")])).unwrap();
    Config { session_cookie: crate::SessionCookie::named("daybook_session"), ..config }
}

fn door(config: Config) -> Router {
    chassis::observe(router(AppState::new(config, Site::of::<Pages>()).unwrap()), "gateway")
}

/// A door with a witness behind every route.
fn witnessed() -> (Router, Witness) {
    let witness = Witness::default();
    let [activities, customers, reports] =
        ["activities", "customers", "reports"].map(|name| Upstream::Local(witness.service(name)));
    (door(Config { activities, customers, reports, ..config() }), witness)
}

fn request(method: &str, uri: &str) -> http::request::Builder {
    Request::builder().method(method).uri(uri)
}

async fn send(door: &Router, request: http::request::Builder) -> Response {
    door.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

/// The problem that an answer is, after a look at what every problem has.
async fn problem(response: Response) -> (StatusCode, Value) {
    let (status, headers) = (response.status(), response.headers().clone());
    assert_eq!(headers["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&text(response).await).unwrap();
    let id = headers["x-request-id"].to_str().unwrap();
    assert_eq!(problem["instance"], format!("urn:daybook:request:{id}"));
    assert_eq!(problem["status"], status.as_u16());
    (status, problem)
}

/// Serves a router on a free port until the test ends.
async fn listening(router: Router) -> Upstream {
    let listener = chassis::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(chassis::serve(listener, router, tokio_util::sync::CancellationToken::new()));
    url.parse().unwrap()
}

/// An answer whose kind the service at hand does not matter for.
fn ok() -> Response {
    StatusCode::OK.into_response()
}
