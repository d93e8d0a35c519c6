use std::fmt;

use domain::CustomerId;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::HistoryQuery;
use crate::{EventLog, LogError, Stamp};

/// Whoever knows where events lie, so that the log need not be read to find them: the read model. What is known is a hint:
/// each event is read in the log and looked at there, and where nothing is known the log is read.
pub trait PositionIndex: fmt::Debug + Send + Sync {
    /// Where the events lie that may be asked for; none if nothing is known, or not soon enough.
    fn find<'a>(&'a self, question: &'a PositionQuestion) -> BoxFuture<'a, Option<KnownPositions>>;
}

/// Which events of a customer are looked for. An actor, a type, or both are given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionQuestion {
    /// The customer.
    pub customer_id: CustomerId,
    /// As [`super::HistoryFilter`] has it.
    pub actor: Option<String>,
    /// As [`super::HistoryFilter`] has it.
    pub activity_type: Option<String>,
    /// After this position.
    pub after: i64,
    /// Up to this position, inclusive.
    pub to: i64,
    /// At most so many positions; at least 1.
    pub limit: usize,
}

/// Where the events lie that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPositions {
    /// In order. There may be others among them.
    pub positions: Vec<i64>,
    /// From the position asked for up to this one, inclusive, there are none but these.
    pub complete_to: i64,
    /// The last event that is known of. What is known of a log that does not have it is about another log.
    pub as_of: Stamp,
}

impl KnownPositions {
    /// Whether nothing is known of what follows.
    pub(super) fn ends_here(&self) -> bool {
        self.complete_to >= self.as_of.position
    }
}

/// Asks for the next positions of a page; none if nothing is known of what follows `after`, or it is about another log.
///
/// # Errors
/// An error if the database fails.
pub(super) async fn ask(
    log: &EventLog,
    index: &dyn PositionIndex,
    query: &HistoryQuery,
    (after, to): (i64, i64),
    limit: usize,
) -> Result<Option<KnownPositions>, LogError> {
    let filter = &query.filter;
    let Some(customer_id) = filter.customer_id else { return Ok(None) };
    let question = PositionQuestion {
        customer_id,
        actor: filter.actor.clone(),
        activity_type: filter.activity_type.clone(),
        after,
        to,
        limit,
    };
    let Some(mut known) = index.find(&question).await else { return Ok(None) };
    known.complete_to = known.complete_to.min(known.as_of.position).min(to);
    let asked_for = after + 1..=known.complete_to;
    known.positions.retain(|position| asked_for.contains(position));
    if asked_for.is_empty() || known.as_of.partition != query.partition {
        return Ok(None);
    }
    match log.check(&known.as_of).await {
        Ok(()) => Ok(Some(known)),
        Err(LogError::Diverged(divergence)) => {
            // No louder: the read side reports it too, and it needs a decision there.
            tracing::debug!(%divergence, "the positions that are known are of another log; history is read without them");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
