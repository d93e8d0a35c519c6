use chrono::{DateTime, Utc};
use domain::activity::{ActivityContent, ActivityEvent};
use domain::{ActivityId, DecodeError};
use event_store::RecordedEvent;
use uuid::Uuid;

/// An event, decoded once for all projections.
pub(crate) struct Event<'a> {
    pub(crate) position: i64,
    pub(crate) sequence: i64,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) customer_id: Uuid,
    pub(crate) activity_id: &'a str,
    activity: ActivityEvent,
}

/// Why a projection cannot fold an event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    /// It cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It is no event of an activity.
    #[error("an event of the aggregate type {0}, which no projection folds")]
    AggregateType(String),
    /// Its stream's id does not end in an activity's id.
    #[error("the stream {0} is not named after an activity")]
    Stream(String),
}

impl<'a> Event<'a> {
    /// Reads a stored event of any version.
    pub(crate) fn decode(recorded: &'a RecordedEvent) -> Result<Self, FoldError> {
        if recorded.aggregate_type != "activity" {
            return Err(FoldError::AggregateType(recorded.aggregate_type.clone()));
        }
        let activity_id = ActivityId::of_stream(&recorded.aggregate_id)
            .ok_or_else(|| FoldError::Stream(recorded.aggregate_id.clone()))?;
        Ok(Self {
            position: recorded.position,
            sequence: recorded.sequence,
            recorded_at: recorded.recorded_at,
            customer_id: recorded.customer_id.0,
            activity_id,
            activity: recorded.decode()?,
        })
    }

    /// What the activity said until this event; none if it is new.
    pub(crate) fn before(&self) -> Option<&ActivityContent> {
        match &self.activity {
            ActivityEvent::ActivityRecorded(_) => None,
            ActivityEvent::ActivityCorrected(corrected) => Some(&corrected.before),
            ActivityEvent::ActivityRedacted(redacted) => Some(&redacted.before),
        }
    }

    /// What the activity says from this event on; none if it is redacted.
    pub(crate) fn after(&self) -> Option<&ActivityContent> {
        match &self.activity {
            ActivityEvent::ActivityRecorded(content) => Some(content),
            ActivityEvent::ActivityCorrected(corrected) => Some(&corrected.after),
            ActivityEvent::ActivityRedacted(_) => None,
        }
    }
}

/// Seconds of a UTC minute and of a UTC quarter of an hour.
pub(crate) const MINUTE_S: i64 = 60;
pub(crate) const QUARTER_S: i64 = 15 * MINUTE_S;

/// The start of the bucket of `width_s` seconds in which a time lies.
pub(crate) fn bucket(time: DateTime<Utc>, width_s: i64) -> DateTime<Utc> {
    let seconds = time.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(width_s), 0).unwrap_or(time)
}
