use event_store::{BulkPage, EventRef, LogError, RecordedEvent};

/// Published events of one partition, in order and without a hole, as a fold reads them.
pub enum EventPage {
    /// As the bus carried them.
    Carried(Vec<RecordedEvent>),
    /// As they lie in the log.
    Read(BulkPage),
}

impl EventPage {
    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Carried(events) => events.len(),
            Self::Read(page) => page.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What its events take, about, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Carried(events) => events.iter().map(RecordedEvent::size).sum(),
            Self::Read(page) => page.bytes(),
        }
    }

    /// Its events.
    ///
    /// # Errors
    /// [`LogError::Unreadable`] for what is no event.
    pub fn events(&self) -> Result<Vec<EventRef<'_>>, LogError> {
        match self {
            Self::Carried(events) => Ok(events.iter().map(EventRef::from).collect()),
            Self::Read(page) => page.events(),
        }
    }
}
