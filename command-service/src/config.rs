use std::net::{Ipv4Addr, SocketAddr};

use access::AuthenticatorConfig;
use chassis::{BodyLimits, ConfigError, Env, InternalKey, Upstream, database};
use domain::Partitions;
use event_bus::Bus;
use event_store::AppenderConfig;
use sqlx::postgres::PgConnectOptions;

/// The most appenders; a log has few partitions to deal out.
const APPENDERS_MAX: usize = 64;
/// The most events of a commit, or in the queue: what fits into memory many times over.
const EVENTS_MAX: usize = 1_000_000;

/// What the service needs to know.
#[derive(Clone)]
pub struct Config {
    /// Where the gateway connects.
    pub listen: SocketAddr,
    /// Where `/metrics` is read; not for the public.
    pub metrics_listen: SocketAddr,
    /// Its database, with the log.
    pub database: PgConnectOptions,
    /// The database of customers, in whose log revocations are followed.
    pub customers_database: PgConnectOptions,
    /// Customers, who validate tokens.
    pub customers: Upstream,
    /// Reports, which knows where events lie; history is read without it too.
    pub reports: Upstream,
    /// The most connections to its database; the appenders and the relay have their own.
    pub connections_max: u32,
    /// Whether a start brings the database up to date.
    pub migrate: bool,
    /// The secret that services share.
    pub internal_key: InternalKey,
    /// How many partitions the log has; fixed when it is created.
    pub partitions: Partitions,
    /// The appenders of the log.
    pub appender: AppenderConfig,
    /// How much the service takes on.
    pub limits: Limits,
    /// The cache of validated tokens.
    pub tokens: AuthenticatorConfig,
    /// What carries the logs.
    pub bus: Bus,
}

/// How much the service takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body of one activity after decompression, in bytes.
    pub body_max_bytes: usize,
    /// Largest body of a batch after decompression, in bytes.
    pub batch_body_max_bytes: usize,
    /// The most batches that are held at the same time; one more is answered 503 at once.
    pub batches_max: usize,
    /// How long a body may take, in seconds.
    pub body_timeout_s: u64,
    /// The most streams that are open at the same time; one customer's are at most a quarter of them.
    pub streams_max: usize,
    /// How long a stream waits for its next line, in seconds.
    pub stream_idle_s: u64,
    /// How long a stream waits while the log cannot be written, in seconds.
    pub stream_outage_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_max_bytes: 1024 * 1024,
            batch_body_max_bytes: 8 * 1024 * 1024,
            batches_max: 64,
            body_timeout_s: 30,
            streams_max: 64,
            stream_idle_s: 60,
            stream_outage_s: 30,
        }
    }
}

impl Limits {
    fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let default = Self::default();
        let timeout = "How long a body may take, in seconds; after that 408.";
        Ok(Self {
            body_max_bytes: env
                .key(
                    "DAYBOOK_ACTIVITIES_BODY_MAX_BYTES",
                    "Largest body of one activity after decompression, in bytes.",
                )
                .or(default.body_max_bytes)?,
            batch_body_max_bytes: env
                .key(
                    "DAYBOOK_ACTIVITIES_BATCH_BODY_MAX_BYTES",
                    "Largest body of a batch after decompression, in bytes.",
                )
                .or(default.batch_body_max_bytes)?,
            batches_max: env
                .key(
                    "DAYBOOK_ACTIVITIES_BATCHES_MAX",
                    "Batches that are held at the same time; one more is answered 503 at once.",
                )
                .or(default.batches_max)?,
            body_timeout_s: env
                .key("DAYBOOK_ACTIVITIES_BODY_TIMEOUT_S", timeout)
                .or(default.body_timeout_s)?,
            streams_max: env
                .key(
                    "DAYBOOK_ACTIVITIES_STREAMS_MAX",
                    "Streams that are open at the same time, one customer's at most a quarter of them; one more is answered \
                     503 at once.",
                )
                .or(default.streams_max)?,
            stream_idle_s: env
                .key(
                    "DAYBOOK_ACTIVITIES_STREAM_IDLE_S",
                    "How long a stream waits for its next line, in seconds; then it ends.",
                )
                .or(default.stream_idle_s)?,
            stream_outage_s: env
                .key(
                    "DAYBOOK_ACTIVITIES_STREAM_OUTAGE_S",
                    "How long a stream waits while the log cannot be written, in seconds; then it ends and says how far it \
                     came.",
                )
                .or(default.stream_outage_s)?,
        })
    }

    pub(crate) fn body(&self) -> BodyLimits {
        BodyLimits { bytes_max: self.body_max_bytes, timeout_s: self.body_timeout_s }
    }

    pub(crate) fn batch_body(&self) -> BodyLimits {
        BodyLimits { bytes_max: self.batch_body_max_bytes, timeout_s: self.body_timeout_s }
    }
}

const CONNECTIONS_MAX: u32 = 16;
const PARTITIONS: u16 = 16;

impl Config {
    /// The configuration from `DAYBOOK_…` keys.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            listen: env
                .key("DAYBOOK_ACTIVITIES_LISTEN", "Where the gateway connects. Port 0 takes any free one.")
                .listen((Ipv4Addr::LOCALHOST, 8101))?,
            metrics_listen: env
                .key("DAYBOOK_ACTIVITIES_METRICS_LISTEN", "Where Prometheus reads /metrics. Not for the public.")
                .listen((Ipv4Addr::LOCALHOST, 9101))?,
            database: env
                .key("DAYBOOK_ACTIVITIES_DATABASE_URL", "The service's own database, with the log.")
                .required("postgres://daybook:daybook@127.0.0.1:5499/daybook_activities")?,
            customers_database: AuthenticatorConfig::customers_database(env)?,
            customers: AuthenticatorConfig::customers(env)?,
            reports: env
                .key(
                    "DAYBOOK_REPORTS_URL",
                    "Where reports knows at which positions the events of an actor or a type lie; without it a filtered \
                     history is read all the same, only slower.",
                )
                .or_text("http://127.0.0.1:8103")?,
            connections_max: env
                .key(
                    "DAYBOOK_ACTIVITIES_CONNECTIONS_MAX",
                    "Connections to the service's database. Each appender and the relay have one or two more.",
                )
                .or(CONNECTIONS_MAX)?,
            internal_key: InternalKey::from_env(env)?,
            migrate: database::migrates_at_start(env)?,
            partitions: partitions(env)?,
            appender: appender(env)?,
            limits: Limits::from_env(env)?,
            tokens: AuthenticatorConfig::from_env(env)?,
            bus: Bus::from_env(env)?,
        })
    }
}

fn partitions(env: &Env) -> Result<Partitions, ConfigError> {
    let key =
        env.key("DAYBOOK_PARTITIONS", "Partitions of the log, 1 to 1024; fixed when the log is created.");
    let count = key.or(PARTITIONS)?;
    Partitions::new(count).ok_or_else(|| key.invalid(count, format!("must be 1 to {}", Partitions::MAX)))
}

fn appender(env: &Env) -> Result<AppenderConfig, ConfigError> {
    let default = AppenderConfig::default();
    let appenders = "Appenders, each with a connection of its own: so many commits can run at the same time.";
    let retry =
        "How long a commit is tried again while the database is away, in milliseconds; then clients get 503.";
    Ok(AppenderConfig {
        appenders: env
            .key("DAYBOOK_APPENDERS", appenders)
            .within_or_as_found((default.appenders, "one for each core", "2"), 1..=APPENDERS_MAX)?,
        batch_events_max: env
            .key("DAYBOOK_APPEND_BATCH_EVENTS_MAX", "The most events of one commit.")
            .within(default.batch_events_max, 1..=EVENTS_MAX)?,
        queue_events_max: env
            .key(
                "DAYBOOK_APPEND_QUEUE_EVENTS_MAX",
                "The most events that wait to be committed; beyond it clients get 503 at once.",
            )
            .within(default.queue_events_max, 1..=EVENTS_MAX)?,
        retry_max_ms: env.key("DAYBOOK_APPEND_RETRY_MAX_MS", retry).or(default.retry_max_ms)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_default() {
        let example = include_str!("../.env.example");
        let pairs: Vec<(&str, &str)> = example.lines().filter_map(|line| line.split_once('=')).collect();
        let needed =
            ["DAYBOOK_ACTIVITIES_DATABASE_URL", "DAYBOOK_CUSTOMERS_DATABASE_URL", "DAYBOOK_INTERNAL_KEY"];
        let default = Env::from_pairs(pairs.iter().copied().filter(|(key, _)| needed.contains(key)));
        let (example, default) =
            (Config::from_env(&Env::from_pairs(pairs)).unwrap(), Config::from_env(&default).unwrap());
        assert_eq!((example.listen, example.metrics_listen), (default.listen, default.metrics_listen));
        assert_eq!((example.connections_max, example.migrate), (default.connections_max, default.migrate));
        assert_eq!((example.partitions, example.limits), (default.partitions, default.limits));
        assert_eq!(format!("{:?}", example.customers), format!("{:?}", default.customers));
        assert_eq!(format!("{:?}", example.reports), format!("{:?}", default.reports));
        assert_eq!(format!("{:?}", example.tokens), format!("{:?}", default.tokens));
        let of =
            |config: AppenderConfig| (config.batch_events_max, config.queue_events_max, config.retry_max_ms);
        assert_eq!(of(example.appender), of(default.appender));
    }

    #[test]
    fn a_log_has_at_least_one_partition() {
        let env = Env::from_pairs([
            ("DAYBOOK_ACTIVITIES_DATABASE_URL", "postgres://localhost"),
            ("DAYBOOK_CUSTOMERS_DATABASE_URL", "postgres://localhost"),
            ("DAYBOOK_INTERNAL_KEY", "0123456789abcdef"),
            ("DAYBOOK_PARTITIONS", "0"),
        ]);
        let error = Config::from_env(&env).err().unwrap().to_string();
        assert!(error.contains("must be 1 to 1024"), "{error}");
    }
}
