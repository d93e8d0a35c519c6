use std::time::Duration;

use bytes::Bytes;
use chassis::Problem;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::check::RejectedLine;
use crate::batch::id_reused;
use crate::recorder::Recorded;

/// Progress is told of after so many lines,
const PROGRESS_LINES: u64 = 10_000;
/// and after so long.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// A line of the answer to a stream.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum StreamLine {
    /// A line is not recorded. Comes before the progress that counts it.
    Rejected(RejectedLine),
    /// All lines up to this one are durable, or were named as rejected.
    Progress(Progress),
    /// The last line of the answer.
    Summary(Summary),
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// The number of the last line of which all is known; empty lines count.
    pub(crate) line: u64,
    /// How many are newly recorded.
    pub(crate) accepted: u64,
    /// How many had been recorded before, with the same content.
    pub(crate) duplicates: u64,
    /// How many are not recorded; each was named.
    pub(crate) rejected: u64,
    /// Position of the first that is newly recorded; none if none is.
    pub(crate) first_position: Option<i64>,
    /// Position of the last.
    pub(crate) last_position: Option<i64>,
}

/// What became of a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct Summary {
    /// Whether all of it was read and dealt with. If not, send what comes after `line` again, or all of it: what is sent
    /// again with the same ids is not recorded twice.
    pub(crate) complete: bool,
    #[serde(flatten)]
    pub(crate) progress: Progress,
    /// Why it is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem>,
}

/// The client has gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

/// What became of a group.
pub(super) struct GroupRecorded {
    pub(super) last: u64,
    pub(super) numbers: Vec<u64>,
    pub(super) outcomes: Vec<Recorded>,
    pub(super) rejected: Vec<RejectedLine>,
}

/// Tells the client what becomes of its lines, in their order.
pub(super) struct Teller {
    to: mpsc::Sender<Bytes>,
    progress: Progress,
    told: Progress,
    told_at: Instant,
}

impl Teller {
    pub(super) fn new(to: mpsc::Sender<Bytes>) -> Self {
        Self { to, progress: Progress::default(), told: Progress::default(), told_at: Instant::now() }
    }

    /// When progress is to be told of; none if there is nothing new.
    pub(super) fn due(&self) -> Option<Instant> {
        (self.progress != self.told).then(|| self.told_at + PROGRESS_INTERVAL)
    }

    /// Counts a group, and names what is rejected of it.
    ///
    /// # Errors
    /// [`Gone`].
    pub(super) async fn add(&mut self, group: GroupRecorded) -> Result<(), Gone> {
        let progress = &mut self.progress;
        let mut rejected = group.rejected;
        for (&number, outcome) in group.numbers.iter().zip(&group.outcomes) {
            match *outcome {
                Recorded::New { position } => {
                    progress.accepted += 1;
                    progress.first_position =
                        Some(progress.first_position.map_or(position, |first| first.min(position)));
                    progress.last_position = progress.last_position.max(Some(position));
                }
                Recorded::Duplicate { .. } => progress.duplicates += 1,
                Recorded::IdReused => rejected.push(RejectedLine { line: number, errors: vec![id_reused()] }),
            }
        }
        progress.line = group.last;
        progress.rejected += rejected.len() as u64;
        metrics::counter!("daybook_activities_rejected_total").increment(rejected.len() as u64);
        if !rejected.is_empty() {
            rejected.sort_by_key(|rejected| rejected.line);
            self.send(rejected.into_iter().map(StreamLine::Rejected)).await?;
        }
        if self.progress.line - self.told.line >= PROGRESS_LINES {
            self.tell_progress().await?;
        }
        Ok(())
    }

    /// # Errors
    /// [`Gone`].
    pub(super) async fn tell_progress(&mut self) -> Result<(), Gone> {
        (self.told, self.told_at) = (self.progress, Instant::now());
        self.send([StreamLine::Progress(self.progress)]).await
    }

    /// # Errors
    /// [`Gone`].
    pub(super) async fn tell_summary(self, problem: Option<Problem>) -> Result<(), Gone> {
        let summary = Summary { complete: problem.is_none(), progress: self.progress, problem };
        self.send([StreamLine::Summary(summary)]).await
    }

    async fn send(&self, lines: impl IntoIterator<Item = StreamLine>) -> Result<(), Gone> {
        let mut text = Vec::new();
        for line in lines {
            // Nothing of it can fail to be JSON.
            if serde_json::to_writer(&mut text, &line).is_ok() {
                text.push(b'\n');
            }
        }
        self.to.send(text.into()).await.map_err(|_| Gone)
    }
}
