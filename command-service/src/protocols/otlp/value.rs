//! Attributes and bodies as JSON.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use super::wire::{AnyValue, KeyValue, Value};

/// As JSON: a number that JSON does not have is null, bytes are base64.
impl Serialize for AnyValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            None => serializer.serialize_none(),
            Some(Value::Text(text)) => serializer.serialize_str(text),
            Some(Value::Bool(bool)) => serializer.serialize_bool(*bool),
            Some(Value::Int(int)) => serializer.serialize_i64(*int),
            Some(Value::Double(double)) => serializer.serialize_f64(*double),
            Some(Value::List(list)) => serializer.collect_seq(&list.values),
            Some(Value::Object(object)) => by_key(&object.values).serialize(serializer),
            Some(Value::Bytes(bytes)) => serializer.serialize_str(&STANDARD.encode(bytes)),
        }
    }
}

/// Attributes by their keys, which are unique; of a key that is given twice the last one counts.
pub(super) fn by_key(attributes: &[KeyValue]) -> BTreeMap<&str, Option<&AnyValue>> {
    attributes.iter().map(|attribute| (attribute.key.as_str(), attribute.value.as_ref())).collect()
}

/// An attribute as text, if it is a text or a whole number and not empty.
pub(super) fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().rev().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::Text(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Int(int) => Some(int.to_string()),
        _ => None,
    }
}
