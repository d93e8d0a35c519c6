//! What the OpenAPI document says of every protocol.

use chassis::Problem;
use utoipa::IntoResponses;

/// What can be wrong with what a foreign client sends.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only documents the responses")]
pub(super) enum SentProblems {
    /// The body cannot be read, or nothing of it keeps the rules; `errors` names each fault.
    #[response(status = 400)]
    Malformed(Problem),
    /// The body did not arrive in time.
    #[response(status = 408)]
    TooSlow(Problem),
    /// The body is too large, after decompression, or has too many messages.
    #[response(status = 413)]
    TooLarge(Problem),
    /// The body is in an encoding that is not understood.
    #[response(status = 415)]
    Unsupported(Problem),
}
