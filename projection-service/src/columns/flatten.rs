use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Scalar;

/// Visits every value inside an object, each with its path as `Path` writes it: scalars, and the presence of objects and
/// arrays. What is null is absent, and arrays are not looked into.
pub(crate) fn flatten(object: &RawValue, path: &mut String, found: &mut dyn FnMut(&str, Scalar)) {
    let mut deserializer = serde_json::Deserializer::from_str(object.get());
    // What is stored was checked, so an error can only be a value of an older version; the rest of it is left out.
    let _ = Object { path, found }.deserialize(&mut deserializer);
}

struct Object<'p> {
    path: &'p mut String,
    found: &'p mut dyn FnMut(&str, Scalar),
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
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            let value: &RawValue = entries.next_value()?;
            let length = self.path.len();
            push_key(self.path, &key);
            let scalar = Scalar::of_json(value);
            if scalar != Scalar::Absent {
                let is_object = value.get().starts_with('{');
                (self.found)(self.path, scalar);
                if is_object {
                    self.path.push('.');
                    flatten(value, self.path, self.found);
                }
            }
            self.path.truncate(length);
        }
        Ok(())
    }
}

fn push_key(path: &mut String, key: &str) {
    if key.contains(['.', '\\']) {
        path.push_str(&key.replace('\\', "\\\\").replace('.', "\\."));
    } else {
        path.push_str(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_path() {
        let object: &RawValue =
            serde_json::from_str(r#"{"a":1,"b":{"c":"x","d.e":true},"f":[1],"g":null,"h":{}}"#).unwrap();
        let mut found = Vec::new();
        flatten(object, &mut "properties.".to_owned(), &mut |path, scalar| {
            found.push(format!("{path}={}", scalar.to_text()));
        });
        assert_eq!(
            found,
            [
                "properties.a=1",
                "properties.b={}",
                "properties.b.c=\"x",
                r"properties.b.d\.e=true",
                "properties.f={}",
                "properties.h={}"
            ]
        );
    }
}
