use std::net::IpAddr;

use access::Access;
use http::HeaderMap;
use http::header::USER_AGENT;

/// What is kept of a browser's name for itself, in characters.
const USER_AGENT_CHARS_MAX: usize = 200;

/// From where somebody logs in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) address: Option<IpAddr>,
    pub(super) user_agent: Option<String>,
}

impl Origin {
    pub(crate) fn of(access: &Access, headers: &HeaderMap) -> Self {
        let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let user_agent = user_agent.map(|text| text.chars().take(USER_AGENT_CHARS_MAX).collect());
        Self { address: access.client_address(headers), user_agent }
    }
}
