use event_store::{KnownPositions, PositionIndex, PositionQuestion};

use crate::error::ReportsError;
use crate::state::AppState;
use crate::view::PositionFinder;

/// Tells where the events lie that a filter of history asks for. Activities asks it, which reads them for auditors. That the
/// read model cannot say it now is an answer too: activities then reads the log, and need not ask twice.
pub(crate) async fn find_positions(
    state: AppState,
    question: PositionQuestion,
) -> Result<Option<KnownPositions>, ReportsError> {
    Ok(PositionIndex::find(&PositionFinder::of(&state), &question).await)
}
