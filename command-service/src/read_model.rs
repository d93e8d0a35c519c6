use access::InternalCall;
use chassis::{InternalKey, Upstream};
use event_store::{KnownPositions, PositionIndex, PositionQuestion};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Reports, which knows where events lie. History goes on without it.
#[derive(Debug)]
pub(crate) struct ReadModel {
    pub(crate) reports: Upstream,
    pub(crate) key: InternalKey,
}

impl PositionIndex for ReadModel {
    fn find<'a>(&'a self, question: &'a PositionQuestion) -> BoxFuture<'a, Option<KnownPositions>> {
        async move {
            question.ask(&self.reports, &self.key).await.unwrap_or_else(|error| {
                tracing::debug!(%error, "reports cannot say where events lie, and history is read without it");
                None
            })
        }
        .boxed()
    }
}
