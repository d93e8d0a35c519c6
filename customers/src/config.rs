use std::net::{Ipv4Addr, SocketAddr};

use access::AuthenticatorConfig;
use chassis::{ConfigError, Env, InternalKey, Key, database};
use chrono::TimeDelta;
use event_bus::Bus;
use sqlx::postgres::PgConnectOptions;

use crate::mail::Mailer;
use crate::throttle::LogInLimits;

/// What the service needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where the other services connect.
    pub listen: SocketAddr,
    /// Where `/metrics` is read; not for the public.
    pub metrics_listen: SocketAddr,
    /// The service's own database.
    pub database: PgConnectOptions,
    /// The most connections to it; three of them only listen.
    pub connections_max: u32,
    /// Whether a start brings the database up to date.
    pub migrate: bool,
    /// The secret that services share.
    pub internal_key: InternalKey,
    /// Whether browsers send the session's cookie over HTTPS alone.
    pub cookie_secure: bool,
    /// How long a session lasts after it was last used.
    pub session_ttl: TimeDelta,
    /// How long a session lasts at most, however much it is used.
    pub session_absolute_ttl: TimeDelta,
    /// How often somebody may try to log in.
    pub log_ins: LogInLimits,
    /// Where people find the public door, for links; empty for links without a host.
    pub public_url: String,
    /// The relay for mail; none if no mail is sent.
    pub mailer: Option<Mailer>,
    /// How many passwords are hashed at the same time.
    pub hashers: usize,
    /// The cache of validated tokens.
    pub tokens: AuthenticatorConfig,
    /// What carries the log.
    pub bus: Bus,
}

/// Three connections listen; a fold takes two, and a request must find one more.
const CONNECTIONS_MIN: u32 = 6;
const CONNECTIONS_DEFAULT: u32 = 16;
const HASHERS_DEFAULT: usize = 2;
const HASHERS_MAX: usize = 64;
const SESSION_TTL_S: u32 = 30 * 24 * 60 * 60;
const SESSION_ABSOLUTE_TTL_S: u32 = 90 * 24 * 60 * 60;
const ACCOUNT_ATTEMPTS_MAX: u32 = 10;
const ADDRESS_ATTEMPTS_MAX: u32 = 100;
const SIGN_UPS_MAX: u32 = 500;
const LOG_IN_WINDOW_S: u32 = 15 * 60;

impl Config {
    /// The configuration from `DAYBOOK_…` keys.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            listen: env
                .key(
                    "DAYBOOK_CUSTOMERS_LISTEN",
                    "Where the gateway and the other services connect. Port 0 takes any free one.",
                )
                .listen((Ipv4Addr::LOCALHOST, 8102))?,
            metrics_listen: env
                .key("DAYBOOK_CUSTOMERS_METRICS_LISTEN", "Where Prometheus reads /metrics. Not for the public.")
                .listen((Ipv4Addr::LOCALHOST, 9102))?,
            database: env
                .key("DAYBOOK_CUSTOMERS_DATABASE_URL", "The service's own database, with its log.")
                .required("postgres://daybook:daybook@127.0.0.1:5499/daybook_customers")?,
            connections_max: env
                .key(
                    "DAYBOOK_CUSTOMERS_CONNECTIONS_MAX",
                    "Connections to the service's database, at least 6: three of them only listen. The appender and the \
                     relay have one more each.",
                )
                .within(CONNECTIONS_DEFAULT, CONNECTIONS_MIN..=u32::MAX)?,
            migrate: database::migrates_at_start(env)?,
            internal_key: InternalKey::from_env(env)?,
            cookie_secure: env
                .key(
                    "DAYBOOK_CUSTOMERS_COOKIE_SECURE",
                    "Whether browsers always send the session's cookie over HTTPS alone. They do by themselves where the \
                     gateway has TLS, or hears of HTTPS from a proxy that it trusts.",
                )
                .or(false)?,
            session_ttl: seconds(env.key(
                "DAYBOOK_CUSTOMERS_SESSION_TTL_S",
                "How long a session lasts after it was last used, in seconds.",
            ), SESSION_TTL_S)?,
            session_absolute_ttl: seconds(env.key(
                "DAYBOOK_CUSTOMERS_SESSION_ABSOLUTE_TTL_S",
                "How long a session lasts at most, in seconds, however much it is used.",
            ), SESSION_ABSOLUTE_TTL_S)?,
            log_ins: log_ins(env)?,
            public_url: public_url(env)?,
            mailer: Mailer::from_env(env)?,
            hashers: env
                .key(
                    "DAYBOOK_CUSTOMERS_HASHERS",
                    "Passwords that are hashed at the same time, each with 19 MiB and one core for some tens of \
                     milliseconds.",
                )
                .within(HASHERS_DEFAULT, 1..=HASHERS_MAX)?,
            tokens: AuthenticatorConfig::from_env(env)?,
            bus: Bus::from_env(env)?,
        })
    }
}

fn seconds(key: Key<'_>, default: u32) -> Result<TimeDelta, ConfigError> {
    Ok(TimeDelta::seconds(key.or(default)?.into()))
}

fn public_url(env: &Env) -> Result<String, ConfigError> {
    let key = env.key(
        "DAYBOOK_PUBLIC_URL",
        "Where people find the public door, as https://daybook.example.com: what the links of invitations and of new \
         passwords begin with. Empty, they begin with the path; with DAYBOOK_SMTP_URL it must be set.",
    );
    if env.get("DAYBOOK_SMTP_URL").is_some() {
        return key.required("https://daybook.example.com");
    }
    key.or(String::new())
}

fn log_ins(env: &Env) -> Result<LogInLimits, ConfigError> {
    let account = "Attempts to log in that may fail at one account within the window; more are answered 429.";
    let address =
        "Attempts to log in that may fail from one address within the window; more are answered 429.";
    let sign_ups = "Customers that may sign up from one address within the window; more are answered 429.";
    let window = "The window of attempts and of sign-ups, in seconds, at most a day. It begins with the first attempt.";
    let window =
        env.key("DAYBOOK_CUSTOMERS_LOG_IN_WINDOW_S", window).within(LOG_IN_WINDOW_S, 1..=24 * 60 * 60)?;
    Ok(LogInLimits {
        account_attempts_max: env
            .key("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", account)
            .within(ACCOUNT_ATTEMPTS_MAX, 1..=u32::MAX)?,
        address_attempts_max: env
            .key("DAYBOOK_CUSTOMERS_LOG_IN_ADDRESS_ATTEMPTS_MAX", address)
            .within(ADDRESS_ATTEMPTS_MAX, 1..=u32::MAX)?,
        sign_ups_max: env
            .key("DAYBOOK_CUSTOMERS_SIGN_UP_ADDRESS_MAX", sign_ups)
            .within(SIGN_UPS_MAX, 1..=u32::MAX)?,
        window: TimeDelta::seconds(window.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_default() {
        let example = include_str!("../.env.example");
        let pairs: Vec<(&str, &str)> = example.lines().filter_map(|line| line.split_once('=')).collect();
        let needed = ["DAYBOOK_CUSTOMERS_DATABASE_URL", "DAYBOOK_INTERNAL_KEY"];
        let default = Env::from_pairs(pairs.iter().copied().filter(|(key, _)| needed.contains(key)));
        let (example, default) =
            (Config::from_env(&Env::from_pairs(pairs)).unwrap(), Config::from_env(&default).unwrap());
        assert_eq!((example.listen, example.metrics_listen), (default.listen, default.metrics_listen));
        assert_eq!((example.connections_max, example.hashers), (default.connections_max, default.hashers));
        assert_eq!((example.session_ttl, example.migrate), (default.session_ttl, default.migrate));
        assert_eq!(
            (example.session_absolute_ttl, example.log_ins, &example.public_url),
            (default.session_absolute_ttl, default.log_ins, &default.public_url)
        );
        assert_eq!(format!("{:?}", example.tokens), format!("{:?}", default.tokens));
    }

    #[test]
    fn too_few_connections_are_refused() {
        let env = Env::from_pairs([
            ("DAYBOOK_CUSTOMERS_DATABASE_URL", "postgres://localhost"),
            ("DAYBOOK_CUSTOMERS_CONNECTIONS_MAX", "2"),
        ]);
        let error = Config::from_env(&env).err().unwrap().to_string();
        assert!(error.contains("must be 6 to"), "{error}");
    }
}
