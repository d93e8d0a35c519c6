use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::columns::Scalar;

/// The sort key of a name.
pub(super) type Rank = Vec<(String, u8)>;

/// The name of a group: the value of each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(pub(super) Vec<Scalar>);

impl Name {
    /// In the order of texts, and of equal texts by their types: absent first, then truth values, numbers and texts.
    pub(super) fn rank(&self) -> Rank {
        let one = |scalar: &Scalar| match scalar {
            Scalar::Absent | Scalar::Composite => (String::new(), 0),
            Scalar::Bool(value) => (value.to_string(), 1),
            Scalar::Number(number) => (number.to_string(), 2),
            Scalar::Text(text) => (text.to_string(), 3),
        };
        self.0.iter().map(one).collect()
    }

    /// Reads the name of a group: JSON, or a text without quotation marks.
    pub(crate) fn parse(text: &str) -> Self {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
            return Self(items.into_iter().map(Scalar::of_json).collect());
        }
        match serde_json::from_str::<&RawValue>(text) {
            Ok(json) => Self(vec![Scalar::of_json(json)]),
            Err(_) => Self(vec![Scalar::Text(text.into())]),
        }
    }
}

/// The value, or an array of two.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [one] => Shown(one).serialize(serializer),
            several => {
                let mut items = serializer.serialize_seq(Some(several.len()))?;
                several.iter().try_for_each(|one| items.serialize_element(&Shown(one)))?;
                items.end()
            }
        }
    }
}

struct Shown<'a>(&'a Scalar);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Scalar::Absent | Scalar::Composite => serializer.serialize_none(),
            Scalar::Bool(value) => serializer.serialize_bool(*value),
            // As many digits as it has.
            Scalar::Number(number) => RawValue::from_string(number.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Scalar::Text(text) => serializer.serialize_str(text),
        }
    }
}
