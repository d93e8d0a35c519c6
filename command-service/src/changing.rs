use cqrs_es::Aggregate;
use domain::activity::{Activity, ActivityCommand};
use domain::{ActivityId, CustomerId};
use event_store::{Append, Appended, Appender, EventLog, LogError, NewEvent};

use crate::error::ActivitiesError;

/// How often a command is decided anew after a conflict.
const CONFLICT_RETRIES_MAX: usize = 5;

/// Corrects and redacts activities. A command reads the last event of its stream and no other, since that one says how the
/// activity stands: the four-hundredth correction costs what the first does. Events keep their text on the way, so that
/// no number becomes a double.
#[derive(Clone, Debug)]
pub(crate) struct Changer {
    log: EventLog,
    appender: Appender,
}

impl Changer {
    pub(crate) fn new(log: EventLog, appender: Appender) -> Self {
        Self { log, appender }
    }

    /// Carries out a command. Its event is durable when this returns, if it brings one about.
    ///
    /// # Errors
    /// Why it is refused, or what the log says; the same call again is safe.
    pub(crate) async fn execute(
        &self,
        customer: CustomerId,
        id: &ActivityId,
        command: ActivityCommand,
        metadata: &str,
    ) -> Result<(), ActivitiesError> {
        let (partition, stream) = (self.log.partitions().of(customer), id.stream(customer));
        for _ in 0..CONFLICT_RETRIES_MAX {
            let last = self.log.read_last(partition, Activity::TYPE, &stream, i64::MAX).await?;
            let Some(last) = last else { return Err(ActivitiesError::NotFound) };
            let activity = Activity::after(last.decode().map_err(LogError::from)?, last.sequence as u64);
            let Some(event) = activity.decide(command.clone())? else { return Ok(()) };
            let new = NewEvent::of(&event, metadata.to_owned())
                .map_err(|error| ActivitiesError::Internal(error.to_string()))?;
            let append = Append {
                partition,
                customer_id: customer,
                aggregate_type: Activity::TYPE,
                aggregate_id: stream.clone(),
                sequence: last.sequence + 1,
                events: vec![new],
            };
            let outcomes = self.appender.append(vec![append]).await?;
            if matches!(outcomes.as_slice(), [Appended::Stored { .. }]) {
                return Ok(());
            }
        }
        Err(ActivitiesError::Unavailable("too many commands on the same stream at once".to_owned()))
    }
}
