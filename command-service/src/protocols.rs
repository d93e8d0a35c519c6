//! Foreign protocols: clients that exist already send as they always do, and what they send is recorded as activities.
//!
//! Each protocol is one file beside this one, with its own folder where it needs more. It reads a body into [`Message`]s, and
//! says what its clients expect as an answer. Everything else is the same for all ([`ingest`]): who is calling, limits, the
//! recorder of the native batch, what is counted, and the list of what was rejected. Nothing behind it knows where an
//! activity came from.
//!
//! Invariants: a message is rejected alone, with each of its faults named, and costs the others nothing; what is rejected is
//! answered where the protocol can, counted and listed; the same message sent again is a duplicate; never a redirect.

mod clock;
mod cloudevents;
mod documents;
mod identity;
mod ids;
mod ingest;
mod members;
mod message;
mod otlp;
mod posthog;
mod results;
mod segment;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::response::{IntoResponse, Response};
use chassis::Problem;
use http::HeaderValue;
use utoipa_axum::router::OpenApiRouter;

use crate::state::AppState;
use ingest::Received;
use message::Messages;
use results::Results;

/// How one kind of client sends, and what it wants to hear.
trait Protocol: 'static {
    /// Its name in metrics and in the list of rejections.
    const NAME: &'static str;
    /// Pointers of an activity's fields, and those of the message's fields that they come from.
    const FIELDS: &'static [(&'static str, &'static str)];

    /// Whether its clients may have the token in the body.
    const KEY_IN_BODY: bool = false;

    /// Reads the messages of a body.
    ///
    /// # Errors
    /// A problem if the body as a whole cannot be read. A message that cannot be is an item with its faults.
    fn read(received: &Received) -> Result<Messages, Problem>;

    /// What a client hears once its messages are durable.
    fn answer(received: &Received, results: &Results) -> Response;

    /// What a client hears when nothing of its request is recorded.
    fn refuse(_content_type: Option<&HeaderValue>, problem: Problem) -> Response {
        problem.into_response()
    }
}

/// The table of protocols: what each of them documents.
pub(crate) fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(segment::documented())
        .merge(posthog::documented())
        .merge(otlp::documented())
        .merge(cloudevents::documented())
}

/// Addresses that clients use beside the documented ones, as with and without a slash at the end.
pub(crate) fn aliases() -> Router<AppState> {
    Router::new()
        .merge(segment::aliases())
        .merge(posthog::aliases())
        .merge(otlp::aliases())
        .merge(cloudevents::aliases())
}
