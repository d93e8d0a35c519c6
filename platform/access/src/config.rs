use std::time::Duration;

use chassis::{ConfigError, Env, Upstream};
use sqlx::postgres::PgConnectOptions;

/// Limits of the cache of validated tokens.
#[derive(Clone, Copy, Debug)]
pub struct AuthenticatorConfig {
    /// The most tokens that are kept, and the most refusals.
    pub entries_max: u64,
    /// How long a validated token is kept, in seconds; its own end comes first.
    pub ttl_s: u64,
    /// How long a refusal is kept, in seconds.
    pub refusal_ttl_s: u64,
}

impl Default for AuthenticatorConfig {
    fn default() -> Self {
        Self { entries_max: 100_000, ttl_s: 24 * 60 * 60, refusal_ttl_s: 10 }
    }
}

impl AuthenticatorConfig {
    /// From `DAYBOOK_TOKEN_CACHE_ENTRIES_MAX`, `DAYBOOK_TOKEN_CACHE_TTL_S` and `DAYBOOK_TOKEN_CACHE_REFUSAL_TTL_S`.
    ///
    /// # Errors
    /// [`ConfigError`] for a value that is no number.
    pub fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let default = Self::default();
        Ok(Self {
            entries_max: env
                .key("DAYBOOK_TOKEN_CACHE_ENTRIES_MAX", "Validated tokens that are kept, and the most refusals.")
                .or(default.entries_max)?,
            ttl_s: env
                .key(
                    "DAYBOOK_TOKEN_CACHE_TTL_S",
                    "How long a validated token is kept, in seconds; its own end and its revocation come first.",
                )
                .or(default.ttl_s)?,
            refusal_ttl_s: env
                .key("DAYBOOK_TOKEN_CACHE_REFUSAL_TTL_S", "How long a refusal is kept, in seconds.")
                .or(default.refusal_ttl_s)?,
        })
    }

    /// Where customers validates tokens, from `DAYBOOK_CUSTOMERS_URL`.
    ///
    /// # Errors
    /// [`ConfigError`] for what is no URL.
    pub fn customers(env: &Env) -> Result<Upstream, ConfigError> {
        env.key("DAYBOOK_CUSTOMERS_URL", "Where customers validates tokens.").or_text("http://127.0.0.1:8102")
    }

    /// The database in whose log revocations are followed, from `DAYBOOK_CUSTOMERS_DATABASE_URL`.
    ///
    /// # Errors
    /// [`ConfigError`] if it is missing or no URL.
    pub fn customers_database(env: &Env) -> Result<PgConnectOptions, ConfigError> {
        let about = "The database of customers. Only its log is read, to hear of revoked tokens.";
        env.key("DAYBOOK_CUSTOMERS_DATABASE_URL", about)
            .required("postgres://daybook:daybook@127.0.0.1:5499/daybook_customers")
    }

    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_s)
    }

    pub(crate) fn refusal_ttl(&self) -> Duration {
        Duration::from_secs(self.refusal_ttl_s)
    }
}
