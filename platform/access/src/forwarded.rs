use std::fmt::Write;

use chassis::{PRINCIPAL_HEADER, Problem};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Principal;

/// A [`Principal`] as one service hands it to the next: its JSON as it came, so that a gateway of an older version passes
/// on what it does not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ForwardedPrincipal(Box<RawValue>);

impl ForwardedPrincipal {
    /// # Errors
    /// 500 if it cannot be written as JSON.
    pub fn new(principal: &Principal) -> Result<Self, Problem> {
        serde_json::value::to_raw_value(principal).map(Self).map_err(Problem::internal)
    }

    /// The value of [`PRINCIPAL_HEADER`]; none if it is no JSON object.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let json = self.0.get();
        if json.starts_with('{') { header_value(json) } else { None }
    }
}

/// The customer and the subject of a forwarded principal, as texts, without reading all of it.
#[derive(Deserialize)]
pub struct ForwardedIds<'a> {
    /// The customer's id.
    pub customer_id: &'a str,
    #[serde(borrow)]
    subject: &'a RawValue,
}

impl<'a> ForwardedIds<'a> {
    /// Reads them out of the header of a request that the gateway forwards.
    #[must_use]
    pub fn read(headers: &'a HeaderMap) -> Option<Self> {
        serde_json::from_slice(headers.get(PRINCIPAL_HEADER)?.as_bytes()).ok()
    }

    /// The subject's JSON: the same for the same token or member.
    #[must_use]
    pub fn subject(&self) -> &'a str {
        self.subject.get()
    }
}

/// JSON as a header's value, which must be ASCII: everything else is written as `\u…`.
fn header_value(json: &str) -> Option<HeaderValue> {
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            ' '..='~' => ascii.push(character),
            // White space between tokens; inside a string JSON does not allow it.
            '\n' | '\r' | '\t' => ascii.push(' '),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(ascii, "\\u{unit:04x}").ok()?;
                }
            }
        }
    }
    let mut value = HeaderValue::from_str(&ascii).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_beyond_ascii_fits_into_a_header() {
        let value = header_value("{\"name\":\n\"Zoë 🦀\"}").unwrap();
        assert_eq!(value, r#"{"name": "Zo\u00eb \ud83e\udd80"}"#);
        let read: serde_json::Value = serde_json::from_slice(value.as_bytes()).unwrap();
        assert_eq!(read["name"], "Zoë 🦀");
    }
}
