use access::TokenUse;
use axum::Json;
use axum::extract::State;
use chassis::ProblemJson;
use serde::{Deserialize, Serialize};

use crate::error::CustomersError;
use crate::state::AppState;
use crate::uses;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    uses: Vec<TokenUse>,
}

#[derive(Serialize)]
pub(crate) struct Heard {
    noted: usize,
}

/// Hears from an edge when tokens were used: `{"uses":[{"token_id","address","first_used_at","last_used_at"}]}`.
pub(crate) async fn note_uses(
    State(state): State<AppState>,
    ProblemJson(report): ProblemJson<Report>,
) -> Result<Json<Heard>, CustomersError> {
    uses::note(&state.pool, &report.uses).await?;
    Ok(Json(Heard { noted: report.uses.len() }))
}
