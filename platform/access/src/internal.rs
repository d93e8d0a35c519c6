//! The calls that one service makes to another. A call is the question that it asks, and knows its path, its limit in
//! time and its answer: whoever asks and whoever answers use the same type, so that they cannot disagree.
//!
//! A new call is a file here, its `ask` where the question comes up, and one [`InternalRoutes::with`] in the router of the
//! service that answers. While versions are mixed, an older service rejects a question with a field that it does not know,
//! so a new field comes first to the service that answers; answers may have more fields than the reader knows.

mod find_positions;
mod note_token_uses;
mod record_discard;
mod resolve_session;
mod validate_token;

use std::time::Duration;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use chassis::{InternalKey, ProblemJson, Upstream, UpstreamError, require_internal_key};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use note_token_uses::{NoteTokenUses, TokenUsesNoted};
pub use record_discard::{DiscardRecorded, RecordDiscard};
pub use resolve_session::{ResolveSession, ResolvedSession};
pub use validate_token::ValidateToken;

/// A question that one service asks another: `POST` of itself as JSON, answered by 200 with the answer as JSON.
pub trait InternalCall: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Where it is answered; begins with `/internal/`, which the gateway does not route.
    const PATH: &'static str;
    /// How long the asker waits, all attempts together.
    const TIMEOUT: Duration;
    /// What the service answers.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// Asks the service. It may be asked more than once, so the answer to a repeated question must do no harm.
    ///
    /// # Errors
    /// As [`Upstream::ask`].
    fn ask(
        &self,
        service: &Upstream,
        key: &InternalKey,
    ) -> impl Future<Output = Result<Self::Answer, UpstreamError>> + Send {
        service.ask(Self::PATH, self, key, Self::TIMEOUT)
    }
}

/// The routes that only other services know.
#[derive(Debug)]
pub struct InternalRoutes<S>(Router<S>);

impl<S: Clone + Send + Sync + 'static> InternalRoutes<S> {
    /// A route for the call that `answer` takes.
    #[must_use]
    pub fn with<C, H, F, E>(self, answer: H) -> Self
    where
        C: InternalCall,
        H: Fn(S, C) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<C::Answer, E>> + Send + 'static,
        E: IntoResponse,
    {
        let handler = move |State(state): State<S>, ProblemJson(call): ProblemJson<C>| {
            let answering = answer(state, call);
            async move { answering.await.map(Json) }
        };
        Self(self.0.route(C::PATH, post(handler)))
    }

    /// The routes, which do not exist for anyone who does not show the key.
    pub fn behind(self, key: &InternalKey) -> Router<S> {
        self.0.route_layer(from_fn_with_state(key.clone(), require_internal_key))
    }
}

impl<S: Clone + Send + Sync + 'static> Default for InternalRoutes<S> {
    fn default() -> Self {
        Self(Router::new())
    }
}
