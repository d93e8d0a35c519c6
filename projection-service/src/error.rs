use chassis::{FieldError, Problem};
use domain::dead_letter::DeadLetterError as Refusal;
use event_store::LogError;
use http::StatusCode;

use crate::columns::Unreadable;
use crate::dead_letters::DeadLetterError;

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
pub enum ReportsError {
    /// A parameter has a value that cannot be used.
    #[error("the parameter {name} {detail}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// What is wrong, as the rest of a sentence that begins with the name.
        detail: String,
    },
    /// The caller is not authenticated or has no permission, or the request is malformed.
    #[error("{}", .0.title)]
    Caller(Problem),
    /// A dead letter cannot be shown, retried or discarded.
    #[error(transparent)]
    DeadLetter(DeadLetterError),
    /// The reason for which a dead letter is discarded is empty or too long.
    #[error("{0}")]
    Reason(Refusal),
    /// The command service cannot record an event now.
    #[error("{0}")]
    LogUnavailable(String),
    /// A query would read or compute more than its limits allow.
    #[error("the query {0}")]
    OverBudget(String),
    /// The read model or the log cannot be read now.
    #[error("{0}")]
    Unavailable(String),
    /// A bug or inconsistent stored content; the client sees no details.
    #[error("{0}")]
    Internal(String),
}

const UNAVAILABLE_RETRY_AFTER_S: u64 = 2;

impl ReportsError {
    pub(crate) fn parameter(name: &'static str, detail: impl Into<String>) -> Self {
        Self::Parameter { name, detail: detail.into() }
    }
}

impl From<ReportsError> for Problem {
    fn from(error: ReportsError) -> Self {
        match error {
            ReportsError::Parameter { name, detail } => {
                let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-parameter")
                    .with_detail(format!("The parameter {name} {detail}."));
                problem.errors = vec![FieldError { pointer: format!("/{name}"), detail }];
                problem
            }
            ReportsError::Caller(problem) => problem,
            ReportsError::DeadLetter(error) => of_dead_letter(&error),
            ReportsError::Reason(refusal) => {
                let detail = refusal.to_string();
                let detail = detail.strip_prefix("the reason ").unwrap_or(&detail).to_owned();
                Self::invalid(vec![FieldError { pointer: "/reason".to_owned(), detail }])
            }
            ReportsError::LogUnavailable(cause) => {
                tracing::warn!(%cause, "activities does not record that a dead letter is discarded");
                Self::unavailable("log-unavailable", UNAVAILABLE_RETRY_AFTER_S).with_detail(
                    "The decision cannot be recorded at this moment, so nothing was done. Try again.",
                )
            }
            ReportsError::OverBudget(what) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "query-over-budget").with_detail(format!(
                    "The query {what}. Ask for a shorter range, a longer interval or fewer groups."
                ))
            }
            ReportsError::Unavailable(cause) => {
                tracing::warn!(%cause, "reports cannot answer a query");
                Self::unavailable("reports-unavailable", UNAVAILABLE_RETRY_AFTER_S)
                    .with_detail("The reports cannot be read at this moment. Try again.")
            }
            ReportsError::Internal(cause) => Self::internal(cause),
        }
    }
}

fn of_dead_letter(error: &DeadLetterError) -> Problem {
    let text = error.to_string();
    let detail =
        text.get(..1).map_or(String::new(), str::to_uppercase) + text.get(1..).unwrap_or_default() + ".";
    match error {
        DeadLetterError::NotFound => Problem::not_found("dead-letter-not-found").with_detail(detail),
        DeadLetterError::Waits { .. } => Problem::conflict("dead-letter-waits").with_detail(detail),
        DeadLetterError::Failed { .. } => Problem::conflict("dead-letter-failed").with_detail(detail),
        DeadLetterError::OtherVersion { .. } => Problem::conflict("projection-outdated").with_detail(detail),
        DeadLetterError::Fold(_) | DeadLetterError::Database(_) => Problem::internal(text),
    }
}

chassis::returned_as_problem!(ReportsError);

impl From<Refusal> for ReportsError {
    fn from(refusal: Refusal) -> Self {
        Self::Reason(refusal)
    }
}

impl From<DeadLetterError> for ReportsError {
    fn from(error: DeadLetterError) -> Self {
        match error {
            DeadLetterError::Database(error) => error.into(),
            error => Self::DeadLetter(error),
        }
    }
}

impl From<sqlx::Error> for ReportsError {
    fn from(error: sqlx::Error) -> Self {
        LogError::from(error).classified(Self::Unavailable, Self::Internal)
    }
}

impl From<LogError> for ReportsError {
    fn from(error: LogError) -> Self {
        Self::Unavailable(format!("the log of activities: {error}"))
    }
}

impl From<Unreadable> for ReportsError {
    fn from(error: Unreadable) -> Self {
        Self::Internal(error.to_string())
    }
}

/// Why a folded batch cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlushError {
    /// The read model has other rows than the fold wrote.
    #[error("{0}")]
    Inconsistent(&'static str),
    /// A row of the read model cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The log cannot be read.
    #[error("the log of activities: {0}")]
    Log(#[from] LogError),
    /// The database is away or refuses.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
