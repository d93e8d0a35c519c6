use access::{NoteTokenUses, TokenUsesNoted};

use super::uses;
use crate::error::CustomersError;
use crate::state::AppState;

/// Writes down when tokens were used.
pub(crate) async fn note_uses(
    state: AppState,
    call: NoteTokenUses,
) -> Result<TokenUsesNoted, CustomersError> {
    uses::note(&state.pool, &call.uses).await?;
    Ok(TokenUsesNoted { noted: call.uses.len() })
}
