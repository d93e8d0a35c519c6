use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Scalar;

/// Visits every value inside an object, each with its path as `Path` writes it and its text as [`Scalar::to_text`] gives it:
/// scalars, and the presence of objects and arrays. What is null is absent, and arrays are not looked into.
pub(crate) fn flatten(object: &RawValue, path: &mut String, found: &mut dyn FnMut(&str, &str)) {
    let mut deserializer = serde_json::Deserializer::from_str(object.get());
    // What is stored was checked, so an error can only be a value of an older version; the rest of it is left out.
    let _ = Object { path, found }.deserialize(&mut deserializer);
}

struct Object<'p> {
    path: &'p mut String,
    found: &'p mut dyn FnMut(&str, &str),
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let length = self.path.len();
        while entries.next_key_seed(Key { path: self.path })?.is_some() {
            let value: &RawValue = entries.next_value()?;
            if let Some(text) = Scalar::text_of_json(value) {
                (self.found)(self.path, &text);
                if value.get().starts_with('{') {
                    self.path.push('.');
                    flatten(value, self.path, self.found);
                }
            }
            self.path.truncate(length);
        }
        Ok(())
    }
}

/// Adds a key to a path.
struct Key<'p> {
    path: &'p mut String,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<(), E> {
        if key.contains(['.', '\\']) {
            self.path.push_str(&key.replace('\\', "\\\\").replace('.', "\\."));
        } else {
            self.path.push_str(key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_path() {
        let object: &RawValue = serde_json::from_str(
            r#"{"a":1,"b":{"c":"x","d.e":true},"f":[1],"g":null,"h":{},"\u00e9\\":"\"\u00e9"}"#,
        )
        .unwrap();
        let mut found = Vec::new();
        flatten(object, &mut "properties.".to_owned(), &mut |path, text| {
            found.push(format!("{path}={text}"));
        });
        assert_eq!(
            found,
            [
                "properties.a=1",
                "properties.b={}",
                "properties.b.c=\"x",
                r"properties.b.d\.e=true",
                "properties.f={}",
                "properties.h={}",
                r#"properties.é\\=""é"#
            ]
        );
    }
}
