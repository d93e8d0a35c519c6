use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::super::by_actor::{Actor, Entry, Fold, Packed, Select, by_actor};
use super::super::source::Source;
use crate::columns::{Needs, Rows};
use crate::error::ReportsError;

/// A session that begins in the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) actor: u32,
    /// When its first activity happened, in microseconds since 1970.
    pub(super) first: i64,
    /// The position that first recorded that one, if it is needed.
    pub(super) first_position: i64,
    /// When its last activity happened.
    pub(super) last: i64,
    /// How many it has.
    pub(super) activities: u64,
}

/// Gathers sessions.
pub(super) trait Tally: Send + Sync + 'static {
    /// Whether the position of a session's first activity is needed.
    const NEEDS_POSITIONS: bool;

    /// For the sessions of one thread.
    fn empty(&self) -> Self;

    /// A session begins at a time; those of one actor follow each other, in their order.
    fn begin(&mut self, actor: u32, time: i64);

    /// A session is whole.
    fn end(&mut self, session: &Session);

    fn merge(&mut self, other: Self);
}

/// The length of the first step after the range, in microseconds; twice the gap if that is more.
const AHEAD_MIN: i64 = 3_600_000_000;

/// Passes all sessions that begin in `range` to `tally`.
///
/// A session may end long after the range. So the time after the range is read in steps, each twice as long as the one
/// before, and only for actors whose session has not ended yet, until all have.
pub(super) async fn sessions<T: Tally>(
    source: &impl Source,
    range: Range<i64>,
    gap: i64,
    mut tally: T,
) -> Result<T, ReportsError> {
    let needs = Needs { actors: true, ..Needs::default() };
    let mut ahead = AHEAD_MIN.max(gap.saturating_mul(2));
    // An activity in the gap before the range is enough to know that a session did not begin in it.
    let mut window = range.start.saturating_sub(gap)..range.end.saturating_add(ahead);
    let mut open: Option<Arc<Vec<Session>>> = None;
    loop {
        let follow =
            Follow { empty: tally.empty(), range: range.clone(), gap, end: window.end, open: open.clone() };
        let (_, threads) = by_actor(source, window.clone(), &needs, Open(open.clone()), follow).await?;
        let mut seen = HashSet::new();
        let mut still_open = Vec::new();
        for found in threads {
            tally.merge(found.tally);
            still_open.extend(found.open);
            seen.extend(found.seen);
        }
        let unseen =
            open.iter().flat_map(|open| open.iter()).filter(|session| !seen.contains(&session.actor));
        unseen.for_each(|session| tally.end(session));
        if still_open.is_empty() {
            return Ok(tally);
        }
        still_open.sort_unstable_by_key(|session| session.actor);
        open = Some(Arc::new(still_open));
        ahead = ahead.saturating_mul(2);
        window = window.end..window.end.saturating_add(ahead);
    }
}

/// The result of one thread.
struct Found<T> {
    tally: T,
    /// Sessions that may go on after the window.
    open: Vec<Session>,
    /// The actors that have an activity in the window; used only after the range, where open sessions are followed.
    seen: HashSet<u32>,
}

/// Follows actors through a window.
struct Follow<T> {
    empty: T,
    range: Range<i64>,
    gap: i64,
    /// Of the window.
    end: i64,
    /// Sessions that go on in this window, by actor; none in the first one, in which they begin.
    open: Option<Arc<Vec<Session>>>,
}

impl<T: Tally> Fold for Follow<T> {
    type Accumulator = Found<T>;
    type Packed = Packed<0>;
    const NEEDS_POSITIONS: bool = T::NEEDS_POSITIONS;

    fn begin(&self) -> Found<T> {
        Found { tally: self.empty.empty(), open: Vec::new(), seen: HashSet::new() }
    }

    fn actor<E: Entry>(&self, found: &mut Found<T>, actor: &Actor<'_, E>) {
        let mut session = self.open.as_ref().and_then(|open| find(open, actor.ordinal)).cloned();
        let mut before = session.as_ref().map(|session| session.last);
        if self.open.is_some() {
            found.seen.insert(actor.ordinal);
        }
        for (row, entry) in actor.entries.iter().enumerate() {
            let time = actor.time(row);
            let is_same = before.is_some_and(|before| time.saturating_sub(before) <= self.gap);
            before = Some(time);
            if is_same {
                if let Some(session) = &mut session {
                    session.last = time;
                    session.activities += 1;
                }
                continue;
            }
            if let Some(ended) = session.take() {
                found.tally.end(&ended);
            }
            if time >= self.range.end {
                return;
            }
            if time >= self.range.start {
                found.tally.begin(actor.ordinal, time);
                session = Some(Session {
                    actor: actor.ordinal,
                    first: time,
                    first_position: entry.first_position(),
                    last: time,
                    activities: 1,
                });
            }
        }
        match session {
            Some(session) if session.last.saturating_add(self.gap) >= self.end => found.open.push(session),
            Some(session) => found.tally.end(&session),
            None => {}
        }
    }
}

fn find(open: &[Session], actor: u32) -> Option<&Session> {
    open.binary_search_by_key(&actor, |session| session.actor).ok().map(|index| &open[index])
}

/// Chooses the rows of actors with an open session; at first all rows.
struct Open(Option<Arc<Vec<Session>>>);

impl Select for Open {
    fn select(&self, rows: &Rows<'_>, mut take: impl FnMut(usize, u32)) {
        match &self.0 {
            None => rows.each(|row| take(row, 0)),
            Some(open) => rows.each(|row| {
                if find(open, rows.actors[row]).is_some() {
                    take(row, 0);
                }
            }),
        }
    }
}
