use access::{DiscardRecorded, RecordDiscard};

use crate::error::ActivitiesError;
use crate::state::AppState;

/// Records in the log that a dead letter is discarded. Reports asks for it, after it has asked who is calling.
pub(crate) async fn discard_dead_letter(
    state: AppState,
    call: RecordDiscard,
) -> Result<DiscardRecorded, ActivitiesError> {
    let RecordDiscard { customer_id, discard, cause } = call;
    let is_new = state.discarder.discard(customer_id, discard, cause).await?;
    Ok(DiscardRecorded { is_new })
}
