use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::InternalCall;
use crate::TokenUse;

/// Reports to customers when tokens were used. Reporting the same uses again changes nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteTokenUses {
    /// The uses, of any tokens.
    pub uses: Vec<TokenUse>,
}

/// That the uses were written down.
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenUsesNoted {
    /// How many uses the report had.
    pub noted: usize,
}

impl InternalCall for NoteTokenUses {
    const PATH: &'static str = "/internal/tokens/uses";
    const TIMEOUT: Duration = Duration::from_secs(5);
    type Answer = TokenUsesNoted;
}
