use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use chassis::{ConfigError, Env, InternalKey, Upstream};
use utoipa::openapi::OpenApi;

use crate::rates::RateLimits;

/// What the gateway needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where the public connects.
    pub listen: SocketAddr,
    /// Where `/metrics` is read; not for the public.
    pub metrics_listen: SocketAddr,
    /// The write side.
    pub activities: Upstream,
    /// Customers, sessions and tokens.
    pub customers: Upstream,
    /// The read side.
    pub reports: Upstream,
    /// The secret that services share.
    pub internal_key: InternalKey,
    /// Its limits.
    pub limits: Limits,
    /// The document that `/openapi.json` shows; [`merge`](crate::merge) makes it from those of the services.
    pub openapi: OpenApi,
}

/// How much the gateway takes on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests in flight, from the head to the last byte of the answer.
    pub requests_max: usize,
    /// How long a service may take until the head of its answer.
    pub answer_timeout: Duration,
    /// How long a resolved session is believed.
    pub session_cache_ttl: Duration,
    /// How many resolved sessions are kept.
    pub sessions_max: u64,
    /// How many requests a second one token and one customer may make.
    pub rates: RateLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_max: 2_048,
            answer_timeout: Duration::from_mins(1),
            session_cache_ttl: Duration::from_secs(1),
            sessions_max: 10_000,
            rates: RateLimits {
                credential_per_s: NonZeroU32::MIN.saturating_add(19_999),
                customer_per_s: NonZeroU32::MIN.saturating_add(39_999),
                customer_places: NonZeroU32::MIN.saturating_add(63),
            },
        }
    }
}

impl Config {
    /// The configuration from `DAYBOOK_…` keys; `openapi` is then the gateway's own part alone.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            listen: env.or("DAYBOOK_GATEWAY_LISTEN", (Ipv4Addr::LOCALHOST, 8080).into())?,
            metrics_listen: env.or("DAYBOOK_GATEWAY_METRICS_LISTEN", (Ipv4Addr::LOCALHOST, 9100).into())?,
            activities: env.or_text("DAYBOOK_ACTIVITIES_URL", "http://127.0.0.1:8101")?,
            customers: env.or_text("DAYBOOK_CUSTOMERS_URL", "http://127.0.0.1:8102")?,
            reports: env.or_text("DAYBOOK_REPORTS_URL", "http://127.0.0.1:8103")?,
            internal_key: env.required("DAYBOOK_INTERNAL_KEY", "All services share this secret.")?,
            limits: Limits::from_env(env)?,
            openapi: crate::openapi_base(),
        })
    }
}

impl Limits {
    fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let default = Self::default();
        let seconds = |key, default: Duration| env.or(key, default.as_secs()).map(Duration::from_secs);
        Ok(Self {
            requests_max: env.or("DAYBOOK_GATEWAY_REQUESTS_MAX", default.requests_max)?,
            answer_timeout: seconds("DAYBOOK_GATEWAY_ANSWER_TIMEOUT_S", default.answer_timeout)?,
            session_cache_ttl: seconds("DAYBOOK_GATEWAY_SESSION_CACHE_TTL_S", default.session_cache_ttl)?,
            sessions_max: env.or("DAYBOOK_GATEWAY_SESSIONS_MAX", default.sessions_max)?,
            rates: RateLimits {
                credential_per_s: env
                    .or("DAYBOOK_GATEWAY_CREDENTIAL_REQUESTS_PER_S", default.rates.credential_per_s)?,
                customer_per_s: env
                    .or("DAYBOOK_GATEWAY_CUSTOMER_REQUESTS_PER_S", default.rates.customer_per_s)?,
                customer_places: env.or("DAYBOOK_GATEWAY_CUSTOMER_PLACES", default.rates.customer_places)?,
            },
        })
    }
}
