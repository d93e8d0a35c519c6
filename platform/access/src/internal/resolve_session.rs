use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::InternalCall;
use crate::ForwardedPrincipal;

/// Asks customers who is behind a session's cookie.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveSession {
    /// The cookie's value.
    pub cookie: String,
    /// The CSRF token of the request, if it shows one.
    pub csrf: Option<String>,
}

/// Who is behind a session's cookie. JSON: `{"principal":{…},"csrf_ok":bool}` or `{"refused":true}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub enum ResolvedSession {
    /// The session is live.
    Live {
        /// The member, as services forward it.
        principal: ForwardedPrincipal,
        /// Whether the CSRF token is the session's.
        csrf_ok: bool,
    },
    /// There is no such session, or it has ended.
    Ended,
}

impl InternalCall for ResolveSession {
    const PATH: &'static str = "/internal/sessions/resolve";
    const TIMEOUT: Duration = Duration::from_secs(2);
    type Answer = ResolvedSession;
}

#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<ForwardedPrincipal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    csrf_ok: Option<bool>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    refused: bool,
}

impl From<ResolvedSession> for Fields {
    fn from(session: ResolvedSession) -> Self {
        match session {
            ResolvedSession::Live { principal, csrf_ok } => {
                Self { principal: Some(principal), csrf_ok: Some(csrf_ok), refused: false }
            }
            ResolvedSession::Ended => Self { principal: None, csrf_ok: None, refused: true },
        }
    }
}

impl TryFrom<Fields> for ResolvedSession {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        match fields {
            Fields { refused: true, .. } => Ok(Self::Ended),
            Fields { principal: Some(principal), csrf_ok, .. } => {
                Ok(Self::Live { principal, csrf_ok: csrf_ok.unwrap_or(false) })
            }
            Fields { principal: None, .. } => Err("neither a principal nor a refusal"),
        }
    }
}
