use std::borrow::Cow;
use std::fmt;

use domain::Json;
use domain::activity::exact_number;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// The members of a JSON object in their order, each value as its text: taking one out or adding one changes no other.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Cow<'a, RawValue>)>);

impl<'a> Members<'a> {
    /// The members of an optional object; none of null.
    ///
    /// # Errors
    /// A phrase for the client if it is no object.
    pub(super) fn of(raw: Option<&'a RawValue>) -> Result<Self, String> {
        let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(Self::default()) };
        if !raw.get().starts_with('{') {
            return Err("must be an object".to_owned());
        }
        serde_json::from_str(raw.get()).map_err(|error| error.to_string())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of a member.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.get())
    }

    /// A member that is a text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?).ok()
    }

    /// The amount that it is about, `value` or `revenue`, where a double holds it.
    pub(super) fn amount(&self) -> Option<f64> {
        ["value", "revenue"].into_iter().filter_map(|key| self.get(key)).find_map(exact_number)
    }

    /// Takes a member out.
    pub(super) fn take(&mut self, key: &str) -> Option<Cow<'a, RawValue>> {
        let place = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(place).1)
    }

    /// Adds a member, unless there is one of its name or there is no value.
    pub(super) fn add(&mut self, key: &'static str, value: Option<impl Serialize>) {
        let Some(value) = value else { return };
        if self.get(key).is_some() {
            return;
        }
        // Texts, numbers and JSON only: it cannot fail.
        if let Ok(raw) = to_raw_value(&value) {
            self.0.push((Cow::Borrowed(key), Cow::Owned(raw)));
        }
    }

    /// Adds a text under a name that is known only now.
    pub(super) fn push(&mut self, key: Cow<'a, str>, text: &str) {
        if let Ok(raw) = to_raw_value(text) {
            self.0.push((key, Cow::Owned(raw)));
        }
    }

    /// The object, if it has any members.
    pub(super) fn into_json(self) -> Option<Json> {
        if self.is_empty() {
            return None;
        }
        let mut text = String::from("{");
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&serde_json::to_string(name).ok()?);
            text.push(':');
            text.push_str(value.get());
        }
        text.push('}');
        RawValue::from_string(text).ok().map(Json)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            members.push((name.0, Cow::Borrowed(map.next_value::<&RawValue>()?)));
        }
        Ok(Members(members))
    }
}

/// A name that is borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_touched_stays_as_it_was_sent() {
        let raw: &RawValue =
            serde_json::from_str(r#"{"n":20000000000000000001,"token":"x","caf\u00e9":[1, 2]}"#).unwrap();
        let mut members = Members::of(Some(raw)).unwrap();
        assert_eq!(members.take("token").unwrap().get(), r#""x""#);
        members.add("n", Some(1));
        members.add("name", Some("a\"b"));
        members.add("none", None::<&str>);
        let json = members.into_json().unwrap();
        assert_eq!(json.as_str(), r#"{"n":20000000000000000001,"café":[1, 2],"name":"a\"b"}"#);
    }

    #[test]
    fn only_an_object_has_members() {
        for text in ["[]", "1", "\"a\""] {
            assert!(Members::of(Some(serde_json::from_str(text).unwrap())).is_err());
        }
        assert!(Members::of(Some(serde_json::from_str("null").unwrap())).unwrap().into_json().is_none());
    }
}
