use std::ops::Deref;
use std::sync::Arc;

use access::Access;
use axum::extract::FromRef;
use event_store::{EventLog, History};
use tokio::sync::Semaphore;

use crate::changing::Changer;
use crate::config::Limits;
use crate::discarding::Discarder;
use crate::identities::Identities;
use crate::recorder::Recorder;
use crate::rejections::Rejections;
use crate::stream::StreamPlaces;

/// What the handlers work with: a copy for each request, so it is a pointer.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What is behind it.
pub struct Shared {
    pub(crate) log: EventLog,
    pub(crate) history: History,
    pub(crate) recorder: Recorder,
    pub(crate) changer: Changer,
    pub(crate) discarder: Discarder,
    pub(crate) identities: Identities,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    /// Places for batches, whose bodies are held in memory.
    pub(crate) batches: Arc<Semaphore>,
    pub(crate) rejections: Rejections,
    pub(crate) streams: StreamPlaces,
    /// Places for groups of lines of all streams.
    pub(crate) stream_groups: Arc<Semaphore>,
}

impl AppState {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<AppState> for Access {
    fn from_ref(state: &AppState) -> Self {
        state.access.clone()
    }
}
