use chrono::{DateTime, SecondsFormat};
use domain::Decimal;
use serde_json::value::RawValue;

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
    /// A value of JSON; what is no scalar, and a number that neither a whole number of 64 bits nor a double holds, becomes
    /// its text.
    pub(crate) fn of_json(json: &RawValue) -> Self {
        let text = json.get();
        match text.as_bytes().first() {
            Some(b'n') => Self::None,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'"') => Self::Text(serde_json::from_str(text).unwrap_or_default()),
            Some(b'-' | b'0'..=b'9') => Self::number(text),
            _ => Self::Text(text.to_owned()),
        }
    }

    fn number(text: &str) -> Self {
        if let Ok(whole) = text.parse() {
            return Self::Whole(whole);
        }
        let real = text.parse::<f64>().ok().filter(|real| {
            let shortest = serde_json::Number::from_f64(*real).map(|number| number.to_string());
            shortest.and_then(|shortest| Decimal::parse(&shortest)) == Decimal::parse(text)
        });
        real.map_or_else(|| Self::Text(text.to_owned()), Self::Real)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_every_digit() {
        let cell = |json: &str| Cell::of_json(serde_json::from_str(json).unwrap());
        assert_eq!(cell("20000000000000000001"), Cell::Text("20000000000000000001".to_owned()));
        assert_eq!(cell("0.1000000000000000055"), Cell::Text("0.1000000000000000055".to_owned()));
        assert_eq!(
            (cell("42"), cell("-0.5"), cell("1e300")),
            (Cell::Whole(42), Cell::Real(-0.5), Cell::Real(1e300))
        );
        assert_eq!((cell("null"), cell("\"a\\nb\"")), (Cell::None, Cell::Text("a\nb".to_owned())));
    }
}
