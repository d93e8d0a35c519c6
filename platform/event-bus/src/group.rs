use uuid::Uuid;

/// The consumers that share the partitions of a feed. On the embedded bus every consumer reads the log from its own
/// checkpoint on.
#[derive(Clone, Debug)]
pub struct Group {
    subscription: String,
    is_durable: bool,
}

impl Group {
    /// Processes under one name share the partitions, and take over each other's.
    pub fn shared(name: impl Into<String>) -> Self {
        Self { subscription: name.into(), is_durable: true }
    }

    /// This process alone gets everything, from now on; the broker forgets it when it goes.
    #[must_use]
    pub fn alone(name: &str) -> Self {
        Self { subscription: format!("{name}-{}", Uuid::now_v7().simple()), is_durable: false }
    }

    pub(crate) fn subscription(&self) -> &str {
        &self.subscription
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.is_durable
    }
}
