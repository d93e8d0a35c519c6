use domain::Partition;
use event_store::{Divergence, LogError};

use crate::error::FlushError;
use crate::fold::PageError;

/// Why a rebuild was given up. The live generation stays live.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A rebuild is under way already.
    #[error("the read model is being rebuilt already; wait until that is done")]
    Busy,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read model cannot be read or written.
    #[error("the database of reports: {0}")]
    Database(#[from] sqlx::Error),
    /// A page cannot be folded, for a reason that is not one of its events.
    #[error("partition {partition}: {error}")]
    Fold {
        /// The partition of the page.
        partition: Partition,
        /// The error of the fold.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The events behind a discarded one cannot be folded, for a reason that is none of them.
    #[error("what waits behind a discarded event: {reason}")]
    Discard {
        /// The error of the fold, as text.
        reason: String,
    },
    /// The new generation cannot be compared with the live one.
    #[error("what was rebuilt cannot be compared with what is live: {0}")]
    Compare(String),
    /// The tables of the new generation were dropped by another process.
    #[error("the generation that was being built has been taken away; try again")]
    Lost,
    /// There is no previous generation.
    #[error("there is no generation before the live one")]
    NoPrevious,
    /// This program cannot fold what the generation before has still to fold.
    #[error(
        "generation {generation}, the one before, was folded by version {version} of the fold, which this program is not"
    )]
    OtherVersion {
        /// The generation before.
        generation: i32,
        /// The version of the code that folded it.
        version: i32,
    },
    /// The generation before has read another log.
    #[error("generation {generation}, the one before, cannot be gone back to: {divergence}")]
    Diverged {
        /// The generation before.
        generation: i32,
        /// The event that the log does not have.
        divergence: Divergence,
    },
}

impl From<FlushError> for RebuildError {
    fn from(error: FlushError) -> Self {
        match error {
            FlushError::Database(error) => Self::Database(error),
            FlushError::Log(error) => Self::Log(error),
            other => Self::Compare(other.to_string()),
        }
    }
}

impl RebuildError {
    /// Whether resuming would fail again, so that the next rebuild must begin anew.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Fold { error, .. } => match error.downcast_ref::<PageError>() {
                Some(PageError::Hole { .. }) => true,
                Some(PageError::Log(error)) => matches!(error, LogError::Diverged(_)),
                Some(PageError::Flush(error)) => {
                    matches!(error, FlushError::Inconsistent(_) | FlushError::Unreadable(_))
                }
                None => false,
            },
            Self::Discard { .. } | Self::Lost => true,
            _ => false,
        }
    }
}
