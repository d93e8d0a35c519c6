use std::time::Duration;

use domain::token::TokenHash;
use serde::{Deserialize, Serialize};

use super::InternalCall;
use crate::Verdict;

/// Asks customers whether a token is valid now, and what it may do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidateToken {
    /// The hash of the token's secret.
    pub sha256: TokenHash,
}

impl InternalCall for ValidateToken {
    const PATH: &'static str = "/internal/tokens/validate";
    const TIMEOUT: Duration = Duration::from_secs(2);
    type Answer = Verdict;
}
