use std::io;
use std::process::ExitCode;

use chassis::{ConfigError, ServeError, StartError};
use event_store::LogError;

/// Why a command did not do what it was asked; decides the exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A check failed, or something went wrong on the way: 1.
    #[error("{0}")]
    Failed(String),
    /// It was asked for something that makes no sense: 2.
    #[error("{0}")]
    Usage(String),
    /// Something that it needs is missing or unreachable, and is named: 3.
    #[error("{0}")]
    Missing(String),
    /// Stopped before it was done: the code that a shell has for Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

const INTERRUPTED: u8 = 130;

impl Failure {
    /// Something that is needed cannot be reached.
    pub(crate) fn missing(what: impl std::fmt::Display, reason: impl std::fmt::Display) -> Self {
        Self::Missing(format!("{what}: {reason}"))
    }

    /// For `map_err`: the file system refused `action`.
    pub(crate) fn io(action: impl std::fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{action}: {error}"))
    }

    /// The same failure, which names what it is about.
    pub(crate) fn of(self, what: impl std::fmt::Display) -> Self {
        match self {
            Self::Failed(reason) => Self::Failed(format!("{what}: {reason}")),
            Self::Usage(reason) => Self::Usage(format!("{what}: {reason}")),
            other @ (Self::Missing(_) | Self::Interrupted) => other,
        }
    }

    /// Says why on standard error, and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("daybook: {self}");
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Missing(_) => 3,
            Self::Interrupted => INTERRUPTED,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(error) => error.into(),
            StartError::Unreachable { .. } => Self::Missing(error.to_string()),
            StartError::Unusable(reason) => Self::Failed(reason),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Self::Missing(error.to_string())
    }
}

impl From<embedded_postgres::Error> for Failure {
    fn from(error: embedded_postgres::Error) -> Self {
        Self::Missing(error.to_string())
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        if error.is_transient() { Self::Missing(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_is_missing_is_no_wrong_usage() {
        assert_eq!(Failure::from(StartError::unreachable("the database", "refused")).code(), 3);
        assert_eq!(Failure::from(embedded_postgres::Error::PortTaken(5499)).code(), 3);
        let missing = ConfigError::Missing { key: "DAYBOOK_INTERNAL_KEY", about: "It is needed." };
        assert_eq!(Failure::from(StartError::Config(missing)).code(), 2);
        assert_eq!(Failure::from(StartError::Unusable("old tables".to_owned())).code(), 1);
    }
}
