use std::time::Duration;

use event_store::{KnownPositions, PositionQuestion};

use super::InternalCall;

/// Asks reports where the events of an actor or of a type lie; none if it does not know. History is read without it too, so
/// it may take no longer than some pages that are read without it.
impl InternalCall for PositionQuestion {
    const PATH: &'static str = "/internal/positions";
    const TIMEOUT: Duration = Duration::from_millis(500);
    type Answer = Option<KnownPositions>;
}
