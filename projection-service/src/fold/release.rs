use sqlx::PgConnection;

use super::dead_letters::{self, NewDeadLetter};
use super::run::{Known, Run};
use super::{Decoded, Folder, PageError, Target, discards};

/// The most events of one stream that are read at once; a stream has few.
const RELEASE_EVENTS_MAX: i64 = 1_000;

/// The result of folding a stream's dead letter and the events behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Released {
    /// The number of events that were folded.
    pub(crate) folded: u64,
    /// The first event that could not be folded, if there was one.
    pub(crate) stopped: Option<Stopped>,
}

/// An event that could not be folded; the later ones of its stream wait behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stopped {
    pub(crate) position: i64,
    pub(crate) reason: String,
}

/// Folds the dead letter of a stream and the events behind it, in order, up to the first one that cannot be folded. Runs in
/// the caller's transaction; the checkpoint must be locked, and its position stays.
///
/// # Errors
/// [`PageError`]; the transaction is then to be given up.
pub(crate) async fn release(
    connection: &mut PgConnection,
    folder: &Folder,
    target: &mut Target,
    stream: &str,
) -> Result<Released, PageError> {
    let mut released = Released::default();
    loop {
        let events = dead_letters::of_stream(connection, target, stream, RELEASE_EVENTS_MAX).await?;
        if events.is_empty() {
            return Ok(released);
        }
        let decoded: Vec<Decoded<'_>> = events.iter().map(|event| Decoded::of(event.into())).collect();
        let sorted = Run(&decoded).flush(connection, folder, target, &Known::default()).await?;
        let first: Option<&NewDeadLetter<'_>> = sorted.dead.first();
        let done: Vec<i64> = events
            .iter()
            .map(|event| event.position)
            .take_while(|position| first.is_none_or(|first| *position < first.event.position))
            .collect();
        dead_letters::remove(connection, target, &done).await?;
        target.resolve(connection, done.len() as i64, 0).await?;
        released.folded += done.len() as u64;
        if let Some(first) = first {
            dead_letters::failed_again(connection, target, first).await?;
            let (position, reason) = (first.event.position, first.reason.clone());
            return Ok(Released { stopped: Some(Stopped { position, reason }), ..released });
        }
    }
}

/// Discards a dead letter, and folds the events that waited behind it, as [`release`] does. Does nothing if the event is no
/// dead letter, so it may be repeated.
///
/// # Errors
/// [`PageError`]; the transaction is then to be given up.
pub(crate) async fn discard(
    connection: &mut PgConnection,
    folder: &Folder,
    target: &mut Target,
    position: i64,
) -> Result<Released, PageError> {
    let Some((stream, is_first)) = dead_letters::take(connection, target, position).await? else {
        return Ok(Released::default());
    };
    discards::note(connection, target, position).await?;
    target.resolve(connection, 0, 1).await?;
    if is_first { release(connection, folder, target, &stream).await } else { Ok(Released::default()) }
}
