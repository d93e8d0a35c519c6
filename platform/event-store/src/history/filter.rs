use std::borrow::Cow;

use serde::Deserialize;

use super::HistoryFilter;
use crate::RecordedEvent;

/// What of a payload can be asked for. A correction has both sides, a redaction only the one before.
#[derive(Default, Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    actor: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    activity_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    before: Side<'a>,
    #[serde(borrow, default)]
    after: Side<'a>,
}

#[derive(Default, Deserialize)]
struct Side<'a> {
    #[serde(borrow)]
    actor: Option<Cow<'a, str>>,
    #[serde(rename = "type", borrow)]
    activity_type: Option<Cow<'a, str>>,
}

impl HistoryFilter {
    /// Whether it asks for what an event says, which only reading the event can tell.
    pub(super) fn is_about_content(&self) -> bool {
        self.actor.is_some() || self.activity_type.is_some()
    }

    /// Whether an event says what is asked for. Not asked of the database: its JSON functions take longer, and fail on a
    /// text that they cannot hold.
    pub(super) fn accepts(&self, event: &RecordedEvent) -> bool {
        if !self.is_about_content() {
            return true;
        }
        // A payload of another shape says neither.
        let said: Said<'_> = serde_json::from_str(event.payload.as_str()).unwrap_or_default();
        let actors = [&said.actor, &said.before.actor];
        let types = [&said.activity_type, &said.before.activity_type, &said.after.activity_type];
        let is_by = |actor: &String| actors.into_iter().flatten().next().is_some_and(|said| said == actor);
        let is_of = |wanted: &String| types.into_iter().flatten().any(|said| said == wanted);
        self.actor.as_ref().is_none_or(is_by) && self.activity_type.as_ref().is_none_or(is_of)
    }
}
