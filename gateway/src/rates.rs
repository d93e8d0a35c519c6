//! How many requests a second one token, and one customer with all of its tokens and people, may make.
//!
//! The door does not know whose a token is, and does not wait to find out: it asks customers in the background, once,
//! after a service has let the token in. So a flood of bad tokens causes no questions, and a new token counts for its
//! customer a few milliseconds after its first request.
//!
//! A rate alone does not keep one customer's flood from slowing another down: behind the door all requests share the same
//! cores and the same appenders. So a customer also has so many places at the services and no more. What comes beyond
//! them waits for one of the customer's own requests to be answered, not in the way of others.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use access::{ForwardedIds, InternalCall, ValidateToken, Verdict};
use chassis::{InternalKey, PRINCIPAL_HEADER, Upstream, shown_secret};
use domain::token::TokenSecret;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::GatewayError;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Credentials whose customer is remembered, and for how long.
const KNOWN_MAX: u64 = 100_000;
const KNOWN_TTL: Duration = Duration::from_hours(24);
/// How long nobody asks again whose a token is after a question.
const ASKED_TTL: Duration = Duration::from_secs(10);
const ASKED_AT_ONCE_MAX: usize = 16;
/// After so many requests, the state of those who have not come lately is forgotten.
const TIDY_INTERVAL: u64 = 50_000;

/// A batch does the work of many requests.
const BATCH_PLACES: u32 = 16;
/// Of the requests that the door holds, one customer's wait in at most this part.
const WAITING_PART: usize = 4;
/// The longest wait for a place.
const PLACE_TIMEOUT: Duration = Duration::from_secs(10);

type Limiter = RateLimiter<u64, DefaultKeyedStateStore<u64>, DefaultClock, StateInformationMiddleware>;

/// Requests a second; as many may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// With one token, or of one person.
    pub credential_per_s: NonZeroU32,
    /// Of one customer.
    pub customer_per_s: NonZeroU32,
    /// Requests of one customer that services work on at the same time; others of the customer wait.
    pub customer_places: NonZeroU32,
}

/// Counts requests.
#[derive(Clone)]
pub(crate) struct Rates(Arc<Inner>);

struct Inner {
    limits: RateLimits,
    policies: Policies,
    credentials: Limiter,
    customers: Limiter,
    /// Keys are hashes with chance in them, so that nobody can choose two credentials that count as one.
    seed: RandomState,
    known: Cache<u64, Arc<Share>>,
    /// The customers behind them, each once.
    shares: Cache<u64, Arc<Share>>,
    waiting_max: usize,
    asked: Cache<u64, ()>,
    asking: Arc<Semaphore>,
    counted: AtomicU64,
    upstream: Upstream,
    key: InternalKey,
}

/// What one customer has of the services at this moment.
struct Share {
    customer: u64,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Share {
    /// Waits for places, unless too many do already.
    async fn wait(&self, needed: u32, waiting_max: usize) -> Option<Place> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= waiting_max {
            return None;
        }
        let place = Arc::clone(&self.places).acquire_many_owned(needed);
        tokio::time::timeout(PLACE_TIMEOUT, place).await.ok()?.ok().map(Place)
    }
}

/// Free again when dropped.
pub(crate) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// One who waits, until dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who is counted for a request.
pub(crate) struct Payer {
    credential: u64,
    customer: Option<Arc<Share>>,
    /// To find out the customer with.
    secret: Option<TokenSecret>,
    /// Whether a token should be there, and something else is.
    is_malformed: bool,
}

impl Payer {
    /// Whether it shows as a token what is none.
    pub(crate) fn is_malformed(&self) -> bool {
        self.is_malformed
    }

    /// Whether it is not known yet which customer the credential is of.
    pub(crate) fn is_unknown(&self) -> bool {
        self.customer.is_none()
    }
}

/// What is left after a request.
#[derive(Clone)]
pub(crate) struct Allowance {
    policy: HeaderValue,
    left: HeaderValue,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits, requests_max: usize, upstream: Upstream, key: InternalKey) -> Self {
        let limiter = |per_s| RateLimiter::keyed(Quota::per_second(per_s)).with_middleware();
        Self(Arc::new(Inner {
            limits,
            policies: Policies::new(limits),
            credentials: limiter(limits.credential_per_s),
            customers: limiter(limits.customer_per_s),
            seed: RandomState::new(),
            known: Cache::builder().max_capacity(KNOWN_MAX).time_to_live(KNOWN_TTL).build(),
            shares: Cache::builder().max_capacity(KNOWN_MAX).time_to_idle(KNOWN_TTL).build(),
            waiting_max: (requests_max / WAITING_PART).max(1),
            asked: Cache::builder().max_capacity(KNOWN_MAX).time_to_live(ASKED_TTL).build(),
            asking: Arc::new(Semaphore::new(ASKED_AT_ONCE_MAX)),
            counted: AtomicU64::new(0),
            upstream,
            key,
        }))
    }

    /// Who is counted for a request whose cookie has been exchanged; nobody if it comes without credentials.
    pub(crate) async fn payer(&self, headers: &HeaderMap) -> Option<Payer> {
        let seed = &self.0.seed;
        if headers.contains_key(PRINCIPAL_HEADER) {
            let forwarded = ForwardedIds::read(headers)?;
            let customer = Some(self.share(seed.hash_one(forwarded.customer_id)).await);
            let credential = seed.hash_one(forwarded.subject());
            return Some(Payer { credential, customer, secret: None, is_malformed: false });
        }
        let authorization = headers.get(AUTHORIZATION)?;
        let text = authorization.to_str().ok()?;
        let shown = shown_secret(authorization);
        let secret = shown.as_ref().ok().and_then(|shown| TokenSecret::parse(shown.as_deref()?).ok());
        // Another scheme is for the service to refuse.
        let is_malformed = secret.is_none() && shown != Ok(None);
        let credential = match &secret {
            Some(secret) => seed.hash_one(secret.reveal()),
            None => seed.hash_one(text),
        };
        let customer = if is_malformed { None } else { self.0.known.get(&credential).await };
        Some(Payer { credential, customer, secret, is_malformed })
    }

    async fn share(&self, customer: u64) -> Arc<Share> {
        let places = self.0.limits.customer_places.get() as usize;
        let new = async {
            Arc::new(Share {
                customer,
                places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
                waiting: AtomicUsize::new(0),
            })
        };
        self.0.shares.get_with(customer, new).await
    }

    /// Takes one of the customer's places, or those that a batch needs, when there is one; nobody whose customer is not
    /// known yet needs one.
    ///
    /// # Errors
    /// [`GatewayError::TooManyRequests`] if too many of the customer wait, or this one has waited for too long.
    pub(crate) async fn place(
        &self,
        payer: &Payer,
        path: &str,
        allowance: &Allowance,
    ) -> Result<Option<Place>, GatewayError> {
        let Some(share) = &payer.customer else { return Ok(None) };
        let needed = if path.ends_with("/batch") { BATCH_PLACES } else { 1 };
        let needed = needed.min(self.0.limits.customer_places.get());
        if let Ok(place) = Arc::clone(&share.places).try_acquire_many_owned(needed) {
            return Ok(Some(Place(place)));
        }
        // On the heap: its size would be every request's.
        if let Some(place) = Box::pin(share.wait(needed, self.0.waiting_max)).await {
            return Ok(Some(place));
        }
        metrics::counter!("daybook_gateway_rate_limited_total", "limit" => "places").increment(1);
        Err(GatewayError::TooManyRequests { retry_after_s: 1, allowance: allowance.clone() })
    }

    /// Counts a request.
    ///
    /// # Errors
    /// [`GatewayError::TooManyRequests`], which says when to come again.
    pub(crate) fn admit(&self, payer: &Payer) -> Result<Allowance, GatewayError> {
        let inner = &*self.0;
        if inner.counted.fetch_add(1, Ordering::Relaxed) % TIDY_INTERVAL == TIDY_INTERVAL - 1 {
            inner.credentials.retain_recent();
            inner.customers.retain_recent();
        }
        // The credential first: what is refused for it does not count for the customer's other ones.
        let credential = check(&inner.credentials, payer.credential);
        let customer = payer.customer.as_ref().map(|share| match credential {
            Ok(_) => check(&inner.customers, share.customer),
            Err(_) => Ok(0),
        });
        let wait = credential.err().or(customer.and_then(Result::err));
        let customer = customer.map(|customer| customer.unwrap_or(0));
        let allowance = Allowance::new(&inner.policies, credential.unwrap_or(0), customer);
        match wait {
            None => Ok(allowance),
            Some(wait) => {
                let limit = if credential.is_err() { "credential" } else { "customer" };
                metrics::counter!("daybook_gateway_rate_limited_total", "limit" => limit).increment(1);
                Err(GatewayError::TooManyRequests { retry_after_s: wait.as_secs() + 1, allowance })
            }
        }
    }

    /// Finds out in the background whose a token is that a service has let in.
    pub(crate) async fn learn(&self, payer: Payer, status: StatusCode) {
        let (None, Some(secret)) = (payer.customer, payer.secret) else { return };
        if status == StatusCode::UNAUTHORIZED {
            return;
        }
        let Ok(place) = Arc::clone(&self.0.asking).try_acquire_owned() else { return };
        if !self.0.asked.entry(payer.credential).or_insert(()).await.is_fresh() {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let _place = place;
            let (inner, call) = (&*this.0, ValidateToken { sha256: secret.hash() });
            match call.ask(&inner.upstream, &inner.key).await {
                Ok(Verdict::Valid(valid)) => {
                    let customer = inner.seed.hash_one(valid.principal.customer_id.to_string().as_str());
                    let share = this.share(customer).await;
                    inner.known.insert(payer.credential, share).await;
                }
                Ok(Verdict::Refused(_)) => {}
                Err(error) => tracing::debug!(%error, "whose a token is is found out later"),
            }
        });
    }
}

/// What is left, or how long to wait.
fn check(limiter: &Limiter, key: u64) -> Result<u32, Duration> {
    match limiter.check_key(&key) {
        Ok(state) => Ok(state.remaining_burst_capacity()),
        Err(not_until) => Err(not_until.wait_time_from(DefaultClock::default().now())),
    }
}

/// The rates in words, which never change.
struct Policies {
    credential: HeaderValue,
    both: HeaderValue,
}

impl Policies {
    fn new(limits: RateLimits) -> Self {
        let credential = format!("\"credential\";q={};w=1", limits.credential_per_s);
        let both = format!("{credential}, \"customer\";q={};w=1", limits.customer_per_s);
        Self { credential: value(credential), both: value(both) }
    }
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

impl Allowance {
    /// What remains for the credential and, if it is known, for the customer.
    fn new(policies: &Policies, credential: u32, customer: Option<u32>) -> Self {
        match customer {
            None => Self {
                policy: policies.credential.clone(),
                left: value(format!("\"credential\";r={credential};t=1")),
            },
            Some(customer) => Self {
                policy: policies.both.clone(),
                left: value(format!("\"credential\";r={credential};t=1, \"customer\";r={customer};t=1")),
            },
        }
    }

    /// As the draft of the HTTP API working group has them (`draft-ietf-httpapi-ratelimit-headers-10`).
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_POLICY, self.policy);
        headers.insert(RATE_LIMIT, self.left);
    }
}

impl std::fmt::Debug for Allowance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Allowance").field(&self.left).finish()
    }
}
