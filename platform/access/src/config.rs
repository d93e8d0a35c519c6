use std::time::Duration;

use chassis::{ConfigError, Env};

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
            entries_max: env.or("DAYBOOK_TOKEN_CACHE_ENTRIES_MAX", default.entries_max)?,
            ttl_s: env.or("DAYBOOK_TOKEN_CACHE_TTL_S", default.ttl_s)?,
            refusal_ttl_s: env.or("DAYBOOK_TOKEN_CACHE_REFUSAL_TTL_S", default.refusal_ttl_s)?,
        })
    }

    pub(crate) fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_s)
    }

    pub(crate) fn refusal_ttl(&self) -> Duration {
        Duration::from_secs(self.refusal_ttl_s)
    }
}
