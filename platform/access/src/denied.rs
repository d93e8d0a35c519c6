use chassis::Problem;
use domain::token::SecretFault;

use crate::Refusal;

/// Why a caller is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The request has neither token nor session.
    #[error("no token")]
    Missing,
    /// The text is no token.
    #[error("not a token")]
    Malformed,
    /// The token is not valid.
    #[error("the token is {}", .0.name())]
    Refused(Refusal),
    /// The authority cannot be asked now.
    #[error("tokens cannot be validated now")]
    Unavailable,
}

impl Denied {
    /// The reason in labels of metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Refused(refusal) => refusal.name(),
            Self::Unavailable => "unavailable",
        }
    }
}

/// When a client may try again while customers is unreachable, in seconds.
const RETRY_AFTER_S: u64 = 2;

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let (kind, detail) = match denied {
            Denied::Missing => {
                ("token-missing", "Send the header Authorization: Bearer with a token, or log in first.")
            }
            Denied::Malformed => ("token-malformed", SecretFault::ADVICE),
            Denied::Refused(Refusal::Unknown) => (
                "token-unknown",
                "No such token was ever issued. Check which system it belongs to, or issue one.",
            ),
            Denied::Refused(Refusal::Expired) => ("token-expired", "The token has ended. Issue a new one."),
            Denied::Refused(Refusal::Revoked) => ("token-revoked", "The token was revoked. Issue a new one."),
            Denied::Unavailable => {
                return Self::unavailable("customers-unavailable", RETRY_AFTER_S)
                    .with_detail("The token cannot be validated at this moment. Try again.");
            }
        };
        Self::unauthorized(kind).with_detail(detail)
    }
}
