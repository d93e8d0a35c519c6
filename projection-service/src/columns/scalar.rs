use std::borrow::Cow;

use domain::Decimal;
use serde_json::value::RawValue;

/// A value of a field, compared by type and value: the text `1` is not the number 1, and 1 is 1.0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scalar {
    /// There is none, or it is null.
    Absent,
    Bool(bool),
    Number(Decimal),
    Text(Box<str>),
    /// An object or an array, of which only the presence counts.
    Composite,
}

const COMPOSITE: &str = "{}";

impl Scalar {
    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + if let Self::Text(text) = self { text.len() } else { 0 }
    }

    /// Reads a value of JSON.
    pub(crate) fn of_json(json: &RawValue) -> Self {
        let text = json.get();
        match text.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<Cow<'_, str>>(text)
                .map_or(Self::Absent, |text| Self::Text(text.into_owned().into_boxed_str())),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'{' | b'[') => Self::Composite,
            Some(b'-' | b'0'..=b'9') => Decimal::parse(text).map_or(Self::Absent, Self::Number),
            _ => Self::Absent,
        }
    }

    /// What [`Self::to_text`] gives for a value of JSON, without making it where that can be: a text without escapes and
    /// the words of JSON lie there as they are written. Nothing if it is absent.
    pub(crate) fn text_of_json(json: &RawValue) -> Option<Cow<'_, str>> {
        let text = json.get();
        match text.as_bytes().first() {
            Some(b'"') if !text.contains('\\') => Some(Cow::Borrowed(&text[..text.len() - 1])),
            Some(b't' | b'f') => Some(Cow::Borrowed(text)),
            Some(b'{' | b'[') => Some(Cow::Borrowed(COMPOSITE)),
            _ => Some(Self::of_json(json))
                .filter(|scalar| *scalar != Self::Absent)
                .map(|scalar| Cow::Owned(scalar.to_text())),
        }
    }

    /// Reads what [`Self::to_text`] has written.
    pub(crate) fn of_text(text: &str) -> Self {
        match text.as_bytes().first() {
            Some(b'"') => Self::Text(text[1..].into()),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'{') => Self::Composite,
            Some(_) => Decimal::parse(text).map_or(Self::Absent, Self::Number),
            None => Self::Absent,
        }
    }

    /// One text for each value: a quotation mark and the text itself, or as in JSON. Empty if absent.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => format!("\"{text}"),
            Self::Composite => COMPOSITE.to_owned(),
        }
    }

    /// What a group of this value is called: nothing for what is absent or no scalar.
    pub(crate) fn group(&self) -> Option<&Self> {
        (!matches!(self, Self::Absent | Self::Composite)).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Scalar {
        Scalar::of_json(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn values_are_compared_by_type_and_value() {
        assert_eq!(scalar("1"), scalar("1.0"));
        assert_eq!(scalar("-0"), scalar("0e7"));
        assert_ne!(scalar("20000000000000000001"), scalar("20000000000000000002"));
        assert_ne!(scalar("1"), scalar("\"1\""));
        assert_ne!(scalar("true"), scalar("\"true\""));
        assert_eq!(scalar("null"), Scalar::Absent);
        assert_eq!(scalar("[1]"), scalar("{\"a\":2}"));
    }

    #[test]
    fn the_text_of_a_value_is_found_in_its_json() {
        for json in [
            "1.50",
            "-3e-7",
            "true",
            "\"\"",
            "\"a\"",
            "\"é\\\"b\\u00e9\"",
            "{\"a\":1}",
            "[]",
            "1e99999999999999999999",
        ] {
            let text = Scalar::text_of_json(serde_json::from_str(json).unwrap());
            let known = Some(scalar(json)).filter(|scalar| *scalar != Scalar::Absent);
            assert_eq!(text.as_deref(), known.as_ref().map(Scalar::to_text).as_deref(), "{json}");
        }
        assert_eq!(Scalar::text_of_json(serde_json::from_str("null").unwrap()), None);
    }

    #[test]
    fn a_value_is_read_as_it_was_written() {
        for json in ["1.50", "-3e-7", "true", "false", "\"\"", "\"a\\\"b\\u00e9\"", "{}", "[]", "null"] {
            let value = scalar(json);
            assert_eq!(Scalar::of_text(&value.to_text()), value, "{json}");
        }
    }
}
