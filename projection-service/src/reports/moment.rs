use std::time::Duration;

use chassis::{Problem, Time};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::CustomerId;
use tokio::time::Instant;

use crate::error::ReportsError;
use crate::state::AppState;
use crate::view::{Moment, View};

/// How often to check whether another process has folded the position; a fold in this process is noticed at once.
const WAIT_POLL: Duration = Duration::from_millis(250);
/// Positions that are read at once in the search for a time.
const PROBES: i64 = 32;

/// The value of `as_of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestedMoment {
    Now,
    Position(i64),
    Time(DateTime<Utc>),
}

impl RequestedMoment {
    /// Reads `as_of`: a position, a time, or a day, which begins when it does in the zone.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub(super) fn parse(text: Option<&str>, zone: Tz) -> Result<Self, Problem> {
        let Some(text) = text else { return Ok(Self::Now) };
        let problem = |detail: String| Problem::parameter("as_of", detail);
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let too_large = |_| problem("is larger than any position".to_owned());
            return text.parse().map(Self::Position).map_err(too_large);
        }
        let time: Time = text.parse().map_err(|error| problem(format!("is no position, and {error}")))?;
        Ok(Self::Time(time.instant(zone)))
    }
}

/// A view, and whether the position in `wait_for` was folded in time.
pub(super) struct Seen {
    pub(super) view: View,
    pub(super) is_in_time: bool,
}

/// Waits for the position `wait_for`, then opens a view at a moment.
///
/// # Errors
/// As [`View::open`].
pub(super) async fn look(
    state: &AppState,
    customer: CustomerId,
    moment: RequestedMoment,
    wait_for: Option<i64>,
) -> Result<Seen, ReportsError> {
    let deadline = Instant::now() + state.wait_for_max;
    let folded = state.lag.until_folded(state.partition(customer), wait_for.unwrap_or(0));
    tokio::pin!(folded);
    let mut is_folded = false;
    let live = loop {
        let view = View::open(state, customer, Moment::Now).await?;
        let is_there = wait_for.is_none_or(|wanted| view.as_of.position >= wanted);
        if is_there || Instant::now() >= deadline {
            break Seen { view, is_in_time: is_there };
        }
        drop(view);
        tokio::select! {
            () = &mut folded, if !is_folded => is_folded = true,
            () = tokio::time::sleep_until(deadline.min(Instant::now() + WAIT_POLL)) => {}
        }
    };
    let head = live.view.as_of;
    let position = match moment {
        RequestedMoment::Now => return Ok(live),
        RequestedMoment::Position(position) => position,
        RequestedMoment::Time(time) if head.time.is_none_or(|last| last <= time) => return Ok(live),
        RequestedMoment::Time(time) => position_at(state, customer, head.position, time).await?,
    };
    if position >= head.position {
        return Ok(live);
    }
    let view = View::open(state, customer, Moment::Position(position)).await?;
    Ok(Seen { view, ..live })
}

/// Finds the last position that was recorded at a time or before: a search, since `recorded_at` never decreases within a
/// partition.
async fn position_at(
    state: &AppState,
    customer: CustomerId,
    head: i64,
    time: DateTime<Utc>,
) -> Result<i64, ReportsError> {
    let partition = state.partition(customer);
    // Everything up to `low` was recorded by this time, and nothing after `high`.
    let (mut low, mut high) = (0, head);
    while low < high {
        let step = (high - low) / PROBES + 1;
        let probes: Vec<i64> =
            (1..=PROBES).map(|probe| low + probe * step).take_while(|position| *position <= high).collect();
        let events = state.log.read_at(partition, &probes).await?;
        if events.len() != probes.len() {
            return Err(ReportsError::Internal(format!("the log lacks a position up to {high}")));
        }
        let passed = events.partition_point(|event| event.recorded_at <= time);
        if let Some(position) = probes.get(passed) {
            high = position - 1;
        }
        if let Some(last) = passed.checked_sub(1) {
            low = probes[last];
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_position_or_a_time() {
        let moment = |text| RequestedMoment::parse(Some(text), Tz::Europe__Berlin);
        assert_eq!(moment("17").unwrap(), RequestedMoment::Position(17));
        assert_eq!(
            moment("2026-03-01").unwrap(),
            RequestedMoment::Time("2026-02-28T23:00:00Z".parse().unwrap())
        );
        assert_eq!(
            moment("2026-03-01T09:30:00Z").unwrap(),
            RequestedMoment::Time("2026-03-01T09:30:00Z".parse().unwrap())
        );
        assert_eq!(RequestedMoment::parse(None, Tz::UTC).unwrap(), RequestedMoment::Now);
        for text in ["", "-1", "1.5", "yesterday", "99999999999999999999", "2026-03-01T09:30:00"] {
            assert_eq!(moment(text).unwrap_err().errors[0].pointer, "/as_of", "{text}");
        }
    }
}
