use event_store::{KnownPositions, PositionIndex, PositionQuestion};

use crate::error::ReportsError;
use crate::state::AppState;
use crate::view::PositionFinder;

/// Returns the positions of the events that a filter of history selects. The command service calls it before it reads these
/// events for auditors. None means that the read model cannot say it now; the caller then scans the log.
pub(crate) async fn find_positions(
    state: AppState,
    question: PositionQuestion,
) -> Result<Option<KnownPositions>, ReportsError> {
    Ok(PositionIndex::find(&PositionFinder::of(&state), &question).await)
}
