use std::io;
use std::time::Duration;

use bytes::Bytes;
use chassis::{Backoff, Problem};
use futures::stream::unfold;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::entries::{Entry, ReadError};
use super::outcome::Outcome;
use super::rejects::Rejects;
use super::state::Resume;
use super::window::Window;
use crate::failure::Failure;

mod answer;
mod door;
use answer::Answer;
pub(crate) use door::Door;

/// How much is sent and not acknowledged, in bytes: then nothing more is read.
const WINDOW_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How much is sent at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// An empty line is sent so often while there is nothing else to send; the door ends a stream that is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// The door is given up that says nothing for so long of what was sent.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// How often it is kept how far the import has come.
const KEEP_INTERVAL: Duration = Duration::from_secs(1);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// Sends records through the door, again and again until all is known of them.
pub(crate) struct Transfer<'a, F: FnMut(&Outcome)> {
    pub(crate) door: &'a Door,
    /// How long it is tried without any progress.
    pub(crate) patience: Duration,
    pub(crate) rejects: Rejects,
    pub(crate) resume: Resume,
    /// How far an import before has come.
    pub(crate) outcome: Outcome,
    /// Told of progress.
    pub(crate) show: F,
}

/// What comes out of the file.
pub(crate) struct Source {
    entries: mpsc::Receiver<Vec<Entry>>,
    reading: Option<JoinHandle<Result<(), ReadError>>>,
}

impl Source {
    pub(crate) fn new(
        entries: mpsc::Receiver<Vec<Entry>>,
        reading: JoinHandle<Result<(), ReadError>>,
    ) -> Self {
        Self { entries, reading: Some(reading) }
    }

    fn is_open(&self) -> bool {
        self.reading.is_some()
    }

    /// The next records; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Failure> {
        if let Some(entries) = self.entries.recv().await {
            return Ok(Some(entries));
        }
        let Some(reading) = &mut self.reading else { return Ok(None) };
        let ended = reading.await;
        self.reading = None;
        match ended {
            Ok(Ok(())) => Ok(None),
            Ok(Err(ReadError::Table(reason))) => Err(Failure::Usage(reason)),
            Ok(Err(error @ ReadError::Io(_))) => Err(Failure::Failed(format!("cannot be read: {error}"))),
            Err(error) => Err(Failure::Failed(error.to_string())),
        }
    }
}

/// What is known of one connection.
#[derive(Default)]
struct Connection {
    accepted: u64,
    duplicates: u64,
}

/// Why a connection ended before everything was known.
enum Ended {
    /// Another one may do better.
    Broken(String),
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<F: FnMut(&Outcome)> Transfer<'_, F> {
    /// Sends everything, and returns what became of it and the file of rejects.
    pub(crate) async fn run(mut self, mut source: Source) -> Result<(Outcome, Rejects), Failure> {
        let (mut window, mut backoff, mut progress_at) = (Window::default(), BACKOFF, Instant::now());
        loop {
            while window.is_empty()
                && let Some(entries) = source.next().await?
            {
                window.extend(entries);
            }
            if window.is_empty() {
                break;
            }
            let before = self.outcome;
            window.begin_again();
            let reason = match self.connect(&mut window, &mut source).await {
                Ok(()) => continue,
                Err(Ended::Failed(failure)) => return Err(failure),
                Err(Ended::Broken(reason)) => reason,
            };
            if self.outcome != before {
                (backoff, progress_at) = (BACKOFF, Instant::now());
            }
            if progress_at.elapsed() >= self.patience {
                return Err(Failure::missing(self.door.url(), reason));
            }
            tokio::time::sleep(backoff.failed()).await;
        }
        self.rejects.flush().and_then(|_| self.resume.remove()).map_err(cannot_keep)?;
        Ok((self.outcome, self.rejects))
    }

    /// Sends over one connection until everything is known, or it breaks off.
    async fn connect(&mut self, window: &mut Window, source: &mut Source) -> Result<(), Ended> {
        let (body, chunks) = mpsc::channel::<Bytes>(2);
        let chunks = unfold(chunks, |mut chunks| async {
            chunks.recv().await.map(|chunk| (Ok::<_, io::Error>(chunk), chunks))
        });
        let (answers, mut answer) = mpsc::channel(16);
        // Ends with this function.
        let mut answering = JoinSet::new();
        answering.spawn(self.door.clone().stream(reqwest::Body::wrap_stream(chunks), answers));
        let (mut body, mut connection, mut kept_at) = (Some(body), Connection::default(), Instant::now());
        let (mut is_open, mut heard_at) = (source.is_open(), Instant::now());
        loop {
            if !is_open && !window.has_unsent() {
                body = None;
            }
            let sender = body.clone();
            tokio::select! {
                answered = answer.recv() => {
                    heard_at = Instant::now();
                    let answered = answered.unwrap_or(Answer::Broken("the answer broke off".to_owned()));
                    let is_complete = self.take(answered, window, &mut connection)?;
                    if is_complete || kept_at.elapsed() >= KEEP_INTERVAL {
                        self.keep()?;
                        kept_at = Instant::now();
                    }
                    if is_complete {
                        return Ok(());
                    }
                }
                Ok(permit) = reserve(sender.as_ref()), if sender.is_some() && window.has_unsent() => {
                    permit.send(window.next_chunk(CHUNK_BYTES).into());
                }
                entries = source.next(), if is_open && window.bytes() < WINDOW_BYTES_MAX => match entries? {
                    Some(entries) => {
                        if window.is_empty() {
                            heard_at = Instant::now();
                        }
                        window.extend(entries);
                    }
                    None => is_open = false,
                },
                () = tokio::time::sleep_until(heard_at + SILENCE_MAX), if !window.is_empty() => {
                    return Err(Ended::Broken(format!("no answer within {} s", SILENCE_MAX.as_secs())));
                }
                () = tokio::time::sleep(HEARTBEAT), if sender.is_some() && !window.has_unsent() => {
                    if let Some(sender) = &sender && sender.try_send(Bytes::from_static(b"\n")).is_ok() {
                        window.sent_empty_line();
                    }
                }
            }
        }
    }

    /// Takes in a line of the answer. Returns whether it says that all is known.
    fn take(&mut self, answer: Answer, window: &mut Window, known: &mut Connection) -> Result<bool, Ended> {
        match answer {
            Answer::Rejected { line, errors } => {
                window.reject(line, errors);
                Ok(false)
            }
            Answer::Progress { line, accepted, duplicates } => {
                self.settle(line, (accepted, duplicates), window, known)?;
                Ok(false)
            }
            Answer::Summary { complete, line, accepted, duplicates, problem } => {
                self.settle(line, (accepted, duplicates), window, known)?;
                if complete {
                    return Ok(true);
                }
                self.keep()?;
                Err(problem
                    .map_or_else(|| Ended::Broken("it ended early".to_owned()), |problem| ended_by(&problem)))
            }
            Answer::Refused(problem) => Err(ended_by(&problem)),
            Answer::Broken(reason) => Err(Ended::Broken(reason)),
        }
    }

    fn settle(
        &mut self,
        line: u64,
        (accepted, duplicates): (u64, u64),
        window: &mut Window,
        known: &mut Connection,
    ) -> Result<(), Failure> {
        let totals = &mut self.outcome.totals;
        totals.accepted += accepted.saturating_sub(known.accepted);
        totals.duplicates += duplicates.saturating_sub(known.duplicates);
        (known.accepted, known.duplicates) = (accepted, duplicates);
        for held in window.settle(line) {
            self.outcome.line = held.entry.line;
            self.outcome.totals.rejected += u64::from(held.errors.is_some());
            self.rejects.write(&held).map_err(cannot_keep)?;
        }
        (self.show)(&self.outcome);
        Ok(())
    }

    fn keep(&mut self) -> Result<(), Failure> {
        let bytes = self.rejects.flush().map_err(cannot_keep)?;
        self.resume.keep(self.outcome.line, bytes, self.outcome.totals).map_err(cannot_keep)
    }
}

async fn reserve(
    sender: Option<&mpsc::Sender<Bytes>>,
) -> Result<mpsc::Permit<'_, Bytes>, mpsc::error::SendError<()>> {
    match sender {
        Some(sender) => sender.reserve().await,
        None => Err(mpsc::error::SendError(())),
    }
}

fn ended_by(problem: &Problem) -> Ended {
    let detail = problem.detail.as_deref().unwrap_or(&problem.title);
    let reason = format!("{} {detail}", problem.status.as_u16());
    let is_transient = problem.status.is_server_error() || [400, 408, 429].contains(&problem.status.as_u16());
    if is_transient { Ended::Broken(reason) } else { Ended::Failed(Failure::Usage(reason)) }
}

fn cannot_keep(error: io::Error) -> Failure {
    Failure::io("cannot write beside the input how far it is imported")(error)
}
