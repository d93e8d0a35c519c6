//! The projections, one a file. Adding a report is one file here, one line in [`ALL`] and one migration.

mod active_users;
mod activity;
mod actor_set;
mod event;
mod feed;

use async_trait::async_trait;
use sqlx::PgConnection;

pub(crate) use active_users::ActiveUsers;
pub(crate) use activity::Activity;
pub(crate) use actor_set::{ActorSet, BelowZero, Unreadable, read_bitmap};
pub(crate) use event::{Event, FoldError, MINUTE_S, QUARTER_S, bucket};
pub(crate) use feed::Feed;

use crate::error::FlushError;

/// Every projection of this program.
pub(crate) const ALL: &[Definition] =
    &[Definition::of::<Activity>(), Definition::of::<ActiveUsers>(), Definition::of::<Feed>()];

/// Code that folds events into one read model. A value folds one batch of one partition in memory and is then flushed.
#[async_trait]
pub(crate) trait Projection: Default + Send + 'static {
    /// Its name, for operators and in the tables of checkpoints.
    const NAME: &'static str;
    /// Changes whenever the same events would fold to other rows; the service then rebuilds by itself.
    const VERSION: i32;
    /// Its tables, each partitioned by generation.
    const TABLES: &'static [&'static str];

    /// Folds one event into the batch.
    ///
    /// # Errors
    /// [`FoldError`], with nothing of this event folded; it then becomes a dead letter.
    fn fold(&mut self, event: &Event<'_>) -> Result<(), FoldError>;

    /// Writes the batch with set-based SQL.
    ///
    /// # Errors
    /// [`FlushError`]; the transaction is then given up.
    async fn flush(&mut self, connection: &mut PgConnection, place: Place) -> Result<(), FlushError>;
}

/// Where a batch is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// As in the tables.
    pub(crate) generation: i32,
    /// As in the tables.
    pub(crate) partition: i32,
}

/// [`Projection`] without its constants, so that different ones fit into one list.
#[async_trait]
pub(crate) trait Batch: Send {
    fn fold(&mut self, event: &Event<'_>) -> Result<(), FoldError>;
    async fn flush(&mut self, connection: &mut PgConnection, place: Place) -> Result<(), FlushError>;
}

#[async_trait]
impl<P: Projection> Batch for P {
    fn fold(&mut self, event: &Event<'_>) -> Result<(), FoldError> {
        Projection::fold(self, event)
    }

    async fn flush(&mut self, connection: &mut PgConnection, place: Place) -> Result<(), FlushError> {
        Projection::flush(self, connection, place).await
    }
}

/// A projection of this program, as its machinery sees it.
#[derive(Clone, Copy)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) version: i32,
    pub(crate) tables: &'static [&'static str],
    /// Starts an empty batch.
    pub(crate) batch: fn() -> Box<dyn Batch>,
}

impl Definition {
    const fn of<P: Projection>() -> Self {
        Self { name: P::NAME, version: P::VERSION, tables: P::TABLES, batch: || Box::new(P::default()) }
    }

    /// The projection of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|definition| definition.name == name)
    }

    /// The names of all projections.
    pub(crate) fn names() -> Vec<String> {
        ALL.iter().map(|definition| definition.name.to_owned()).collect()
    }
}

/// Names and versions of all projections, as columns.
pub(crate) fn versions() -> (Vec<String>, Vec<i32>) {
    ALL.iter().map(|definition| (definition.name.to_owned(), definition.version)).unzip()
}
