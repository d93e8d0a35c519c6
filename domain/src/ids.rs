use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id!(
    /// A customer: the tenant, and the unit that is never split over partitions.
    CustomerId
);
uuid_id!(
    /// One of a customer's people.
    MemberId
);
uuid_id!(
    /// A token; says nothing about its secret.
    TokenId
);

impl Default for CustomerId {
    fn default() -> Self {
        Self(Uuid::nil())
    }
}

/// The caller's own id of an activity, or a UUIDv7 made for it: 1 to 128 characters, no control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActivityId(String);

impl ActivityId {
    /// The longest id, in characters.
    pub const CHARS_MAX: usize = 128;

    /// Takes an id if it keeps the rules.
    ///
    /// # Errors
    /// The broken rule, as a phrase for the client.
    pub fn parse(text: impl Into<String>) -> Result<Self, &'static str> {
        let text = text.into();
        if text.is_empty() {
            return Err("must not be empty");
        }
        if text.chars().count() > Self::CHARS_MAX {
            return Err("must have at most 128 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(Self(text))
    }

    /// The id of an activity whose client gave none.
    #[must_use]
    pub fn from_uuid(id: Uuid) -> Self {
        Self(id.hyphenated().to_string())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the activity's stream: customer and activity, so that two customers can use the same id.
    #[must_use]
    pub fn stream(&self, customer: CustomerId) -> String {
        format!("{customer}:{}", self.0)
    }

    /// The activity's id in the id of its stream.
    #[must_use]
    pub fn of_stream(aggregate_id: &str) -> Option<&str> {
        aggregate_id.split_once(':').map(|(_, id)| id)
    }
}

impl fmt::Display for ActivityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
