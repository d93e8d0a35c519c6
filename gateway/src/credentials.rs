//! With which credential a request comes, and whose it is.
//!
//! The gateway does not know whose a token is, and does not wait to find out: it asks customers in the background, once,
//! after a service has let the token in. So a flood of bad tokens causes no questions, and a new token counts for its
//! customer a few milliseconds after its first request.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::{ForwardedIds, InternalCall, ValidateToken, Verdict};
use chassis::{InternalKey, PRINCIPAL_HEADER, Upstream, shown_secret};
use domain::token::TokenSecret;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::config::Limits;
use crate::places::CustomerPlaces;

/// The most credentials whose customer is remembered.
const KNOWN_MAX: u64 = 100_000;
/// How long a credential's customer is remembered.
const KNOWN_TTL: Duration = Duration::from_hours(24);
/// How long customers is not asked again about the same token.
const ASK_INTERVAL: Duration = Duration::from_secs(10);
const QUESTIONS_AT_ONCE_MAX: usize = 16;

/// A request's credential: a token, or a person's session that was exchanged for a principal.
pub(crate) struct Credential {
    /// Tells credentials apart.
    pub(crate) key: u64,
    /// Whose it is, once that is known.
    pub(crate) customer: Option<Arc<CustomerPlaces>>,
    /// The token, if it is one.
    secret: Option<TokenSecret>,
    /// Whether the request shows something else where a token should be.
    pub(crate) is_malformed: bool,
}

/// Knows whose credentials are.
#[derive(Clone)]
pub(crate) struct Credentials(Arc<Inner>);

struct Inner {
    places: u32,
    requests_max: usize,
    /// Makes keys that nobody can foresee, so that nobody can choose two credentials that count as one.
    seed: RandomState,
    /// The customer of a credential.
    known: Cache<u64, Arc<CustomerPlaces>>,
    /// Each customer once.
    customers: Cache<u64, Arc<CustomerPlaces>>,
    /// The tokens that customers was asked about a moment ago.
    asked: Cache<u64, ()>,
    questions: Arc<Semaphore>,
    service: Upstream,
    key: InternalKey,
}

impl Credentials {
    /// `service` is customers, and `key` by which it knows us.
    pub(crate) fn new(limits: Limits, service: Upstream, key: InternalKey) -> Self {
        Self(Arc::new(Inner {
            places: limits.rates.customer_places.get(),
            requests_max: limits.requests_max,
            seed: RandomState::new(),
            known: Cache::builder().max_capacity(KNOWN_MAX).time_to_live(KNOWN_TTL).build(),
            customers: Cache::builder().max_capacity(KNOWN_MAX).time_to_idle(KNOWN_TTL).build(),
            asked: Cache::builder().max_capacity(KNOWN_MAX).time_to_live(ASK_INTERVAL).build(),
            questions: Arc::new(Semaphore::new(QUESTIONS_AT_ONCE_MAX)),
            service,
            key,
        }))
    }

    /// The credential of a request whose cookie has been exchanged; `None` if it comes without.
    pub(crate) async fn of_request(&self, headers: &HeaderMap) -> Option<Credential> {
        let seed = &self.0.seed;
        if headers.contains_key(PRINCIPAL_HEADER) {
            let ids = ForwardedIds::read(headers)?;
            let customer = Some(self.customer(seed.hash_one(ids.customer_id)).await);
            let key = seed.hash_one(ids.subject());
            return Some(Credential { key, customer, secret: None, is_malformed: false });
        }
        let authorization = headers.get(AUTHORIZATION)?;
        let text = authorization.to_str().ok()?;
        let shown = shown_secret(authorization);
        let secret = shown.as_ref().ok().and_then(|shown| TokenSecret::parse(shown.as_deref()?).ok());
        // Another scheme is for the service to refuse.
        let is_malformed = secret.is_none() && shown != Ok(None);
        let key = match &secret {
            Some(secret) => seed.hash_one(secret.reveal()),
            None => seed.hash_one(text),
        };
        let customer = if is_malformed { None } else { self.0.known.get(&key).await };
        Some(Credential { key, customer, secret, is_malformed })
    }

    /// What stands for a credential that only the service can find, in the body: the address that it comes from.
    pub(crate) fn of_address(&self, address: IpAddr) -> Credential {
        let key = self.0.seed.hash_one(address);
        Credential { key, customer: None, secret: None, is_malformed: false }
    }

    async fn customer(&self, key: u64) -> Arc<CustomerPlaces> {
        let new = async { Arc::new(CustomerPlaces::new(key, self.0.places, self.0.requests_max)) };
        self.0.customers.get_with(key, new).await
    }

    /// Finds out in the background whose a token is, after a service has answered its request with this status.
    pub(crate) async fn learn(&self, credential: Credential, status: StatusCode) {
        let (None, Some(secret)) = (credential.customer, credential.secret) else { return };
        if status == StatusCode::UNAUTHORIZED {
            return;
        }
        let Ok(permit) = Arc::clone(&self.0.questions).try_acquire_owned() else { return };
        if !self.0.asked.entry(credential.key).or_insert(()).await.is_fresh() {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let (inner, call) = (&*this.0, ValidateToken { sha256: secret.hash() });
            match call.ask(&inner.service, &inner.key).await {
                Ok(Verdict::Valid(valid)) => {
                    let customer_id = valid.principal.customer_id.to_string();
                    let customer = this.customer(inner.seed.hash_one(customer_id.as_str())).await;
                    inner.known.insert(credential.key, customer).await;
                }
                Ok(Verdict::Refused(_)) => {}
                Err(error) => tracing::debug!(%error, "the customer of a token is not known yet"),
            }
        });
    }
}
