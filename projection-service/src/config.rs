use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use access::AuthenticatorConfig;
use chassis::{ConfigError, Env, InternalKey, Upstream};
use event_bus::Bus;
use sqlx::postgres::PgConnectOptions;

/// What the service needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where the gateway connects.
    pub listen: SocketAddr,
    /// Where `/metrics` is read; not for the public.
    pub metrics_listen: SocketAddr,
    /// Its database.
    pub database: PgConnectOptions,
    /// The most connections to it.
    pub connections_max: u32,
    /// The database of activities, which is only read: the embedded bus is the log itself.
    pub activities_database: PgConnectOptions,
    /// The database of customers, which is only read: revocations are followed in its log.
    pub customers_database: PgConnectOptions,
    /// Activities, who write the log: that a dead letter is discarded is recorded there.
    pub activities: Upstream,
    /// Customers, who validate tokens.
    pub customers: Upstream,
    /// The secret that services share.
    pub internal_key: InternalKey,
    /// Whether a start brings the database up to date.
    pub migrate: bool,
    /// How long a notification waits for others before what was published is folded.
    pub fold_delay: Duration,
    /// Bytes of memory for decoded columns, which queries share.
    pub cache_bytes: u64,
    /// Bytes of the read model that one query may read where they are not in memory.
    pub query_bytes_max: usize,
    /// How long an answer waits for the position that `wait_for` names.
    pub wait_for_max: Duration,
    /// The cache of validated tokens.
    pub tokens: AuthenticatorConfig,
    /// What carries the logs.
    pub bus: Bus,
}

/// The jobs take four, the intake one, and a query must find one more.
const CONNECTIONS_MIN: u32 = 6;
const CONNECTIONS_DEFAULT: u32 = 16;
const CACHE_DEFAULT_MIB: u64 = 256;
const CACHE_MAX_MIB: u64 = 1024 * 1024;
const QUERY_DEFAULT_MIB: usize = 2_048;
const WAIT_FOR_MAX_MS: u64 = 10_000;
const QUERY_MAX_MIB: usize = 1024 * 1024;
const FOLD_DELAY_DEFAULT_MS: u64 = 500;
const FOLD_DELAY_MAX_MS: u64 = 60 * 60 * 1_000;

impl Config {
    /// The configuration from `DAYBOOK_…` keys.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let connections = "DAYBOOK_REPORTS_CONNECTIONS_MAX";
        let delay = "DAYBOOK_FOLD_DELAY_MS";
        Ok(Self {
            listen: env.listen("DAYBOOK_REPORTS_LISTEN", (Ipv4Addr::LOCALHOST, 8103))?,
            metrics_listen: env.listen("DAYBOOK_REPORTS_METRICS_LISTEN", (Ipv4Addr::LOCALHOST, 9103))?,
            database: env
                .required("DAYBOOK_REPORTS_DATABASE_URL", "It is where reports keeps its read models.")?,
            connections_max: env.within(connections, CONNECTIONS_DEFAULT, CONNECTIONS_MIN..=u32::MAX)?,
            activities_database: env
                .required("DAYBOOK_ACTIVITIES_DATABASE_URL", "It is where the log of activities is read.")?,
            customers_database: env.required(
                "DAYBOOK_CUSTOMERS_DATABASE_URL",
                "It is where revocations of tokens are followed.",
            )?,
            activities: env.or_text("DAYBOOK_ACTIVITIES_URL", "http://127.0.0.1:8101")?,
            customers: env.or_text("DAYBOOK_CUSTOMERS_URL", "http://127.0.0.1:8102")?,
            internal_key: env.required("DAYBOOK_INTERNAL_KEY", "All services share this secret.")?,
            migrate: env.or("DAYBOOK_MIGRATE", true)?,
            fold_delay: Duration::from_millis(env.within(
                delay,
                FOLD_DELAY_DEFAULT_MS,
                0..=FOLD_DELAY_MAX_MS,
            )?),
            cache_bytes: env.within("DAYBOOK_REPORTS_CACHE_MIB", CACHE_DEFAULT_MIB, 1..=CACHE_MAX_MIB)? << 20,
            query_bytes_max: env.within(
                "DAYBOOK_REPORTS_QUERY_MIB_MAX",
                QUERY_DEFAULT_MIB,
                1..=QUERY_MAX_MIB,
            )? << 20,
            wait_for_max: Duration::from_millis(env.within(
                "DAYBOOK_REPORTS_WAIT_FOR_MAX_MS",
                WAIT_FOR_MAX_MS,
                0..=WAIT_FOR_MAX_MS,
            )?),
            tokens: AuthenticatorConfig::from_env(env)?,
            bus: Bus::from_env(env)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [&str; 4] = [
        "DAYBOOK_REPORTS_DATABASE_URL",
        "DAYBOOK_ACTIVITIES_DATABASE_URL",
        "DAYBOOK_CUSTOMERS_DATABASE_URL",
        "DAYBOOK_INTERNAL_KEY",
    ];

    fn example() -> Vec<(&'static str, &'static str)> {
        include_str!("../.env.example").lines().filter_map(|line| line.split_once('=')).collect()
    }

    #[test]
    fn the_example_is_the_default() {
        let pairs = example();
        let default = Env::from_pairs(pairs.iter().copied().filter(|(key, _)| NEEDED.contains(key)));
        let (example, default) =
            (Config::from_env(&Env::from_pairs(pairs)).unwrap(), Config::from_env(&default).unwrap());
        assert_eq!((example.listen, example.metrics_listen), (default.listen, default.metrics_listen));
        assert_eq!(
            (example.connections_max, example.fold_delay),
            (default.connections_max, default.fold_delay)
        );
        assert_eq!(
            (example.cache_bytes, example.query_bytes_max, example.wait_for_max),
            (default.cache_bytes, default.query_bytes_max, default.wait_for_max)
        );
        assert_eq!((example.migrate, default.fold_delay), (default.migrate, Duration::from_millis(500)));
        assert_eq!(format!("{:?}", example.tokens), format!("{:?}", default.tokens));
        let address = |upstream: &Upstream| match upstream {
            Upstream::Http { authority, .. } => authority.to_string(),
            Upstream::Local(_) => "local".to_owned(),
        };
        assert_eq!(address(&example.customers), address(&default.customers));
        assert_eq!(address(&example.activities), address(&default.activities));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (key, value, told) in [
            ("DAYBOOK_REPORTS_CONNECTIONS_MAX", "2", "must be 6 to"),
            ("DAYBOOK_REPORTS_LISTEN", "localhost", "such as 8080"),
            ("DAYBOOK_REPORTS_METRICS_LISTEN", "localhost", "such as 8080"),
            ("DAYBOOK_FOLD_DELAY_MS", "x", "DAYBOOK_FOLD_DELAY_MS"),
            ("DAYBOOK_FOLD_DELAY_MS", "99999999", "must be 0 to"),
            ("DAYBOOK_CUSTOMERS_URL", "nowhere", "DAYBOOK_CUSTOMERS_URL"),
            ("DAYBOOK_ACTIVITIES_URL", "nowhere", "DAYBOOK_ACTIVITIES_URL"),
        ] {
            let env =
                Env::from_pairs(example().into_iter().filter(|(name, _)| *name != key).chain([(key, value)]));
            let error = Config::from_env(&env).err().unwrap().to_string();
            assert!(error.contains(told), "{key}: {error}");
        }
    }
}
