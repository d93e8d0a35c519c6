use super::HistoryFilter;
use crate::RecordedEvent;

impl HistoryFilter {
    /// Whether it filters by what an event is about, which only reading the event can tell.
    pub(super) fn is_about_content(&self) -> bool {
        self.actor.is_some() || self.activity_type.is_some()
    }

    /// Whether an event passes. The database is not asked: its JSON functions take longer, and fail on a text that they
    /// cannot hold.
    pub(super) fn accepts(&self, event: &RecordedEvent) -> bool {
        let (actor, activity_type) = (self.actor.as_deref(), self.activity_type.as_deref());
        !self.is_about_content() || domain::activity::mentions(event.payload.as_str(), actor, activity_type)
    }
}
