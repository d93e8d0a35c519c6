use std::time::Duration;

use chassis::{LinesBody, Problem, unreadable_body};
use http::StatusCode;
use tokio::time::{Instant, timeout_at};

use super::lines::{Group, Splitter};

/// How long the first line of a group waits for others, so that a sender who pauses is not kept waiting.
const GATHER: Duration = Duration::from_millis(50);

/// Reads a body group by group.
pub(super) struct GroupReader {
    body: LinesBody,
    splitter: Splitter,
    idle: Duration,
    /// When the sender has sent nothing for too long.
    idle_at: Instant,
    /// When the group is complete, however few lines it has.
    gathered_at: Instant,
    /// What came after the last whole line.
    end: Option<Result<(), Problem>>,
}

impl GroupReader {
    /// A line may have at most `line_bytes_max` bytes, and has `idle` to come.
    pub(super) fn new(body: LinesBody, line_bytes_max: usize, idle: Duration) -> Self {
        let now = Instant::now();
        let splitter = Splitter::new(line_bytes_max);
        Self { body, splitter, idle, idle_at: now + idle, gathered_at: now, end: None }
    }

    /// Waits for the first bytes, but not for long.
    pub(super) async fn begin(&mut self, wait: Duration) {
        let _ = tokio::time::timeout(wait, self.read()).await;
    }

    /// Nothing is read at the moment, for which the sender is not to blame.
    pub(super) fn paused(&mut self) {
        self.idle_at = Instant::now() + self.idle;
    }

    /// The next lines; `None` after the last one. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// After the last line: 408 if no further one came in time, 400 if the body broke off.
    pub(super) async fn next(&mut self) -> Result<Option<Group>, Problem> {
        loop {
            self.split();
            let has_lines = self.splitter.has_lines();
            if self.splitter.is_full() || (has_lines && self.end.is_some()) {
                return Ok(Some(self.splitter.take()));
            }
            if let Some(end) = self.end.take() {
                return end.map(|()| None);
            }
            let deadline = if has_lines { self.gathered_at } else { self.idle_at };
            match timeout_at(deadline, self.read()).await {
                Ok(()) => {}
                Err(_) if has_lines => return Ok(Some(self.splitter.take())),
                Err(_) => return Err(self.too_slow()),
            }
        }
    }

    fn split(&mut self) {
        let had_lines = self.splitter.has_lines();
        self.splitter.split();
        if matches!(self.end, Some(Ok(()))) && !self.splitter.is_full() {
            self.splitter.finish();
        }
        if !had_lines && self.splitter.has_lines() {
            let now = Instant::now();
            (self.gathered_at, self.idle_at) = (now + GATHER, now + self.idle);
        }
    }

    async fn read(&mut self) {
        match self.body.read(self.splitter.text()).await {
            Ok(0) => self.end = Some(Ok(())),
            Ok(_) => {}
            // A line of which the end is missing is none.
            Err(error) => self.end = Some(Err(unreadable_body(&error))),
        }
    }

    fn too_slow(&self) -> Problem {
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow").with_detail(format!(
            "No line came within {} s. An empty line now and then keeps a stream open.",
            self.idle.as_secs()
        ))
    }
}
