use std::net::{Ipv4Addr, SocketAddr};

use access::AuthenticatorConfig;
use chassis::{ConfigError, Env, InternalKey};
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
    /// Its database.
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
    /// Where mail goes, if any is sent.
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
        let connections = "DAYBOOK_CUSTOMERS_CONNECTIONS_MAX";
        let hashers = "DAYBOOK_CUSTOMERS_HASHERS";
        Ok(Self {
            listen: env.listen("DAYBOOK_CUSTOMERS_LISTEN", (Ipv4Addr::LOCALHOST, 8102))?,
            metrics_listen: env.listen("DAYBOOK_CUSTOMERS_METRICS_LISTEN", (Ipv4Addr::LOCALHOST, 9102))?,
            database: env
                .required("DAYBOOK_CUSTOMERS_DATABASE_URL", "It is where customers keeps everything.")?,
            connections_max: env.within(connections, CONNECTIONS_DEFAULT, CONNECTIONS_MIN..=u32::MAX)?,
            migrate: env.or("DAYBOOK_MIGRATE", true)?,
            internal_key: env.required("DAYBOOK_INTERNAL_KEY", "All services share this secret.")?,
            cookie_secure: env.or("DAYBOOK_CUSTOMERS_COOKIE_SECURE", false)?,
            session_ttl: TimeDelta::seconds(env.or("DAYBOOK_CUSTOMERS_SESSION_TTL_S", SESSION_TTL_S)?.into()),
            session_absolute_ttl: TimeDelta::seconds(
                env.or("DAYBOOK_CUSTOMERS_SESSION_ABSOLUTE_TTL_S", SESSION_ABSOLUTE_TTL_S)?.into(),
            ),
            log_ins: log_ins(env)?,
            public_url: public_url(env)?,
            mailer: Mailer::from_env(env)?,
            hashers: env.within(hashers, HASHERS_DEFAULT, 1..=HASHERS_MAX)?,
            tokens: AuthenticatorConfig::from_env(env)?,
            bus: Bus::from_env(env)?,
        })
    }
}

fn public_url(env: &Env) -> Result<String, ConfigError> {
    if env.get("DAYBOOK_SMTP_URL").is_some() {
        return env.required("DAYBOOK_PUBLIC_URL", "Links in mail begin with it.");
    }
    env.or("DAYBOOK_PUBLIC_URL", String::new())
}

fn log_ins(env: &Env) -> Result<LogInLimits, ConfigError> {
    let (account, address) =
        ("DAYBOOK_CUSTOMERS_LOG_IN_ACCOUNT_ATTEMPTS_MAX", "DAYBOOK_CUSTOMERS_LOG_IN_ADDRESS_ATTEMPTS_MAX");
    Ok(LogInLimits {
        account_attempts_max: env.within(account, ACCOUNT_ATTEMPTS_MAX, 1..=u32::MAX)?,
        address_attempts_max: env.within(address, ADDRESS_ATTEMPTS_MAX, 1..=u32::MAX)?,
        sign_ups_max: env.within("DAYBOOK_CUSTOMERS_SIGN_UP_ADDRESS_MAX", SIGN_UPS_MAX, 1..=u32::MAX)?,
        window: TimeDelta::seconds(
            env.within("DAYBOOK_CUSTOMERS_LOG_IN_WINDOW_S", LOG_IN_WINDOW_S, 1..=24 * 60 * 60)?.into(),
        ),
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
