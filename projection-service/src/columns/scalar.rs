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
    fn a_value_is_read_as_it_was_written() {
        for json in ["1.50", "-3e-7", "true", "false", "\"\"", "\"a\\\"b\\u00e9\"", "{}", "[]", "null"] {
            let value = scalar(json);
            assert_eq!(Scalar::of_text(&value.to_text()), value, "{json}");
        }
    }
}
