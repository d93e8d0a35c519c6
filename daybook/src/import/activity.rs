use std::borrow::Cow;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::fields::Field;
use super::input::short_hash;

/// An activity as the public door takes it; what is wrong with it is said there.
#[derive(Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "`type` is a word of the language")]
pub(super) struct Activity<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) activity_type: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) occurred_at: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Field<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) properties: Option<Field<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) context: Option<Field<'a>>,
}

impl Activity<'_> {
    /// The line that is sent; `make_id` is asked if it has no id.
    pub(super) fn into_line(mut self, make_id: impl FnOnce() -> String) -> Result<String, String> {
        self.id.get_or_insert_with(|| make_id().into());
        serde_json::to_string(&self).map_err(|error| error.to_string())
    }
}

/// The id of a record that has none: always the same for the same record at the same line of the same source.
pub(super) fn id_of(source: &str, line: u64, record: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(source.as_bytes());
    hash.update([0]);
    hash.update(line.to_be_bytes());
    hash.update(record);
    format!("import-{}", short_hash(hash))
}
