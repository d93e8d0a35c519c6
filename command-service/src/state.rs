use std::ops::Deref;
use std::sync::Arc;

use access::{Access, Subject};
use axum::extract::FromRef;
use chassis::request_id;
use event_store::EventLog;
use http::HeaderMap;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::changing::Changer;
use crate::config::Limits;
use crate::discarding::Discarder;
use crate::recorder::Recorder;

/// What the handlers work with: a copy for each request, so it is a pointer.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What is behind it.
pub struct Shared {
    pub(crate) log: EventLog,
    pub(crate) recorder: Recorder,
    pub(crate) changer: Changer,
    pub(crate) discarder: Discarder,
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    /// Places for batches, whose bodies are held in memory.
    pub(crate) batches: Arc<Semaphore>,
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

/// What every event says about its cause.
#[derive(Serialize)]
pub(crate) struct Cause<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    subject: String,
    /// W3C trace context, as the client sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

const TRACEPARENT_BYTES: usize = 55;

impl<'a> Cause<'a> {
    pub(crate) fn of(headers: &'a HeaderMap, subject: Subject) -> Self {
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let traceparent = traceparent.filter(|text| text.len() == TRACEPARENT_BYTES && text.is_ascii());
        Self { request_id: request_id(headers), subject: subject.to_string(), traceparent }
    }

    /// As the log keeps it.
    pub(crate) fn to_json(&self) -> String {
        // Strings only; it cannot fail.
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}
