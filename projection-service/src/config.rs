use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use access::AuthenticatorConfig;
use chassis::{ConfigError, Env, InternalKey, Upstream, database};
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
        Ok(Self {
            listen: env
                .key("DAYBOOK_REPORTS_LISTEN", "Where the gateway connects. Port 0 takes any free one.")
                .listen((Ipv4Addr::LOCALHOST, 8103))?,
            metrics_listen: env
                .key("DAYBOOK_REPORTS_METRICS_LISTEN", "Where Prometheus reads /metrics. Not for the public.")
                .listen((Ipv4Addr::LOCALHOST, 9103))?,
            database: env
                .key("DAYBOOK_REPORTS_DATABASE_URL", "The service's own database, with the read model.")
                .required("postgres://daybook:daybook@127.0.0.1:5499/daybook_reports")?,
            connections_max: env
                .key(
                    "DAYBOOK_REPORTS_CONNECTIONS_MAX",
                    "Connections to the service's database, at least 6: the jobs take four and the intake one.",
                )
                .within(CONNECTIONS_DEFAULT, CONNECTIONS_MIN..=u32::MAX)?,
            activities_database: env
                .key(
                    "DAYBOOK_ACTIVITIES_DATABASE_URL",
                    "The database of activities. Its log is read and never written.",
                )
                .required("postgres://daybook:daybook@127.0.0.1:5499/daybook_activities")?,
            customers_database: AuthenticatorConfig::customers_database(env)?,
            activities: env
                .key("DAYBOOK_ACTIVITIES_URL", "Where activities records that a dead letter is discarded.")
                .or_text("http://127.0.0.1:8101")?,
            customers: AuthenticatorConfig::customers(env)?,
            internal_key: InternalKey::from_env(env)?,
            migrate: database::migrates_at_start(env)?,
            fold_delay: fold_delay(env)?,
            cache_bytes: env
                .key(
                    "DAYBOOK_REPORTS_CACHE_MIB",
                    "Memory for decoded columns, in MiB, which all queries share: about 24 bytes an activity for an ordinary \
                     report.",
                )
                .within(CACHE_DEFAULT_MIB, 1..=CACHE_MAX_MIB)?
                << 20,
            query_bytes_max: env
                .key(
                    "DAYBOOK_REPORTS_QUERY_MIB_MAX",
                    "How much of the read model one query may read where it is not in memory, in MiB; beyond it 422 \
                     `query-over-budget`.",
                )
                .within(QUERY_DEFAULT_MIB, 1..=QUERY_MAX_MIB)?
                << 20,
            wait_for_max: wait_for_max(env)?,
            tokens: AuthenticatorConfig::from_env(env)?,
            bus: Bus::from_env(env)?,
        })
    }
}

fn fold_delay(env: &Env) -> Result<Duration, ConfigError> {
    let about = "How long a notification waits for others, in milliseconds, before what was published is folded: a burst \
                 becomes one job.";
    let key = env.key("DAYBOOK_FOLD_DELAY_MS", about);
    Ok(Duration::from_millis(key.within(FOLD_DELAY_DEFAULT_MS, 0..=FOLD_DELAY_MAX_MS)?))
}

fn wait_for_max(env: &Env) -> Result<Duration, ConfigError> {
    let about =
        "How long an answer waits for the position that `wait_for` names, in milliseconds, at most 10000.";
    let key = env.key("DAYBOOK_REPORTS_WAIT_FOR_MAX_MS", about);
    Ok(Duration::from_millis(key.within(WAIT_FOR_MAX_MS, 0..=WAIT_FOR_MAX_MS)?))
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
        for (key, value, message) in [
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
            assert!(error.contains(message), "{key}: {error}");
        }
    }
}
