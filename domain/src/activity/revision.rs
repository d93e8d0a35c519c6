use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

use super::content::{ActivityContent, OccurredAtSource, to_microseconds};
use super::value;
use crate::Json;

/// A correction as a client sends it: a JSON merge patch of the four fields that can be wrong. An absent field stays;
/// `null` takes `value` or `properties` away.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a correction")]
pub struct Revision {
    /// A new type.
    #[serde(rename = "type")]
    pub activity_type: Option<String>,
    /// A new time.
    pub occurred_at: Option<DateTime<Utc>>,
    /// A new value, or none.
    #[serde(deserialize_with = "given_exact")]
    pub value: Option<Option<f64>>,
    /// New properties as a whole, or none.
    #[serde(deserialize_with = "given")]
    pub properties: Option<Option<Json>>,
}

/// Distinguishes `null` (given, none) from an absent field (not given).
#[expect(clippy::option_option, reason = "the outer one is whether it was given, as in a JSON merge patch")]
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// The same for a value, which a double must hold to its last digit.
#[expect(clippy::option_option, reason = "the outer one is whether it was given, as in a JSON merge patch")]
fn given_exact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<f64>>, D::Error> {
    value::exact(deserializer).map(Some)
}

impl Revision {
    /// The content after this correction.
    #[must_use]
    pub fn of(self, before: &ActivityContent) -> ActivityContent {
        let mut after = before.clone();
        if let Some(activity_type) = self.activity_type {
            after.activity_type = activity_type;
        }
        if let Some(occurred_at) = self.occurred_at {
            after.occurred_at = to_microseconds(occurred_at);
            after.occurred_at_source = OccurredAtSource::Client;
        }
        if let Some(value) = self.value {
            after.value = value;
        }
        if let Some(properties) = self.properties {
            after.properties = properties;
        }
        after
    }
}
