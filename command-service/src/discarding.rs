use std::sync::Arc;

use access::Cause;
use domain::CustomerId;
use domain::dead_letter::{DeadLetter, DeadLetterCommand, DeadLetterDiscarded, DeadLetterError};
use event_store::{Aggregates, Appender, EventLog, ExecuteError, Repository};

use crate::error::ActivitiesError;

/// Writes into the log that a projection goes on without an event. Which events a projection could not fold, only reports
/// knows; that somebody decided to do without one is history, and stands in its customer's.
#[derive(Clone)]
pub struct Discarder(Arc<Aggregates<DeadLetter>>);

impl Discarder {
    /// Writes to this log.
    #[must_use]
    pub fn new(log: EventLog, appender: Appender) -> Self {
        Self(Arc::new(Aggregates::new(Repository::new(log, appender))))
    }

    /// Records a decision; returns whether it was not there before.
    ///
    /// # Errors
    /// [`ActivitiesError`]; the same call again is safe.
    pub async fn discard(
        &self,
        customer: CustomerId,
        discard: DeadLetterDiscarded,
        cause: Cause,
    ) -> Result<bool, ActivitiesError> {
        let stream = DeadLetter::stream(customer, &discard.projection, discard.position);
        match self.0.execute(&stream, DeadLetterCommand::DiscardDeadLetter(discard), cause.into()).await {
            Err(ExecuteError::Refused(DeadLetterError::AlreadyDiscarded)) => Ok(false),
            outcome => Ok(outcome.map(|()| true)?),
        }
    }
}
