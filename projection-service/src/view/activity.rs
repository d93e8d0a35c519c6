use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use domain::activity::{ActivityContent, ActivityEvent};
use domain::{ActivityId, Json};
use event_store::RecordedEvent;
use serde::Serialize;
use utoipa::ToSchema;

use super::View;
use crate::columns::Rows;
use crate::error::ReportsError;

/// The time and the positions of a row: enough to sort it and to find its events in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StandingRow {
    /// When the activity happened, in microseconds since 1970.
    pub(crate) time: i64,
    /// The position of the event that first recorded it.
    pub(crate) first_position: i64,
    /// The position of the event that made this state of it.
    pub(crate) position: i64,
}

impl StandingRow {
    /// Reads a row of a chunk; the scan must have set [`Needs::order`](crate::columns::Needs::order).
    pub(crate) fn of(rows: &Rows<'_>, row: usize) -> Self {
        Self {
            time: rows.times.get(row),
            first_position: rows.first_positions.get(row),
            position: rows.positions.get(row),
        }
    }
}

/// An activity as it stands at the moment looked at.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "`type` is a word of the language")]
pub(crate) struct Activity {
    /// The client's id of it, or the one that was made for it.
    pub(crate) id: String,
    /// What was done.
    #[serde(rename = "type")]
    #[schema(example = "page.viewed")]
    pub(crate) activity_type: String,
    /// Who did it: the actor whom the recorded name means at that moment. The history has that name.
    pub(crate) actor: String,
    /// When it happened.
    pub(crate) occurred_at: DateTime<Utc>,
    /// An amount, a duration, a score.
    #[schema(required)]
    pub(crate) value: Option<f64>,
    /// What else is known about it.
    #[schema(required, value_type = Option<Object>)]
    pub(crate) properties: Option<Json>,
    /// Where it came from.
    #[schema(required, value_type = Option<Object>)]
    pub(crate) context: Option<Json>,
    /// When it was recorded.
    pub(crate) recorded_at: DateTime<Utc>,
    /// The partition of the log in which the event lies that recorded it.
    pub(crate) partition: u16,
    /// The position of that event in its partition.
    pub(crate) position: i64,
    /// How many events it has: what `If-Match` guards.
    pub(crate) sequence: i64,
}

impl View {
    /// Reads the activities of these rows from the log, in the same order.
    ///
    /// # Errors
    /// [`ReportsError`] if the log cannot be read now.
    pub(crate) async fn activities(&self, rows: &[StandingRow]) -> Result<Vec<Activity>, ReportsError> {
        let positions: BTreeSet<i64> =
            rows.iter().flat_map(|row| [row.position, row.first_position]).collect();
        let positions: Vec<i64> = positions.into_iter().collect();
        let partition = self.state.partition(self.customer);
        let events = self.state.log.read_at(partition, &positions).await?;
        let events: HashMap<i64, RecordedEvent> =
            events.into_iter().map(|event| (event.position, event)).collect();
        let mut activities =
            rows.iter().map(|row| self.activity(row, &events)).collect::<Result<Vec<_>, _>>()?;
        self.name_whom_is_meant(&mut activities).await?;
        Ok(activities)
    }

    /// Replaces names that were merged by those of the actors whom they mean.
    async fn name_whom_is_meant(&self, activities: &mut [Activity]) -> Result<(), ReportsError> {
        if self.identities.is_none() {
            return Ok(());
        }
        let names: BTreeSet<&str> = activities.iter().map(|activity| activity.actor.as_str()).collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut meant = self.actor_ordinals(&names).await?;
        meant.retain(|_, ordinal| {
            let actor = self.actor_of(*ordinal);
            std::mem::replace(ordinal, actor) != actor
        });
        let actors: BTreeSet<u32> = meant.values().copied().collect();
        let actors = self.actor_names(&actors.into_iter().collect::<Vec<_>>()).await?;
        for activity in activities {
            if let Some(name) = meant.get(&activity.actor).and_then(|ordinal| actors.get(ordinal)) {
                activity.actor.clone_from(name);
            }
        }
        Ok(())
    }

    fn activity(
        &self,
        row: &StandingRow,
        events: &HashMap<i64, RecordedEvent>,
    ) -> Result<Activity, ReportsError> {
        let missing = || ReportsError::Internal(format!("position {} is not in the log", row.position));
        let event = events
            .get(&row.position)
            .filter(|event| event.customer_id == self.customer)
            .ok_or_else(missing)?;
        let first = events.get(&row.first_position).ok_or_else(missing)?;
        let content = content(event)?;
        Ok(Activity {
            id: ActivityId::of_stream(&event.aggregate_id).unwrap_or_default().to_owned(),
            activity_type: content.activity_type,
            actor: content.actor,
            occurred_at: content.occurred_at,
            value: content.value,
            properties: content.properties,
            context: content.context,
            recorded_at: first.recorded_at,
            partition: event.partition.0,
            position: row.first_position,
            sequence: event.sequence,
        })
    }
}

/// The content of an activity after this event.
fn content(event: &RecordedEvent) -> Result<ActivityContent, ReportsError> {
    match event.decode() {
        Ok(ActivityEvent::ActivityRecorded(content)) => Ok(content),
        Ok(ActivityEvent::ActivityCorrected(corrected)) => Ok(corrected.after),
        Ok(ActivityEvent::ActivityRedacted(redacted)) => Ok(redacted.before),
        Err(error) => Err(ReportsError::Internal(error.to_string())),
    }
}
