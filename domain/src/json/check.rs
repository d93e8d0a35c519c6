use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Json;

/// What an object from outside may be.
#[derive(Clone, Copy, Debug)]
pub struct JsonLimits {
    /// The longest text, in bytes.
    pub bytes_max: usize,
    /// The deepest nesting; the object itself is depth 1.
    pub depth_max: usize,
}

/// Why a JSON object is refused, and where: a JSON pointer (RFC 6901) relative to the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// Where, as a JSON pointer; empty for the object itself.
    pub pointer: String,
    /// What is wrong, as a phrase for the client.
    pub detail: String,
}

impl Json {
    /// Checks that the value is an object within the limits, without duplicate keys, without the character NUL and
    /// without numbers that no double can hold.
    ///
    /// # Errors
    /// The first fault found.
    pub fn check_object(&self, limits: JsonLimits) -> Result<(), JsonFault> {
        let text = self.as_str();
        if !text.starts_with('{') {
            return Err(JsonFault { pointer: String::new(), detail: "must be an object".into() });
        }
        if text.len() > limits.bytes_max {
            let detail = format!("must have at most {} bytes, has {}", limits.bytes_max, text.len());
            return Err(JsonFault { pointer: String::new(), detail });
        }
        let mut path = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let checked =
            Checker { path: &mut path, depth: 0, depth_max: limits.depth_max }.deserialize(&mut deserializer);
        checked.map_err(|error| JsonFault { pointer: pointer(&path), detail: phrase(&error) })
    }
}

fn pointer(path: &[String]) -> String {
    path.iter().flat_map(|step| ["/".to_owned(), step.replace('~', "~0").replace('/', "~1")]).collect()
}

/// The message of `serde_json` without its " at line 1 column 2", which counts from the start of the object only.
fn phrase(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

/// Walks a value; on a fault, `path` is left at the place of the fault.
struct Checker<'p> {
    path: &'p mut Vec<String>,
    depth: usize,
    depth_max: usize,
}

impl<'de> DeserializeSeed<'de> for Checker<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Checker<'_> {
    fn deeper<E: de::Error>(&self) -> Result<usize, E> {
        if self.depth == self.depth_max {
            return Err(E::custom(format_args!("must be nested at most {} deep", self.depth_max)));
        }
        Ok(self.depth + 1)
    }
}

fn no_nul<E: de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom("must not contain the character NUL")) } else { Ok(()) }
}

impl<'de> Visitor<'de> for Checker<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        no_nul(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        for index in 0usize.. {
            self.path.push(index.to_string());
            let seed = Checker { path: &mut *self.path, depth, depth_max: self.depth_max };
            let more = items.next_element_seed(seed)?.is_some();
            self.path.pop();
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            no_nul(&key)?;
            self.path.push(key.clone());
            if !seen.insert(key) {
                return Err(de::Error::custom("must not be given twice"));
            }
            entries.next_value_seed(Checker { path: &mut *self.path, depth, depth_max: self.depth_max })?;
            self.path.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), (String, String)> {
        let json: Json = serde_json::from_str(text).unwrap();
        json.check_object(JsonLimits { bytes_max: 64, depth_max: 3 })
            .map_err(|fault| (fault.pointer, fault.detail))
    }

    #[test]
    fn an_ordinary_object_passes() {
        assert_eq!(check(r#"{"a":1,"b":[true,null,"x",-1.5]}"#), Ok(()));
    }

    #[test]
    fn a_fault_says_where_it_is() {
        assert_eq!(check(r#"{"a":{"b/c":1,"b/c":2}}"#).unwrap_err().0, "/a/b~1c");
        assert_eq!(check(r#"{"a":[0,"\u0000"]}"#).unwrap_err().0, "/a/1");
        assert_eq!(
            check(r#"{"a":[[[1]]]}"#).unwrap_err(),
            ("/a/0/0".into(), "must be nested at most 3 deep".into())
        );
        assert_eq!(check(r#"{"n":1e999}"#).unwrap_err(), ("/n".into(), "number out of range".into()));
        assert_eq!(check("[1]").unwrap_err().1, "must be an object");
        assert_eq!(check(&format!(r#"{{"a":"{}"}}"#, "x".repeat(64))).unwrap_err().0, "");
    }

    #[test]
    fn a_lone_surrogate_is_refused() {
        assert_eq!(check(r#"{"a":"\ud800"}"#).unwrap_err().0, "/a");
    }
}
