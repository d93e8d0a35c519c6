use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::RateLimits;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How many requests a caller may make and how many are left, as headers of a response
/// (`draft-ietf-httpapi-ratelimit-headers-10`).
#[derive(Clone)]
pub(crate) struct Allowance {
    policy: HeaderValue,
    left: HeaderValue,
}

/// The values of `ratelimit-policy`, made once.
pub(crate) struct Policies {
    credential: HeaderValue,
    both: HeaderValue,
}

impl Policies {
    pub(crate) fn new(limits: RateLimits) -> Self {
        let credential = format!("\"credential\";q={};w=1", limits.credential_per_s);
        let both = format!("{credential}, \"customer\";q={};w=1", limits.customer_per_s);
        Self { credential: value(credential), both: value(both) }
    }
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

impl Allowance {
    /// The requests that are left for the credential and, if it is known, for the customer.
    pub(crate) fn new(policies: &Policies, credential: u32, customer: Option<u32>) -> Self {
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
