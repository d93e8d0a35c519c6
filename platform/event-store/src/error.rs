use chassis::StartError;
use chassis::database;

/// Why the log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The database is unreachable or refuses.
    #[error("the log's database: {0}")]
    Database(#[from] sqlx::Error),
    /// The log was created with another number of partitions, which can never change.
    #[error(
        "this log has {stored} partitions, and {configured} are configured; the number is fixed when a log is created"
    )]
    PartitionsDiffer {
        /// As stored.
        stored: u16,
        /// As configured.
        configured: u16,
    },
    /// A stored event cannot be read.
    #[error(transparent)]
    Decode(#[from] domain::DecodeError),
    /// The database sends something else than rows of the log.
    #[error("what the log's database sends cannot be read: {0}")]
    Unreadable(&'static str),
    /// The log is not the one that was read before: it was set back to a backup, or is another one. An operator must decide.
    #[error(transparent)]
    Diverged(#[from] crate::Divergence),
}

impl LogError {
    /// Whether it can go away by itself: the database is restarting, out of reach, out of room or overloaded.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if is_transient(error))
    }

    /// The error of a service: `unavailable` of the message if this is transient, `internal` of it otherwise.
    #[must_use]
    pub fn classified<E>(self, unavailable: fn(String) -> E, internal: fn(String) -> E) -> E {
        let message = self.to_string();
        if self.is_transient() { unavailable(message) } else { internal(message) }
    }

    /// Why a service does not start that needs the log; `what` names the log. `other_partitions` says what to do about a log
    /// with another number of partitions.
    #[must_use]
    pub fn at_start(self, what: &str, other_partitions: &str) -> StartError {
        if self.is_transient() {
            return StartError::unreachable(what, self);
        }
        let hint = match &self {
            Self::Database(error) => database::hint(error),
            Self::PartitionsDiffer { .. } => other_partitions,
            Self::Decode(_) | Self::Unreadable(_) | Self::Diverged(_) => "",
        };
        StartError::Unusable(format!("{what} cannot be used: {self}.{hint}"))
    }
}

/// Whether the same statement may succeed later: everything but a statement or a row that the database refuses.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            // Classes of SQLSTATE (PostgreSQL, appendix A): connection, rolled back, resources, operator, system.
            error.code().is_some_and(|code| ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class)))
                // A standby or a server that has become read-only: 25006.
                || error.code().is_some_and(|code| code == "25006")
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
