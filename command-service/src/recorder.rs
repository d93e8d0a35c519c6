use std::collections::HashMap;

use domain::activity::{Activity, ActivityContent, ActivityEvent};
use domain::{ActivityId, CustomerId};
use event_store::{Append, AppendError, Appended, Appender, EventLog, LogError, NewEvent};
use metrics::Counter;

/// Records activities: presumes that each is new, and looks only when the log refutes it.
#[derive(Clone, Debug)]
pub struct Recorder {
    log: EventLog,
    appender: Appender,
    recorded: Counter,
}

/// A checked activity that is to be recorded.
#[derive(Clone, Debug)]
pub struct NewActivity {
    /// The caller's id, or one made for it.
    pub id: ActivityId,
    /// What it says.
    pub content: ActivityContent,
    /// Whether its time was corrected by a clock that differs with each sending. Two such times are not compared.
    pub is_time_estimated: bool,
}

impl NewActivity {
    /// An activity whose time is as its client says.
    #[must_use]
    pub fn new(id: ActivityId, content: ActivityContent) -> Self {
        Self { id, content, is_time_estimated: false }
    }

    /// Whether what is recorded under its id is the same.
    fn is_repeated_in(&self, first: &ActivityContent) -> bool {
        if self.is_time_estimated {
            let at_its_time = ActivityContent { occurred_at: first.occurred_at, ..self.content.clone() };
            return first.says_the_same(&at_its_time);
        }
        first.says_the_same(&self.content)
    }
}

/// What became of one activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is durable.
    New {
        /// Its place in its customer's history.
        position: i64,
    },
    /// The same had been recorded before.
    Duplicate {
        /// Its place in the partition.
        position: i64,
    },
    /// Another activity has this id.
    IdReused,
}

/// Activities of which nothing can be said: to be recorded again, with the ids that they have.
pub(crate) struct Unrecorded {
    pub(crate) error: RecordError,
    pub(crate) activities: Vec<NewActivity>,
}

/// Why nothing can be said about any of them.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The log cannot be written now.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log cannot be read now.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An event cannot be written as JSON; the checks exclude it.
    #[error("an event cannot be written as JSON: {0}")]
    Encode(#[from] serde_json::Error),
}

impl Recorder {
    /// A recorder over a log. Its counter goes to the recorder of metrics that is installed by now.
    #[must_use]
    pub fn new(log: EventLog, appender: Appender) -> Self {
        Self { log, appender, recorded: metrics::counter!("daybook_activities_recorded_total") }
    }

    /// Records activities of one customer in one commit, and returns the outcome of each, in order.
    ///
    /// # Errors
    /// [`RecordError`]; the same call again is safe and returns what became of them.
    pub async fn record(
        &self,
        customer: CustomerId,
        activities: Vec<NewActivity>,
        metadata: &str,
    ) -> Result<Vec<Recorded>, RecordError> {
        self.try_record(customer, activities, metadata).await.map_err(|unrecorded| unrecorded.error)
    }

    /// As [`Self::record`], but gives the activities back with the error.
    pub(crate) async fn try_record(
        &self,
        customer: CustomerId,
        activities: Vec<NewActivity>,
        metadata: &str,
    ) -> Result<Vec<Recorded>, Unrecorded> {
        let partition = self.log.partitions().of(customer);
        let mut appends = Vec::with_capacity(activities.len());
        let mut recorded = Vec::with_capacity(activities.len());
        for NewActivity { id, content, is_time_estimated } in activities {
            let event = ActivityEvent::ActivityRecorded(content);
            let new = NewEvent::of(&event, metadata.to_owned())
                .map_err(|error| Unrecorded { error: error.into(), activities: Vec::new() })?;
            appends.push(Append {
                partition,
                customer_id: customer,
                aggregate_type: <Activity as cqrs_es::Aggregate>::TYPE,
                aggregate_id: id.stream(customer),
                sequence: 1,
                events: vec![new],
            });
            let ActivityEvent::ActivityRecorded(content) = event else { continue };
            recorded.push(NewActivity { id, content, is_time_estimated });
        }
        match self.append(customer, appends, &recorded).await {
            Ok(outcomes) => Ok(outcomes),
            Err(error) => Err(Unrecorded { error, activities: recorded }),
        }
    }

    /// Appends the events of these activities, and finds out what became of each.
    async fn append(
        &self,
        customer: CustomerId,
        appends: Vec<Append>,
        activities: &[NewActivity],
    ) -> Result<Vec<Recorded>, RecordError> {
        let outcomes = self.appender.append(appends).await?;
        let new = outcomes.iter().filter(|outcome| matches!(outcome, Appended::Stored { .. })).count();
        self.recorded.increment(new as u64);
        let conflicts: Vec<String> = outcomes
            .iter()
            .zip(activities)
            .filter(|(outcome, _)| **outcome == Appended::Conflict)
            .map(|(_, activity)| activity.id.stream(customer))
            .collect();
        let stored =
            if conflicts.is_empty() { HashMap::new() } else { self.stored(customer, &conflicts).await? };
        let outcome = |(outcome, activity): (Appended, &NewActivity)| match outcome {
            Appended::Stored { position, .. } => Recorded::New { position },
            Appended::Conflict => match stored.get(&activity.id.stream(customer)) {
                Some((position, first)) if activity.is_repeated_in(first) => {
                    Recorded::Duplicate { position: *position }
                }
                _ => Recorded::IdReused,
            },
        };
        Ok(outcomes.into_iter().zip(activities).map(outcome).collect())
    }

    /// What the streams were recorded with, and where.
    async fn stored(
        &self,
        customer: CustomerId,
        streams: &[String],
    ) -> Result<HashMap<String, (i64, ActivityContent)>, RecordError> {
        let partition = self.log.partitions().of(customer);
        let events = self.log.read_first(partition, <Activity as cqrs_es::Aggregate>::TYPE, streams).await?;
        let mut stored = HashMap::with_capacity(events.len());
        for event in events {
            if let ActivityEvent::ActivityRecorded(content) = event.decode().map_err(LogError::from)? {
                stored.insert(event.aggregate_id, (event.position, content));
            }
        }
        Ok(stored)
    }
}
