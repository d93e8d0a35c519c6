use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chassis::ProblemJson;
use domain::CustomerId;
use domain::dead_letter::DeadLetterDiscarded;
use serde::{Deserialize, Serialize};

use crate::error::ActivitiesError;
use crate::state::AppState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    customer_id: CustomerId,
    discard: DeadLetterDiscarded,
    /// Who decided, and with which request.
    cause: HashMap<String, String>,
}

#[derive(Serialize)]
pub(crate) struct Recorded {
    is_new: bool,
}

/// Hears from reports, which has asked who is calling, that a dead letter is discarded:
/// `{"customer_id","discard":{…},"cause":{…}}`. Hearing the same again changes nothing.
pub(crate) async fn discard_dead_letter(
    State(state): State<AppState>,
    ProblemJson(decision): ProblemJson<Decision>,
) -> Result<Json<Recorded>, ActivitiesError> {
    let Decision { customer_id, discard, cause } = decision;
    let is_new = state.discarder.discard(customer_id, discard, cause).await?;
    Ok(Json(Recorded { is_new }))
}
