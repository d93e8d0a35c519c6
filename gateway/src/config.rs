use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use chassis::{ConfigError, Env, InternalKey, Key, StartError, Tls, Upstream};
use utoipa::openapi::OpenApi;

use crate::client::TrustedProxies;
use crate::cookies::SessionCookie;

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
    /// The certificate, if the gateway speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// The proxies before the gateway that are believed when they say who connects.
    pub trusted_proxies: TrustedProxies,
    /// The session's cookie, as browsers know it.
    pub session_cookie: SessionCookie,
    /// How much the gateway takes on.
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
            listen: env
                .key(
                    "DAYBOOK_GATEWAY_LISTEN",
                    "Where the public connects: an address or a host with a port; 8080 alone is this machine only, :8080 \
                     every address, and port 0 any free one.",
                )
                .listen((Ipv4Addr::LOCALHOST, 8080))?,
            metrics_listen: env
                .key("DAYBOOK_GATEWAY_METRICS_LISTEN", "Where Prometheus reads /metrics. Not for the public.")
                .listen((Ipv4Addr::LOCALHOST, 9100))?,
            activities: env
                .key("DAYBOOK_ACTIVITIES_URL", "The write side.")
                .or_text("http://127.0.0.1:8101")?,
            customers: env
                .key("DAYBOOK_CUSTOMERS_URL", "Customers, sessions and tokens.")
                .or_text(CUSTOMERS_URL_DEFAULT)?,
            reports: env.key("DAYBOOK_REPORTS_URL", "The read side.").or_text("http://127.0.0.1:8103")?,
            internal_key: InternalKey::from_env(env)?,
            tls: TlsFiles::from_env(env)?,
            trusted_proxies: env
                .key(
                    "DAYBOOK_GATEWAY_TRUSTED_PROXIES",
                    "Addresses and networks of proxies before the door (as 10.0.0.0/8,192.0.2.7), which are believed when \
                     they say who connects to them: X-Forwarded-For or Forwarded, and X-Forwarded-Proto. docs/proxy.md \
                     says more.",
                )
                .or_text("")?,
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
        const ABOUT: &str = "The certificate that the door shows, with those of its issuers, as a PEM file. It is read again \
                             when it changes. It goes together with DAYBOOK_GATEWAY_TLS_KEY. docs/proxy.md says more.";
        const KEY_ABOUT: &str = "The private key of the certificate, as a PEM file.";
        const WITHOUT: &str = "the door speaks plain HTTP";
        let (certificate, key) = ("DAYBOOK_GATEWAY_TLS_CERT", "DAYBOOK_GATEWAY_TLS_KEY");
        let files = (
            env.key(certificate, ABOUT).optional(WITHOUT, "/etc/daybook/door.pem"),
            env.key(key, KEY_ABOUT).optional(WITHOUT, "/etc/daybook/door.key"),
        );
        let hint = "DAYBOOK_GATEWAY_TLS_CERT and DAYBOOK_GATEWAY_TLS_KEY go together.";
        match files {
            (None, None) => Ok(None),
            (Some(_), None) => Err(ConfigError::Missing { key, about: hint }),
            (None, Some(_)) => Err(ConfigError::Missing { key: certificate, about: hint }),
            (Some(certificate), Some(key)) => {
                Ok(Some(Self { certificate: PathBuf::from(certificate), key: PathBuf::from(key) }))
            }
        }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// [`StartError::Unusable`], which names the file.
    pub fn load(&self) -> Result<Tls, StartError> {
        Tls::load(&self.certificate, &self.key).map_err(|error| StartError::Unusable(error.to_string()))
    }
}

/// The session cookie's name. Instances on one host must not share it, for browsers do not tell ports apart. Instances are
/// told apart by the address that people open, or, where that is not configured, by the address of customers.
fn session_cookie(env: &Env) -> SessionCookie {
    let about = "Where people find this door, as https://daybook.example.com. Browsers keep one session for each, so it is the \
                 same at all gateways of an instance and another one for another instance on the same host.";
    let public = env.key("DAYBOOK_PUBLIC_URL", about);
    let public =
        public.optional("DAYBOOK_CUSTOMERS_URL stands for the instance", "https://daybook.example.com");
    let instance = public.or(env.get("DAYBOOK_CUSTOMERS_URL"));
    SessionCookie::of_instance(instance.unwrap_or(CUSTOMERS_URL_DEFAULT).trim_end_matches('/'))
}

impl Limits {
    fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let default = Self::default();
        let seconds = |key: Key<'_>, default: Duration| key.or(default.as_secs()).map(Duration::from_secs);
        let answer_timeout = "How long a service may take until the head of its answer, in seconds; after that the client gets \
                              504.";
        let session_cache_ttl = "How long a resolved session is believed before customers is asked again, in seconds. A log-out and a change of \
             people through this gateway count at once, through another one after this time.";
        Ok(Self {
            requests_max: env
                .key(
                    "DAYBOOK_GATEWAY_REQUESTS_MAX",
                    "Requests in flight, from the head to the last byte of the answer; one more is answered 503 at once.",
                )
                .or(default.requests_max)?,
            answer_timeout: seconds(
                env.key("DAYBOOK_GATEWAY_ANSWER_TIMEOUT_S", answer_timeout),
                default.answer_timeout,
            )?,
            session_cache_ttl: seconds(
                env.key("DAYBOOK_GATEWAY_SESSION_CACHE_TTL_S", session_cache_ttl),
                default.session_cache_ttl,
            )?,
            sessions_max: env
                .key("DAYBOOK_GATEWAY_SESSIONS_MAX", "How many resolved sessions are kept.")
                .or(default.sessions_max)?,
            rates: rates(env, &default.rates)?,
        })
    }
}

fn rates(env: &Env, default: &RateLimits) -> Result<RateLimits, ConfigError> {
    let credential = "Requests a second with one token or of one person; as many may come at once, and more are answered 429. A batch of \
         activities is one request.";
    let customer =
        "Requests a second of one customer, with all of its tokens and people; more are answered 429.";
    let places = "Requests of one customer that services work on at the same time, so that one customer's flood does not slow others \
         down. A batch counts as 16. Others of the customer wait for a place, at most 10 seconds and a quarter of \
         DAYBOOK_GATEWAY_REQUESTS_MAX of them; more are answered 429.";
    Ok(RateLimits {
        credential_per_s: env
            .key("DAYBOOK_GATEWAY_CREDENTIAL_REQUESTS_PER_S", credential)
            .or(default.credential_per_s)?,
        customer_per_s: env
            .key("DAYBOOK_GATEWAY_CUSTOMER_REQUESTS_PER_S", customer)
            .or(default.customer_per_s)?,
        customer_places: env.key("DAYBOOK_GATEWAY_CUSTOMER_PLACES", places).or(default.customer_places)?,
    })
}
