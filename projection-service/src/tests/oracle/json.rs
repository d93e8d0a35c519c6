use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;

use super::number::Number;

/// A value of JSON whose numbers are exact, which those of `serde_json` are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tests) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    pub(in crate::tests) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<&RawValue>(text).ok().map(Self::of_raw)
    }

    pub(in crate::tests) fn of_raw(raw: &RawValue) -> Self {
        let text = raw.get();
        let read = "a raw value is JSON";
        match text.as_bytes()[0] {
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'"' => Self::Text(serde_json::from_str(text).expect(read)),
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).expect(read);
                Self::Array(items.into_iter().map(Self::of_raw).collect())
            }
            b'{' => {
                let items: BTreeMap<String, &RawValue> = serde_json::from_str(text).expect(read);
                Self::Object(items.into_iter().map(|(key, value)| (key, Self::of_raw(value))).collect())
            }
            _ => Self::Number(Number::parse(text).expect(read)),
        }
    }

    pub(in crate::tests) fn object<const N: usize>(fields: [(&str, Self); N]) -> Self {
        Self::Object(fields.map(|(key, value)| (key.to_owned(), value)).into())
    }

    pub(in crate::tests) fn real(double: f64) -> Self {
        Self::Number(Number::of(double))
    }

    /// The field of an object; null if there is none.
    pub(in crate::tests) fn field(&self, key: &str) -> &Self {
        match self {
            Self::Object(fields) => fields.get(key).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    pub(in crate::tests) fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    pub(in crate::tests) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Where two values first differ, and both sides there.
    pub(in crate::tests) fn difference(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Array(ours), Self::Array(theirs)) => {
                let inside = ours.iter().zip(theirs).enumerate().find_map(|(index, (one, other))| {
                    one.difference(other).map(|difference| format!("/{index}{difference}"))
                });
                let lengths = (ours.len(), theirs.len());
                inside.or_else(|| {
                    (lengths.0 != lengths.1).then(|| format!(": {} and {} items", lengths.0, lengths.1))
                })
            }
            (Self::Object(ours), Self::Object(theirs)) => {
                let keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
                keys.into_iter().find_map(|key| {
                    let inside = match (ours.get(key), theirs.get(key)) {
                        (Some(one), Some(other)) => one.difference(other)?,
                        (Some(one), None) => format!(": {one} and nothing"),
                        (None, other) => format!(": nothing and {}", other?),
                    };
                    Some(format!("/{key}{inside}"))
                })
            }
            _ => (self != other).then(|| format!(": {self} and {other}")),
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(&serde_json::to_string(text).unwrap()),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Self::Object(fields) => {
                let key = |key: &str| serde_json::to_string(key).unwrap();
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{}:{value}", key(name))).collect();
                write!(f, "{{{}}}", fields.join(","))
            }
        }
    }
}

impl From<usize> for Json {
    fn from(count: usize) -> Self {
        Self::Number(Number::parse(&count.to_string()).unwrap())
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Self::Array(items)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[test]
fn the_first_difference_is_named() {
    let json = |text| Json::parse(text).unwrap();
    let one = json(r#"{"a":[1,{"b":20000000000000000001}],"c":null}"#);
    let other = json(r#"{"a":[1.0,{"b":20000000000000000002}]}"#);
    assert_eq!(one.difference(&other).unwrap(), "/a/1/b: 20000000000000000001 and 20000000000000000002");
    assert_eq!(one.difference(&one), None);
    assert_eq!(json("[1]").difference(&json("[1,2]")).unwrap(), ": 1 and 2 items");
    assert_eq!(json(r#"{"a":1}"#).difference(&json(r#"{"a":1,"b":2}"#)).unwrap(), "/b: nothing and 2");
}
