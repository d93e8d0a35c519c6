use access::Principal;
use axum::Json;
use axum::extract::State;
use chassis::ProblemJson;
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::error::CustomersError;
use crate::sessions::{self, SessionSecret};
use crate::state::AppState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    cookie: String,
    csrf: Option<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    Known { principal: Principal, csrf_ok: bool },
    Refused { refused: bool },
}

/// Says who is behind a session's cookie: `{"principal":{…},"csrf_ok":bool}` or `{"refused":true}`.
pub(crate) async fn resolve_session(
    State(state): State<AppState>,
    ProblemJson(question): ProblemJson<Question>,
) -> Result<Json<Answer>, CustomersError> {
    let secret = SessionSecret::from_cookie(&question.cookie);
    let session = sessions::resolve(&state.pool, &secret, state.lifetimes, Utc::now()).await?;
    Ok(Json(match session {
        Some(session) => Answer::Known {
            principal: session.principal(),
            csrf_ok: secret.has_csrf_token(question.csrf.as_deref()),
        },
        None => Answer::Refused { refused: true },
    }))
}
