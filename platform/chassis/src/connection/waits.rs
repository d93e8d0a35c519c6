use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a connection may wait for its client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the first byte of a head, or from the beginning of the connection, to the end of the head.
    pub(crate) head: Duration,
    /// Between requests, as the `Keep-Alive` header says it.
    pub(crate) idle: Duration,
    /// While a client reads nothing of a response.
    pub(crate) write: Duration,
}

/// How much longer than it has said a connection stays open for a next request, so that nothing that a client sends in
/// time crosses the end of the connection.
const IDLE_MARGIN: Duration = Duration::from_secs(5);
/// How long a connection that has nothing to do may take to end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it takes until a connection that waits for us is looked at again.
const NEVER: Duration = Duration::from_hours(1);

/// What a connection is waiting for, and since when.
#[derive(Debug)]
pub(crate) struct Waits {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When it was opened, or the last response ended.
    idle_since: Instant,
    /// The first byte of a head of which the end has not come.
    head_since: Option<Instant>,
    /// When the client last took something of what waits to be written.
    write_since: Option<Instant>,
    /// When a connection without a request began to close.
    close_since: Option<Instant>,
    /// Whether no request is taken any more after those that are here.
    ending: bool,
    /// Requests whose response has not ended.
    in_flight: usize,
    /// Whether it has had a request.
    served: bool,
    /// Whether requests share the connection: then bytes between them need not be a head.
    multiplexed: bool,
    /// Responses of which a part was handed over and no more was asked for: the number of the request, and since when.
    handed: Vec<(u64, Instant)>,
    requests: u64,
}

/// What happens when the deadline of a connection has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It closes in an orderly way, since no request is open.
    Close,
    /// It ends at once.
    Cut,
}

impl Waits {
    pub(crate) fn new(limits: Limits) -> Self {
        let state = State {
            idle_since: Instant::now(),
            head_since: None,
            write_since: None,
            close_since: None,
            ending: false,
            in_flight: 0,
            served: false,
            multiplexed: false,
            handed: Vec::new(),
            requests: 0,
        };
        Self { limits, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// When the connection has waited for long enough, and what happens then.
    pub(crate) fn deadline(&self) -> (Instant, Verdict) {
        let state = self.state();
        let waits = if let Some(since) = state.close_since {
            (since + CLOSE_TIMEOUT, Verdict::Cut)
        } else if state.in_flight > 0 {
            let handed = state.handed.iter().map(|(_, since)| *since).min();
            (handed.map_or_else(|| Instant::now() + NEVER, |since| since + self.limits.write), Verdict::Cut)
        } else if let Some(since) = state.head_since.or((!state.served).then_some(state.idle_since)) {
            (since + self.limits.head, Verdict::Cut)
        } else {
            (state.idle_since + self.limits.idle + IDLE_MARGIN, Verdict::Close)
        };
        match state.write_since.map(|since| since + self.limits.write) {
            Some(write) if write < waits.0 => (write, Verdict::Cut),
            _ => waits,
        }
    }

    /// Since when it has had nothing to do, and whether it has ever had; none while a request is open.
    pub(crate) fn waiting(&self) -> Option<(bool, Instant)> {
        let state = self.state();
        (state.in_flight == 0).then_some((state.served, state.idle_since))
    }

    /// The client has sent something.
    pub(super) fn read(&self) {
        let mut state = self.state();
        if state.in_flight == 0 && state.served && !state.multiplexed && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    /// What we write is taken.
    pub(super) fn written(&self) {
        self.state().write_since = None;
    }

    /// What we write is not taken at the moment.
    pub(super) fn blocked(&self) {
        self.state().write_since.get_or_insert_with(Instant::now);
    }

    /// A head is complete; returns the number of the request.
    pub(super) fn begin(&self, multiplexed: bool) -> u64 {
        let mut state = self.state();
        state.in_flight += 1;
        state.requests += 1;
        (state.head_since, state.served, state.multiplexed) = (None, true, multiplexed);
        state.requests
    }

    /// The response of a request has ended.
    pub(super) fn end(&self, request: u64) {
        let mut state = self.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.idle_since = Instant::now();
        state.handed.retain(|(handed, _)| *handed != request);
    }

    /// A part of a response is handed over. The next one is asked for when there is room for it. Only noted where a
    /// client can stop reading one response while it reads others.
    pub(super) fn hand(&self, request: u64) {
        let mut state = self.state();
        if state.multiplexed {
            state.handed.push((request, Instant::now()));
        }
    }

    /// The next part of a response is asked for.
    pub(super) fn ask(&self, request: u64) {
        let mut state = self.state();
        if !state.handed.is_empty() {
            state.handed.retain(|(handed, _)| *handed != request);
        }
    }

    /// It has no request and closes.
    pub(super) fn close(&self) {
        self.state().close_since.get_or_insert_with(Instant::now);
    }

    /// It closes after the requests that it has.
    pub(super) fn end_soon(&self) {
        self.state().ending = true;
    }

    /// Whether it ends after what it has to do.
    pub(super) fn is_ending(&self) -> bool {
        self.state().ending
    }
}
