//! How many requests a second one credential, and one customer with all of its tokens and people, may make.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::allowance::{Allowance, Policies};
use crate::config::RateLimits;
use crate::credentials::Credential;
use crate::error::GatewayError;

/// After so many requests, the state of callers that have not come lately is deleted.
const CLEAN_UP_INTERVAL: u64 = 50_000;

type Limiter = RateLimiter<u64, DefaultKeyedStateStore<u64>, DefaultClock, StateInformationMiddleware>;

/// Counts the requests of each credential and each customer.
pub(crate) struct Rates {
    policies: Policies,
    credentials: Limiter,
    customers: Limiter,
    counted: AtomicU64,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let limiter = |per_s: NonZeroU32| RateLimiter::keyed(Quota::per_second(per_s)).with_middleware();
        Self {
            policies: Policies::new(limits),
            credentials: limiter(limits.credential_per_s),
            customers: limiter(limits.customer_per_s),
            counted: AtomicU64::new(0),
        }
    }

    /// Counts a request, and returns what is left.
    ///
    /// # Errors
    /// [`GatewayError::TooManyRequests`], which says when to come again.
    pub(crate) fn count(&self, credential: &Credential) -> Result<Allowance, GatewayError> {
        if self.counted.fetch_add(1, Ordering::Relaxed) % CLEAN_UP_INTERVAL == CLEAN_UP_INTERVAL - 1 {
            self.credentials.retain_recent();
            self.customers.retain_recent();
        }
        // The credential first: what is refused for it does not count for the customer's other ones.
        let of_credential = check(&self.credentials, credential.key);
        let of_customer = credential.customer.as_ref().map(|customer| match of_credential {
            Ok(_) => check(&self.customers, customer.key),
            Err(_) => Ok(0),
        });
        let wait = of_credential.err().or(of_customer.and_then(Result::err));
        let of_customer = of_customer.map(|left| left.unwrap_or(0));
        let allowance = Allowance::new(&self.policies, of_credential.unwrap_or(0), of_customer);
        match wait {
            None => Ok(allowance),
            Some(wait) => {
                let limit = if of_credential.is_err() { "credential" } else { "customer" };
                metrics::counter!("daybook_gateway_rate_limited_total", "limit" => limit).increment(1);
                Err(GatewayError::TooManyRequests { retry_after_s: wait.as_secs() + 1, allowance })
            }
        }
    }
}

/// Returns how many requests are left, or how long to wait.
fn check(limiter: &Limiter, key: u64) -> Result<u32, Duration> {
    match limiter.check_key(&key) {
        Ok(state) => Ok(state.remaining_burst_capacity()),
        Err(not_until) => Err(not_until.wait_time_from(DefaultClock::default().now())),
    }
}
