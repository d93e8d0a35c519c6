use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;
use serde_json::value::RawValue;

/// A record: its fields by name, with every number as it was written.
pub(super) struct Fields<'a>(BTreeMap<Cow<'a, str>, Field<'a>>);

/// What stands in a field.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Field<'a> {
    /// JSON as it stands in the file.
    Raw(&'a RawValue),
    /// JSON that stood in a text.
    Parsed(Box<RawValue>),
    Text(Cow<'a, str>),
    Object(BTreeMap<Cow<'a, str>, Field<'a>>),
}

impl<'a> Fields<'a> {
    /// Those of a JSON object.
    pub(super) fn of_json(text: &'a str) -> Result<Self, String> {
        let fields: Result<BTreeMap<Cow<'a, str>, &'a RawValue>, _> = serde_json::from_str(text);
        let fields = fields.map_err(|error| format!("no JSON object: {error}"))?;
        Ok(fields.into_iter().map(|(name, value)| (name, Field::Raw(value))).collect())
    }

    pub(super) fn into_pairs(self) -> impl Iterator<Item = (Cow<'a, str>, Field<'a>)> {
        self.0.into_iter()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field, if it is there and neither null nor empty.
    pub(super) fn get(&self, name: &str) -> Option<&Field<'a>> {
        self.0.get(name).filter(|field| !field.is_empty())
    }

    /// A field that is a text or a number, as text.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name)?.text()
    }

    /// A field that is an object, also one in a text.
    pub(super) fn object(&self, name: &str) -> Option<Field<'a>> {
        let field = self.get(name)?;
        let parsed = match field {
            Field::Raw(raw) if raw.get().starts_with('{') => return Some(field.clone()),
            _ => serde_json::from_str::<Box<RawValue>>(&field.text()?).ok()?,
        };
        parsed.get().starts_with('{').then_some(Field::Parsed(parsed))
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Field<'a>)> for Fields<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Field<'a>)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl Field<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Raw(raw) => matches!(raw.get(), "null" | "\"\""),
            Self::Text(text) => text.is_empty(),
            Self::Parsed(_) | Self::Object(_) => false,
        }
    }

    fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Raw(raw) if raw.get().starts_with('"') => {
                serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned)
            }
            Self::Raw(raw) if !raw.get().starts_with(['{', '[']) => Some(Cow::Borrowed(raw.get())),
            Self::Text(text) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }
}

/// A cell of a table as JSON: a number or a truth value where it is written as JSON writes them, otherwise a text.
pub(super) fn typed(cell: &str) -> Field<'_> {
    let is_number =
        cell.len() <= NUMBER_CHARS_MAX && cell.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    if (is_number || matches!(cell, "true" | "false"))
        && let Ok(raw) = serde_json::from_str::<&RawValue>(cell)
    {
        return Field::Raw(raw);
    }
    Field::Text(Cow::Borrowed(cell))
}

/// A text as a number, if it is written as JSON writes one, of any length; otherwise a text, for the door to refuse it.
pub(super) fn number(text: &str) -> Field<'_> {
    match serde_json::from_str::<Number>(text).and_then(|_| serde_json::from_str::<&RawValue>(text)) {
        Ok(raw) => Field::Raw(raw),
        Err(_) => Field::Text(Cow::Borrowed(text)),
    }
}

/// A longer number is the name of something, and a double would not hold it.
const NUMBER_CHARS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_number_only_if_it_is_written_as_one() {
        let json = |cell| serde_json::to_string(&typed(cell)).unwrap();
        assert_eq!((json("12.50"), json("-3"), json("true")), ("12.50".into(), "-3".into(), "true".into()));
        let long = "1234567890.1234567890";
        assert_eq!(
            (json(long), serde_json::to_string(&number(long)).unwrap()),
            (format!("\"{long}\""), long.into())
        );
        for text in ["007", "1,5", "12345678901234567", "True", "null", "{}", "1 2", ""] {
            assert_eq!(json(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn an_object_may_stand_in_a_text_and_keeps_its_digits() {
        let fields =
            Fields::of_json(r#"{"a":{"n":1.10},"b":"{\"n\":2.20}","c":"[1]","d":null,"e":7}"#).unwrap();
        let json = |name| fields.object(name).map(|field| serde_json::to_string(&field).unwrap());
        assert_eq!(json("a").unwrap(), r#"{"n":1.10}"#);
        assert_eq!(json("b").unwrap(), r#"{"n":2.20}"#);
        assert_eq!((json("c"), json("d"), json("e")), (None, None, None));
        assert_eq!(fields.text("e").unwrap(), "7");
        assert!(Fields::of_json("[1]").is_err());
    }
}
