//! Texts that some clients write as numbers.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads a text, or a number as its digits. Null and the empty text are none.
///
/// # Errors
/// What serde says of another kind of value.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?.get();
    if raw.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Ok(Some(raw.to_owned()));
    }
    let text: Option<String> = serde_json::from_str(raw).map_err(|error| {
        let text = error.to_string();
        serde::de::Error::custom(text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message))
    })?;
    Ok(text.filter(|text| !text.is_empty()))
}
