use std::time::Duration;

use chassis::{Problem, Time};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::CustomerId;
use tokio::time::Instant;

use crate::error::ReportsError;
use crate::state::AppState;
use crate::view::{Moment, View};

/// How often is looked whether another process has folded what is waited for; of a fold in this one is told at once.
const WAIT_POLL: Duration = Duration::from_millis(250);
/// Positions that are looked at together in the search for a time.
const PROBES: i64 = 32;

/// The moment that a question names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Now,
    Position(i64),
    Time(DateTime<Utc>),
}

impl Asked {
    /// Reads `as_of`: a position, a time, or a day, which begins when it does in the zone.
    ///
    /// # Errors
    /// 400 that names the parameter.
    pub(super) fn parse(text: Option<&str>, zone: Tz) -> Result<Self, Problem> {
        let Some(text) = text else { return Ok(Self::Now) };
        let refused = |detail: String| Problem::parameter("as_of", detail);
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let too_large = |_| refused("is larger than any position".to_owned());
            return text.parse().map(Self::Position).map_err(too_large);
        }
        let time: Time = text.parse().map_err(|error| refused(format!("is no position, and {error}")))?;
        Ok(Self::Time(time.instant(zone)))
    }
}

/// What is looked at, and whether the position that was waited for is in it.
pub(super) struct Seen {
    pub(super) view: View,
    pub(super) is_in_time: bool,
}

/// Waits for a position, and then looks at a moment.
///
/// # Errors
/// As [`View::open`].
pub(super) async fn look(
    state: &AppState,
    customer: CustomerId,
    asked: Asked,
    wait_for: Option<i64>,
) -> Result<Seen, ReportsError> {
    let deadline = Instant::now() + state.wait_for_max;
    let folded = state.board.until_folded(state.partition(customer), wait_for.unwrap_or(0));
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
    let position = match asked {
        Asked::Now => return Ok(live),
        Asked::Position(position) => position,
        Asked::Time(time) if head.time.is_none_or(|last| last <= time) => return Ok(live),
        Asked::Time(time) => position_at(state, customer, head.position, time).await?,
    };
    if position >= head.position {
        return Ok(live);
    }
    let view = View::open(state, customer, Moment::Position(position)).await?;
    Ok(Seen { view, ..live })
}

/// The last position that had been recorded at a time. Within a partition times of recording never fall, so they are
/// searched.
async fn position_at(
    state: &AppState,
    customer: CustomerId,
    head: i64,
    time: DateTime<Utc>,
) -> Result<i64, ReportsError> {
    let partition = state.partition(customer);
    // Everything up to `low` was recorded by then, nothing after `high` was.
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
        let asked = |text| Asked::parse(Some(text), Tz::Europe__Berlin);
        assert_eq!(asked("17").unwrap(), Asked::Position(17));
        assert_eq!(asked("2026-03-01").unwrap(), Asked::Time("2026-02-28T23:00:00Z".parse().unwrap()));
        assert_eq!(
            asked("2026-03-01T09:30:00Z").unwrap(),
            Asked::Time("2026-03-01T09:30:00Z".parse().unwrap())
        );
        assert_eq!(Asked::parse(None, Tz::UTC).unwrap(), Asked::Now);
        for text in ["", "-1", "1.5", "yesterday", "99999999999999999999", "2026-03-01T09:30:00"] {
            assert_eq!(asked(text).unwrap_err().errors[0].pointer, "/as_of", "{text}");
        }
    }
}
