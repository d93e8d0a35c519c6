//! What a query sees: the rows of one customer at one moment, and their scan.

use std::collections::HashMap;
use std::ops::Range;

use domain::CustomerId;

use crate::answers::AsOf;
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;
use crate::state::AppState;

/// The moment that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// As far as the read model has come.
    Now,
    /// When the partition had been recorded up to this position, and no further.
    Position(i64),
}

/// Something that is computed from rows chunk by chunk, in no order and by several threads.
pub(crate) trait Scan: Send + Sync + 'static {
    /// What one thread has gathered.
    type Partial: Send + 'static;

    /// Nothing gathered yet.
    fn begin(&self) -> Self::Partial;

    /// Takes in one chunk.
    fn scan(&self, partial: &mut Self::Partial, rows: &Rows<'_>);
}

/// The rows of one customer at one moment, in one consistent snapshot.
pub(crate) struct View {
    pub(crate) customer: CustomerId,
    /// The live generation.
    pub(crate) generation: i32,
    /// The version of the code that folded it.
    pub(crate) version: i32,
    /// How many events were folded; grows when dead letters are, though the position stays.
    pub(crate) folded: i64,
    /// The moment.
    pub(crate) as_of: AsOf,
    /// How long the first published event that is not folded has been waiting, in milliseconds.
    pub(crate) lag_ms: i64,
}

impl View {
    /// Begins to look at a customer.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now.
    pub(crate) async fn open(
        _state: &AppState,
        _customer: CustomerId,
        _moment: Moment,
    ) -> Result<Self, ReportsError> {
        unimplemented!()
    }

    /// Scans the rows that happened in `window` (microseconds since 1970) and stand at the moment; returns what each thread
    /// has gathered.
    ///
    /// # Errors
    /// [`ReportsError`] if the read model cannot be read now, or the query's budget is spent.
    pub(crate) async fn scan<S: Scan>(
        &self,
        _window: Range<i64>,
        _needs: &Needs,
        _scan: S,
    ) -> Result<(S, Vec<S::Partial>), ReportsError> {
        unimplemented!()
    }

    /// The names of actors, by their ordinals.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub(crate) async fn actor_names(&self, _ordinals: &[u32]) -> Result<HashMap<u32, String>, ReportsError> {
        unimplemented!()
    }

    /// The ordinals of actors, by their names; those that are not known are left out.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub(crate) async fn actor_ordinals(
        &self,
        _names: &[String],
    ) -> Result<HashMap<String, u32>, ReportsError> {
        unimplemented!()
    }

    /// The ordinals of every actor whose name passes a test.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub(crate) async fn actors_where(
        &self,
        _test: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Vec<u32>, ReportsError> {
        unimplemented!()
    }

    /// Activities as they stand, read from the log: for each the positions of the event that made its state and of the one
    /// that first recorded it, in this order.
    ///
    /// # Errors
    /// As [`Self::scan`].
    pub(crate) async fn activities(&self, _rows: &[StandingRow]) -> Result<Vec<Activity>, ReportsError> {
        unimplemented!()
    }
}

/// A row, by what finds it in the log and orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StandingRow {
    /// Microseconds since 1970 at which it happened.
    pub(crate) time: i64,
    /// Of the event that first recorded it.
    pub(crate) first_position: i64,
    /// Of the event that made its state.
    pub(crate) position: i64,
}

/// An activity as it stands at the moment looked at.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct Activity {
    /// The client's id of it, or the one that was made for it.
    pub(crate) id: String,
    /// What was done.
    #[serde(rename = "type")]
    #[schema(example = "page.viewed")]
    pub(crate) activity_type: String,
    /// Who did it.
    pub(crate) actor: String,
    /// When it happened.
    pub(crate) occurred_at: chrono::DateTime<chrono::Utc>,
    /// An amount, a duration, a score.
    #[schema(required)]
    pub(crate) value: Option<f64>,
    /// What else is known about it.
    #[schema(required, value_type = Option<Object>)]
    pub(crate) properties: Option<domain::Json>,
    /// Where it came from.
    #[schema(required, value_type = Option<Object>)]
    pub(crate) context: Option<domain::Json>,
    /// When it was recorded.
    pub(crate) recorded_at: chrono::DateTime<chrono::Utc>,
    /// The partition of the log in which the event lies that recorded it.
    pub(crate) partition: u16,
    /// The position of that event in its partition.
    pub(crate) position: i64,
    /// How many events it has: what `If-Match` guards.
    pub(crate) sequence: i64,
}
