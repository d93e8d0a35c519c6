use std::fmt;
use std::str::FromStr;

use domain::Partition;
use serde::{Serialize, Serializer};

/// The id of a dead letter: `PROJECTION-PARTITION-POSITION`. It is the same in every generation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeadLetterId {
    /// The projection that could not fold it.
    pub projection: String,
    /// The event's partition in the log.
    pub partition: Partition,
    /// The event's position in its partition, from 1.
    pub position: i64,
}

/// A text that is no id of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be PROJECTION-PARTITION-POSITION, as activities-3-1042")]
pub struct NoDeadLetterId;

impl DeadLetterId {
    pub(crate) fn new(projection: &str, partition: Partition, position: i64) -> Self {
        Self { projection: projection.to_owned(), partition, position }
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.projection, self.partition, self.position)
    }
}

impl FromStr for DeadLetterId {
    type Err = NoDeadLetterId;

    fn from_str(text: &str) -> Result<Self, NoDeadLetterId> {
        let mut parts = text.rsplitn(3, '-');
        let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(NoDeadLetterId);
        let (position, partition, projection) = (part()?, part()?, part()?);
        let is_name = projection.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        let position: i64 = position.parse().map_err(|_| NoDeadLetterId)?;
        let partition = partition.parse().map(Partition).map_err(|_| NoDeadLetterId)?;
        if !is_name || position < 1 {
            return Err(NoDeadLetterId);
        }
        Ok(Self::new(projection, partition, position))
    }
}

impl Serialize for DeadLetterId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        let id = DeadLetterId::new("active-users", Partition(3), 1_042);
        assert_eq!(id.to_string(), "active-users-3-1042");
        assert_eq!("active-users-3-1042".parse(), Ok(id));
        for text in [
            "",
            "feed",
            "feed-3",
            "feed-3-0",
            "feed-3--1",
            "-3-4",
            "feed-70000-1",
            "feed-a-1",
            "Feed-3-1",
            "fe\0ed-3-1",
        ] {
            assert_eq!(text.parse::<DeadLetterId>(), Err(NoDeadLetterId), "{text}");
        }
    }
}
