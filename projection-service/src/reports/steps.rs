use serde::Deserialize;
use serde_json::value::RawValue;

use super::filter::Filter;
use crate::columns::Field;
use crate::error::ReportsError;

/// One step of a funnel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Its type, if it was asked for by one.
    pub(crate) activity_type: Option<String>,
    pub(crate) filter: Filter,
    /// Whether an attempt may go on without it.
    pub(crate) is_optional: bool,
}

/// A step that is more than a type or filters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepObject<'a> {
    #[serde(rename = "type")]
    activity_type: Option<String>,
    #[serde(borrow)]
    filters: Option<&'a RawValue>,
    #[serde(default)]
    optional: bool,
}

const SHAPE: &str =
    r#"must be a type, a JSON array of filters, or an object as {"type":"a","optional":true}"#;

impl Step {
    /// Reads a type, a JSON array of filters, or an object with `type`, `filters` and `optional`.
    ///
    /// # Errors
    /// 422 that names the parameter.
    pub(crate) fn parse(parameter: &'static str, text: &str) -> Result<Self, ReportsError> {
        if !text.starts_with('{') {
            let filter = filter_of_text(parameter, Some(text))?;
            let activity_type = (!text.starts_with('[')).then(|| text.to_owned());
            return Ok(Self { activity_type, filter, is_optional: false });
        }
        let shape = |error| ReportsError::parameter(parameter, format!("{SHAPE} ({error})"));
        let object: StepObject<'_> = serde_json::from_str(text).map_err(shape)?;
        let mut filter = match (&object.activity_type, object.filters) {
            (None, None) => return Err(ReportsError::parameter(parameter, SHAPE)),
            (Some(activity_type), _) => filter_of_type(parameter, activity_type)?,
            (None, Some(_)) => Filter::default(),
        };
        if let Some(json) = object.filters {
            filter = filter.and(Filter::of_json(parameter, json)?);
        }
        Ok(Self { activity_type: object.activity_type, filter, is_optional: object.optional })
    }
}

/// Reads a type, or a JSON array: a filter, or several that must all hold. Without a text, every activity passes.
///
/// # Errors
/// 422 that names the parameter.
pub(crate) fn filter_of_text(parameter: &'static str, text: Option<&str>) -> Result<Filter, ReportsError> {
    match text {
        None => Ok(Filter::default()),
        Some(text) if text.starts_with('[') => {
            let json: &RawValue = serde_json::from_str(text).map_err(|error| {
                ReportsError::parameter(
                    parameter,
                    format!("must be a type or a JSON array of filters ({error})"),
                )
            })?;
            Filter::of_json(parameter, json)
        }
        Some(activity_type) => filter_of_type(parameter, activity_type),
    }
}

fn filter_of_type(parameter: &'static str, activity_type: &str) -> Result<Filter, ReportsError> {
    if activity_type.is_empty() {
        return Err(ReportsError::parameter(parameter, "must not be empty"));
    }
    Ok(Filter::is(Field::Type, activity_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Option<Step> {
        Step::parse("step", text).ok()
    }

    #[test]
    fn a_step_is_a_type_or_filters_or_both() {
        let of_type = Filter::is(Field::Type, "a, b");
        let plain = step("a, b").unwrap();
        assert_eq!(plain.activity_type.as_deref(), Some("a, b"));
        assert_eq!((&plain.filter, plain.is_optional), (&of_type, false));
        let one = step(r#"["is","type","a, b"]"#).unwrap();
        assert_eq!((one.activity_type, &one.filter), (None, &of_type));
        assert_eq!(step(r#"[["is","type","a, b"]]"#).unwrap().filter, of_type);
        let optional = step(r#"{"type":"a, b","optional":true}"#).unwrap();
        assert_eq!(optional, Step { is_optional: true, ..plain });
        let both = step(r#"{"type":"a, b","filters":[["gt","value",1]]}"#).unwrap();
        assert_eq!(both.filter, of_type.and(filter_of_text("step", Some(r#"["gt","value",1]"#)).unwrap()));
        let empty = r#"{"type":""}"#;
        for text in [
            "",
            "[",
            "{}",
            empty,
            r#"{"optional":true}"#,
            r#"{"type":7}"#,
            r#"{"type":"a","other":1}"#,
            "[7]",
        ] {
            assert_eq!(step(text), None, "{text}");
        }
    }

    #[test]
    fn without_a_text_every_activity_passes() {
        assert_eq!(filter_of_text("start", None).unwrap(), Filter::default());
        assert!(filter_of_text("start", Some("")).is_err());
    }
}
