use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod check;
mod line;
mod tree;

pub use check::{JsonFault, JsonLimits};
pub use line::canonical_line;
use tree::Tree;

/// A JSON value kept as the text it came in, so that storing it costs no tree and every number keeps all of its digits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub Box<RawValue>);

impl Json {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value as a tree, whose numbers are doubles: for showing, never for comparing or storing.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        // A RawValue is valid JSON by construction.
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// The text as one line, by [`canonical_line`].
    #[must_use]
    pub fn canonical_line(&self) -> Cow<'_, str> {
        canonical_line(self.as_str())
    }

    /// The same value with a text that is one line.
    #[must_use]
    pub fn into_canonical(self) -> Self {
        let Cow::Owned(line) = canonical_line(self.as_str()) else { return self };
        // What was JSON is JSON still.
        RawValue::from_string(line).map_or(self, Self)
    }
}

/// Two values are equal when they mean the same, whatever their spacing and the order of their keys. Numbers are compared as
/// decimals: 1 is 1.0 and 1e0, and 20000000000000000001 is not 20000000000000000002.
impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
            || Tree::read(self.as_str())
                .zip(Tree::read(other.as_str()))
                .is_some_and(|(one, other)| one == other)
    }
}

impl TryFrom<&serde_json::Value> for Json {
    type Error = serde_json::Error;

    fn try_from(value: &serde_json::Value) -> Result<Self, Self::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn values_are_equal_when_they_mean_the_same() {
        for (a, b) in [
            (r#"{"a":1,"b":2}"#, "{ \"b\":2,\n \"a\":1 }"),
            (r#"{"a":[1,100,0]}"#, r#"{"a":[1.0,1e2,-0]}"#),
            (r#"{"é":"\u00e9/"}"#, r#"{"\u00e9":"é\/"}"#),
            (r#"{"n":1e-99999999999999999999}"#, r#"{ "n":1e-99999999999999999999}"#),
            ("[true,null,{}]", "[true, null, { }]"),
        ] {
            assert_eq!(json(a), json(b));
        }
    }

    #[test]
    fn values_differ_when_one_digit_does() {
        for (a, b) in [
            (r#"{"wei":20000000000000000001}"#, r#"{"wei":20000000000000000002}"#),
            ("[0.1]", "[0.10000000000000001]"),
            ("[1e-400]", "[0]"),
            ("[1e-99999999999999999999]", "[1e-99999999999999999998]"),
            (r#"["1"]"#, "[1]"),
            ("[1,2]", "[2,1]"),
            ("[[]]", "[{}]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
        ] {
            assert_ne!(json(a), json(b));
        }
    }

    #[test]
    fn comparing_costs_little_however_it_is_nested_or_how_large_its_exponents_are() {
        let nested = |space: &str| json(&format!("{}{space}{}", "[".repeat(100_000), "]".repeat(100_000)));
        // Deeper than any content may be: the text itself must be counted.
        assert_ne!(nested(""), nested(" "));
        assert_eq!(json("[1e999999999999999999]"), json("[10e999999999999999998]"));
    }

    #[test]
    fn a_canonical_value_is_the_same_value_on_one_line() {
        let spread = json("{\r\n\t\"a\" : [ 1.50 , 20000000000000000001 ]\n}");
        let line = spread.clone().into_canonical();
        assert_eq!(line.as_str(), r#"{"a":[1.50,20000000000000000001]}"#);
        assert_eq!(line, spread);
    }
}
