use event_store::LogError;

/// Why the bus does not carry.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The log, which the bus carries, cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database that wakes and elects.
    #[error("the bus' database: {0}")]
    Database(#[from] sqlx::Error),
    /// The broker.
    #[error("the broker: {0}")]
    Broker(String),
}
