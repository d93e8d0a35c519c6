use access::{TokenAuthority, Verdict};
use axum::Json;
use axum::extract::State;
use chassis::ProblemJson;
use domain::token::TokenHash;
use serde::Deserialize;

use crate::error::CustomersError;
use crate::state::AppState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    sha256: TokenHash,
}

/// Says what a token is good for: `{"valid":{"principal":{…},"expires_at":…}}` or `{"refused":"unknown"}`.
pub(crate) async fn validate_token(
    State(state): State<AppState>,
    ProblemJson(question): ProblemJson<Question>,
) -> Result<Json<Verdict>, CustomersError> {
    // Straight from the tables: the edges keep the answer for a day, and a cache in front of a cache only adds to its age.
    let verdict = state.authority.validate(&question.sha256).await;
    verdict.map(Json).map_err(|error| CustomersError::Unavailable(error.to_string()))
}
