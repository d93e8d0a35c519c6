use event_store::LogError;

/// Why the bus does not carry.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The log, which the bus carries, cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database of the log, which wakes consumers and elects relays, fails.
    #[error("the bus' database: {0}")]
    Database(#[from] sqlx::Error),
    /// The broker cannot be used now; a retry may succeed.
    #[error("the broker: {0}")]
    Broker(String),
    /// The broker is there and cannot be used as it is; an operator must do something.
    #[error("{0}")]
    Refused(String),
    /// The bus holds what is not in the log; an operator must decide which of them counts.
    #[error("{0}")]
    Diverged(String),
}

impl BusError {
    /// The same error, for another caller that waited for the same attempt.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Refused(reason) => Self::Refused(reason.clone()),
            Self::Diverged(reason) => Self::Diverged(reason.clone()),
            Self::Broker(reason) => Self::Broker(reason.clone()),
            Self::Log(error) => Self::Broker(error.to_string()),
            Self::Database(error) => Self::Broker(error.to_string()),
        }
    }
}
