use event_store::RecordedEvent;

/// A log that the bus carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The log of activities, whole.
    Activities,
    /// The log of customers: events of tokens whole, of every other event only that it happened. Names and addresses of
    /// people stay in the log, where those who may can read them.
    Tokens,
}

impl Feed {
    /// The topic's own name.
    #[must_use]
    pub const fn topic(self) -> &'static str {
        match self {
            Self::Activities => "daybook.activities.v1",
            Self::Tokens => "daybook.tokens.v1",
        }
    }

    /// Whether the bus carries the content of an event, and not only that it happened.
    pub(crate) fn carries(self, event: &RecordedEvent) -> bool {
        self == Self::Activities || event.aggregate_type == "token"
    }
}
