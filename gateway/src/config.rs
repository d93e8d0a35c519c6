use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chassis::{ConfigError, Env, InternalKey, StartError, Tls, Upstream};
use utoipa::openapi::OpenApi;

use crate::client::TrustedProxies;
use crate::cookies::SessionCookie;
use crate::rates::RateLimits;

const CUSTOMERS_URL_DEFAULT: &str = "http://127.0.0.1:8102";

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
    /// The certificate that the door shows, if it speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// The proxies before the door that are believed when they say who connects.
    pub trusted_proxies: TrustedProxies,
    /// The session's cookie, as browsers know it.
    pub session_cookie: SessionCookie,
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
                // More than one honest client can send: what keeps a flood away from others are the places.
                credential_per_s: NonZeroU32::MIN.saturating_add(99_999),
                customer_per_s: NonZeroU32::MIN.saturating_add(199_999),
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
            listen: env.listen("DAYBOOK_GATEWAY_LISTEN", (Ipv4Addr::LOCALHOST, 8080))?,
            metrics_listen: env.listen("DAYBOOK_GATEWAY_METRICS_LISTEN", (Ipv4Addr::LOCALHOST, 9100))?,
            activities: env.or_text("DAYBOOK_ACTIVITIES_URL", "http://127.0.0.1:8101")?,
            customers: env.or_text("DAYBOOK_CUSTOMERS_URL", CUSTOMERS_URL_DEFAULT)?,
            reports: env.or_text("DAYBOOK_REPORTS_URL", "http://127.0.0.1:8103")?,
            internal_key: env.required("DAYBOOK_INTERNAL_KEY", "All services share this secret.")?,
            tls: TlsFiles::from_env(env)?,
            trusted_proxies: env.or("DAYBOOK_GATEWAY_TRUSTED_PROXIES", TrustedProxies::default())?,
            session_cookie: session_cookie(env),
            limits: Limits::from_env(env)?,
            openapi: crate::openapi_base(),
        })
    }
}

/// A certificate and its key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl TlsFiles {
    fn from_env(env: &Env) -> Result<Option<Self>, ConfigError> {
        const HINT: &str = "DAYBOOK_GATEWAY_TLS_CERT and DAYBOOK_GATEWAY_TLS_KEY go together.";
        let path = |key, other| match env.get(key) {
            Some(path) => Ok(Some(PathBuf::from(path))),
            None if env.get(other).is_none() => Ok(None),
            None => Err(ConfigError::Missing { key, hint: HINT }),
        };
        let certificate = path("DAYBOOK_GATEWAY_TLS_CERT", "DAYBOOK_GATEWAY_TLS_KEY")?;
        let key = path("DAYBOOK_GATEWAY_TLS_KEY", "DAYBOOK_GATEWAY_TLS_CERT")?;
        Ok(certificate.zip(key).map(|(certificate, key)| Self { certificate, key }))
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`StartError::Unusable`], which names the file.
    pub fn load(&self) -> Result<Tls, StartError> {
        Tls::load(&self.certificate, &self.key).map_err(|error| StartError::Unusable(error.to_string()))
    }
}

/// Instances that share a host must not share a cookie: browsers tell hosts apart, and not ports. What people open tells
/// instances apart; where nobody says what that is, where their sessions are kept does.
fn session_cookie(env: &Env) -> SessionCookie {
    let instance = env.get("DAYBOOK_PUBLIC_URL").or(env.get("DAYBOOK_CUSTOMERS_URL"));
    SessionCookie::of_instance(instance.unwrap_or(CUSTOMERS_URL_DEFAULT).trim_end_matches('/'))
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
