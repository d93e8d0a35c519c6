use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use chassis::{Problem, Upstream};
use serde_json::json;

use super::{Witness, bearer, config, door, ok, problem, request, send};
use crate::{Config, Limits, RateLimits};

fn rates(credential: u32, customer: u32) -> Limits {
    let per_s = |n| NonZeroU32::new(n).unwrap();
    let (credential_per_s, customer_per_s) = (per_s(credential), per_s(customer));
    let rates = RateLimits { credential_per_s, customer_per_s, ..Limits::default().rates };
    Limits { rates, ..Limits::default() }
}

/// A door to a service that answers like this, and to a customers that knows every token as one customer's. Counts how
/// often customers is asked.
fn limited(limits: Limits, answer: fn() -> Response) -> (Router, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let validate = move || {
        count.fetch_add(1, Ordering::SeqCst);
        let id = "00000000-0000-0000-0000-000000000001";
        let principal =
            json!({"customer_id": id, "subject": {"token": id}, "scopes": ["ingest"], "time_zone": "UTC"});
        async move { Json(json!({"valid": {"principal": principal, "expires_at": null}})) }
    };
    let customers = Router::new().route("/internal/tokens/validate", post(validate));
    let activities = Upstream::Local(Router::new().fallback(move || async move { answer() }));
    (door(Config { activities, customers: Upstream::Local(customers), limits, ..config() }), asked)
}

async fn read(door: &Router, authorization: &str) -> Response {
    send(door, request("GET", "/v1/history").header("authorization", authorization)).await
}

#[tokio::test]
async fn a_token_beyond_its_rate_is_told_when_to_come_again() {
    let (door, _) = limited(rates(1, 1_000), ok);
    let first = read(&door, &bearer(1)).await;
    assert_eq!(first.status(), 200);
    assert_eq!(first.headers()["ratelimit-policy"], "\"credential\";q=1;w=1");
    assert_eq!(first.headers()["ratelimit"], "\"credential\";r=0;t=1");
    let second = read(&door, &bearer(1)).await;
    assert_eq!(second.headers()["retry-after"], "1");
    assert!(second.headers().contains_key("ratelimit") && second.headers().contains_key("ratelimit-policy"));
    let (status, problem) = problem(second).await;
    assert_eq!((status.as_u16(), &problem["type"]), (429, &"/problems/rate-limited".into()));
    assert_eq!(read(&door, &bearer(2)).await.status(), 200, "another token has a rate of its own");
}

#[tokio::test]
async fn all_tokens_of_a_customer_share_its_rate() {
    let (door, asked) = limited(rates(1_000, 1), ok);
    let begin = Instant::now();
    let refused = loop {
        // Until the door has learnt whose both are, each counts for itself.
        let answers = [read(&door, &bearer(1)).await, read(&door, &bearer(2)).await];
        if let Some(refused) = answers.into_iter().find(|answer| answer.status() == 429) {
            break refused;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "the customer's rate was never counted");
        tokio::task::yield_now().await;
    };
    let policy = &refused.headers()["ratelimit-policy"];
    assert_eq!(policy, "\"credential\";q=1000;w=1, \"customer\";q=1;w=1");
    assert!(asked.load(Ordering::SeqCst) <= 2, "each token is asked about once");
}

#[tokio::test]
async fn a_flood_of_bad_tokens_causes_no_question() {
    let (door, asked) =
        limited(rates(1_000, 1_000), || Problem::unauthorized("token-unknown").into_response());
    for n in 0..60 {
        assert_eq!(read(&door, &bearer(n)).await.status(), 401);
    }
    for text in ["Bearer dbk_x", "Basic ???", "Digest x"] {
        assert_eq!(read(&door, text).await.status(), 401);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_person_counts_for_the_customer_from_the_first_request() {
    let resolve = || async {
        Json(json!({"principal": {"customer_id": "c1", "subject": {"member": "m1"}}, "csrf_ok": true}))
    };
    let witness = Witness::default();
    let customers = Router::new().route("/internal/sessions/resolve", post(resolve));
    let [activities, customers] = [witness.service("activities"), customers].map(Upstream::Local);
    let door = door(Config { activities, customers, limits: rates(1_000, 1), ..config() });
    let read = || request("GET", "/v1/history").header("cookie", "daybook_session=x");
    let first = send(&door, read()).await;
    assert_eq!(first.headers()["ratelimit"], "\"credential\";r=999;t=1, \"customer\";r=0;t=1");
    assert_eq!((send(&door, read()).await.status().as_u16(), witness.count()), (429, 1));
}

#[tokio::test]
async fn whoever_shows_no_credentials_is_not_counted() {
    let (door, _) = limited(rates(1, 1), ok);
    for _ in 0..5 {
        let answer = send(&door, request("GET", "/v1/history")).await;
        assert!(answer.status() == 200 && !answer.headers().contains_key("ratelimit"));
    }
}

/// Activities that answer when they are told to: requests under way, the most that ever were, and how to let them go.
#[derive(Clone)]
struct Held {
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    gate: Arc<tokio::sync::Semaphore>,
}

impl Held {
    fn new() -> Self {
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        Self { under_way: Arc::default(), most: Arc::default(), gate }
    }

    fn service(&self) -> Upstream {
        let this = self.clone();
        Upstream::Local(Router::new().fallback(move || {
            let this = this.clone();
            async move {
                let now = this.under_way.fetch_add(1, Ordering::SeqCst) + 1;
                this.most.fetch_max(now, Ordering::SeqCst);
                this.gate.acquire().await.unwrap().forget();
                this.under_way.fetch_sub(1, Ordering::SeqCst);
            }
        }))
    }

    async fn until(&self, under_way: usize) {
        let begin = Instant::now();
        while self.under_way.load(Ordering::SeqCst) != under_way {
            assert!(begin.elapsed() < Duration::from_secs(20), "{under_way} requests were never under way");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn one_customers_flood_leaves_the_services_to_others() {
    let held = Held::new();
    let resolve = |body: Json<serde_json::Value>| async move {
        let customer = body["cookie"].clone();
        Json(json!({"principal": {"customer_id": customer, "subject": {"member": "m1"}}, "csrf_ok": true}))
    };
    let customers = Router::new().route("/internal/sessions/resolve", post(resolve));
    let mut limits = Limits { requests_max: 16, ..rates(1_000, 1_000) };
    limits.rates.customer_places = NonZeroU32::new(2).unwrap();
    let customers = Upstream::Local(customers);
    let door = door(Config { activities: held.service(), customers, limits, ..config() });
    let read = |customer: &str| {
        let (door, cookie) = (door.clone(), format!("daybook_session={customer}"));
        tokio::spawn(async move {
            send(&door, request("GET", "/v1/history").header("cookie", cookie)).await.status().as_u16()
        })
    };
    // Two are worked on, four may wait, and one more is told to come again.
    let flood: Vec<_> = (0..7).map(|_| read("a")).collect();
    held.until(2).await;
    let other = read("b");
    held.until(3).await;
    assert_eq!(held.most.load(Ordering::SeqCst), 3, "the other customer does not wait");
    held.gate.add_permits(7);
    assert_eq!(other.await.unwrap(), 200);
    let mut statuses = Vec::new();
    for answer in flood {
        statuses.push(answer.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429]);
    assert_eq!(held.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_key_in_the_body_counts_for_the_address_that_it_comes_from() {
    let (door, _) = limited(rates(1, 1_000), ok);
    let from = async |address: [u8; 4]| {
        let peer = ConnectInfo(SocketAddr::from((address, 1)));
        send(&door, request("POST", "/batch/").extension(peer)).await.status().as_u16()
    };
    assert_eq!((from([192, 0, 2, 1]).await, from([192, 0, 2, 1]).await), (200, 429));
    assert_eq!(from([192, 0, 2, 2]).await, 200, "another address has a rate of its own");
}
