use std::sync::Arc;
use std::time::{Duration, Instant};

use chassis::Backoff;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use super::write_probe::WriteProbe;
use super::{AppendError, Job};
use crate::append::append_events;
use crate::error::is_transient;
use crate::{Append, Appended};

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(500));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A commit that takes longer has lost its server; the next attempt finds out what became of it.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

/// One connection and what is committed over it.
pub(super) struct Committer {
    options: Arc<PgConnectOptions>,
    connection: Option<PgConnection>,
    retry_max: Duration,
    write_probe: WriteProbe,
}

impl Committer {
    pub(super) fn new(options: Arc<PgConnectOptions>, retry_max: Duration, write_probe: WriteProbe) -> Self {
        Self { options, connection: None, retry_max, write_probe }
    }

    /// Commits a group. If the database refuses it for what one of its jobs holds, each job is tried alone, so that one bad
    /// row harms no other job.
    pub(super) async fn commit(&mut self, batch: Vec<Job>) -> Outcomes {
        match self.attempt(&batch).await {
            Ok(outcomes) => Outcomes::shared_out(batch, outcomes),
            Err(AppendError::Refused(reason)) if batch.len() > 1 => {
                tracing::warn!(%reason, jobs = batch.len(), "a group was refused; its jobs are tried one by one");
                let mut outcomes = Outcomes::default();
                for job in batch {
                    outcomes.0.append(&mut Box::pin(self.commit(vec![job])).await.0);
                }
                outcomes
            }
            Err(error) => {
                tracing::error!(%error, "a group of {} could not be committed", batch.len());
                Outcomes(batch.into_iter().map(|job| (job, Err(error.clone()))).collect())
            }
        }
    }

    async fn attempt(&mut self, batch: &[Job]) -> Result<Vec<Appended>, AppendError> {
        let appends: Vec<&Append> = batch.iter().flat_map(|job| &job.appends).collect();
        let begin = Instant::now();
        let mut backoff = BACKOFF;
        // Whether an earlier attempt may have been committed although its result never arrived.
        let mut uncertain = false;
        loop {
            let error = match self.once(&appends, uncertain).await {
                Ok(outcomes) => {
                    self.write_probe.note(Ok(()));
                    metrics::histogram!("daybook_append_commit_duration_seconds").record(begin.elapsed());
                    return Ok(outcomes);
                }
                Err(error) => error,
            };
            // Whatever state it is in, it is not worth finding out.
            self.connection = None;
            uncertain = true;
            if !is_transient(&error) {
                return Err(AppendError::Refused(error.to_string()));
            }
            metrics::counter!("daybook_append_retries_total").increment(1);
            let pause = backoff.failed();
            if begin.elapsed() + pause > self.retry_max {
                self.write_probe.note(Err(&error));
                return Err(AppendError::Unavailable(error.to_string()));
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn once(&mut self, appends: &[&Append], uncertain: bool) -> Result<Vec<Appended>, sqlx::Error> {
        let late = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
        let connection = if let Some(connection) = self.connection.take() {
            self.connection.insert(connection)
        } else {
            let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.options.connect());
            self.connection.insert(connecting.await.map_err(late)??)
        };
        let committing = async {
            let mut outcomes = append_events(connection, appends).await?;
            if uncertain {
                recognise_own(connection, appends, &mut outcomes).await?;
            }
            Ok(outcomes)
        };
        tokio::time::timeout(COMMIT_TIMEOUT, committing).await.map_err(late)?
    }
}

/// After an attempt whose result was lost, what looks like a conflict may be what that attempt stored: its events have our ids.
/// The heads were locked in between, so that attempt is over by now, one way or the other.
async fn recognise_own(
    connection: &mut PgConnection,
    appends: &[&Append],
    outcomes: &mut [Appended],
) -> Result<(), sqlx::Error> {
    let conflicts = appends.iter().zip(outcomes).filter(|(_, outcome)| **outcome == Appended::Conflict);
    for (append, outcome) in conflicts {
        let Some(first) = append.events.first() else { continue };
        let own = sqlx::query!(
            "SELECT position, recorded_at FROM events
              WHERE partition = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND sequence = $4 AND event_id = $5",
            i32::from(append.partition.0),
            append.aggregate_type,
            append.aggregate_id,
            append.sequence,
            first.event_id,
        )
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(own) = own {
            *outcome = Appended::Stored { position: own.position, recorded_at: own.recorded_at };
        }
    }
    Ok(())
}

/// What became of each job of a group, for its caller.
#[derive(Default)]
#[must_use]
pub(super) struct Outcomes(Vec<(Job, Result<Vec<Appended>, AppendError>)>);

impl Outcomes {
    fn shared_out(batch: Vec<Job>, outcomes: Vec<Appended>) -> Self {
        let mut outcomes = outcomes.into_iter();
        let answer = |job: Job| {
            let own = outcomes.by_ref().take(job.appends.len()).collect();
            (job, Ok(own))
        };
        Self(batch.into_iter().map(answer).collect())
    }

    /// Sends each caller the outcome of its job.
    pub(super) fn send(self) {
        for (job, outcome) in self.0 {
            job.answer(outcome);
        }
    }
}
