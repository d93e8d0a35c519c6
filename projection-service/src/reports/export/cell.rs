use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

/// What a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Whole,
    Real,
    /// An instant.
    Time,
    Text,
}

/// One value of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    None,
    Bool(bool),
    Whole(i64),
    Real(f64),
    /// Microseconds since 1970.
    Time(i64),
    Text(String),
}

impl Cell {
    /// A value of JSON; what is no scalar becomes its text.
    pub(crate) fn of_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Self::Whole(whole),
                (None, Some(real)) => Self::Real(real),
                (None, None) => Self::Text(number.to_string()),
            },
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(_) | Value::Object(_) => Self::Text(value.to_string()),
        }
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        match self {
            Self::None => None,
            Self::Bool(_) => Some(Kind::Bool),
            Self::Whole(_) => Some(Kind::Whole),
            Self::Real(_) => Some(Kind::Real),
            Self::Time(_) => Some(Kind::Time),
            Self::Text(_) => Some(Kind::Text),
        }
    }

    /// As a text; a time as RFC 3339.
    pub(super) fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Whole(number) => number.to_string(),
            // As JSON writes it: the shortest that reads back as it.
            Self::Real(number) => {
                serde_json::Number::from_f64(*number).map(|number| number.to_string()).unwrap_or_default()
            }
            Self::Time(micros) => DateTime::from_timestamp_micros(*micros)
                .map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
                .unwrap_or_default(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}
