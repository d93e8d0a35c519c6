use std::sync::Arc;

use access::Cause;
use chassis::Tasks;
use domain::CustomerId;
use domain::dead_letter::{DeadLetter, DeadLetterCommand, DeadLetterDiscarded, DeadLetterError};
use event_store::{Aggregates, Appender, AppenderConfig, EventLog, ExecuteError, Repository};
use tokio_util::sync::CancellationToken;

use crate::error::ActivitiesError;

/// Writes into the log that a projection goes on without an event. Which events a projection could not fold, only reports
/// knows; the decision to go on without one is an event in its customer's history.
#[derive(Clone)]
pub(crate) struct Discarder(Arc<Aggregates<DeadLetter>>);

impl Discarder {
    /// Writes to this log.
    #[must_use]
    pub(crate) fn new(log: EventLog, appender: Appender) -> Self {
        Self(Arc::new(Aggregates::new(Repository::new(log, appender))))
    }

    /// Records a decision; returns whether it was not there before.
    ///
    /// # Errors
    /// [`ActivitiesError`]; the same call again is safe.
    pub(crate) async fn discard(
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

/// Records the decision of an operator whose command runs beside the service, or without it; returns whether it is new.
///
/// # Errors
/// As [`Discarder::discard`].
pub async fn discard_for_operator(
    log: &EventLog,
    customer: CustomerId,
    discard: DeadLetterDiscarded,
) -> Result<bool, ActivitiesError> {
    let (mut tasks, ended) = (Tasks::new(), CancellationToken::new());
    let config = AppenderConfig { appenders: 1, ..AppenderConfig::default() };
    let appender = Appender::start(log, config, &mut tasks, &ended);
    let recorded = Discarder::new(log.clone(), appender).discard(customer, discard, Cause::operator()).await;
    ended.cancel();
    tasks.join_all().await;
    recorded
}
