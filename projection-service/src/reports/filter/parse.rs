use domain::Decimal;
use serde_json::value::RawValue;

use super::{CONDITIONS_MAX, Condition, Filter, Relation, Test, VALUES_MAX};
use crate::columns::{Field, Scalar};
use crate::error::ReportsError;

const EXAMPLE: &str = r#"as ["is","properties.plan","pro","team"]"#;
const OPERATORS: &str = "is, is_not, contains, starts_with, gt, gte, lt, lte, exists or not_exists";
const FIELDS: &str = "type, actor, value, properties.KEY, context.KEY or traits.KEY";

impl Filter {
    /// Reads a parameter that may be repeated: each text is a condition, or an array of conditions.
    ///
    /// # Errors
    /// 422 that names the parameter and says what is wrong with it.
    pub(crate) fn parse(parameter: &'static str, texts: &[String]) -> Result<Self, ReportsError> {
        let problem = |detail: String| ReportsError::parameter(parameter, detail);
        let mut all = Vec::new();
        for text in texts {
            let json: &RawValue = serde_json::from_str(text).map_err(|error| {
                problem(format!("is not JSON ({error}): it must be a JSON array, {EXAMPLE}"))
            })?;
            all.extend(of_json(json).map_err(problem)?.0);
        }
        if all.len() > CONDITIONS_MAX {
            return Err(problem(format!(
                "has {} conditions: at most {CONDITIONS_MAX} are possible",
                all.len()
            )));
        }
        Ok(Self(all))
    }

    /// Reads a condition or an array of conditions where it is a part of a parameter.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub(crate) fn of_json(parameter: &'static str, json: &RawValue) -> Result<Self, ReportsError> {
        of_json(json).map_err(|detail| ReportsError::parameter(parameter, detail))
    }
}

fn of_json(json: &RawValue) -> Result<Filter, String> {
    let shape = || format!("must be a JSON array [operator, field, values…], {EXAMPLE}");
    let items: Vec<&RawValue> = serde_json::from_str(json.get()).map_err(|_| shape())?;
    let is_condition = items.first().is_none_or(|first| !first.get().starts_with('['));
    let conditions = if is_condition {
        vec![condition(&items)?]
    } else {
        items.into_iter().map(nested).collect::<Result<_, _>>()?
    };
    Ok(Filter(conditions))
}

fn nested(json: &RawValue) -> Result<Condition, String> {
    let items: Vec<&RawValue> = serde_json::from_str(json.get())
        .map_err(|_| format!("has {} where each item must be a condition, {EXAMPLE}", shown(json.get())))?;
    condition(&items)
}

fn condition(items: &[&RawValue]) -> Result<Condition, String> {
    let [operator, field, values @ ..] = items else {
        return Err(format!("needs at least an operator and a field, {EXAMPLE}"));
    };
    let string = |json: &RawValue| serde_json::from_str::<String>(json.get()).ok();
    let operator = string(operator)
        .ok_or_else(|| format!("has {} where the operator must be: {OPERATORS}", shown(operator.get())))?;
    let field = string(field)
        .and_then(|name| Field::parse(&name))
        .ok_or_else(|| format!("has {} where the field must be: {FIELDS}", shown(field.get())))?;
    let test = test(&operator, values)?;
    Ok(Condition { field, test })
}

fn test(operator: &str, values: &[&RawValue]) -> Result<Test, String> {
    let text = || {
        let [value] = values else {
            return Err(format!("has {operator} with {} values: it takes one text", values.len()));
        };
        serde_json::from_str::<String>(value.get())
            .map(String::into_boxed_str)
            .map_err(|_| format!("has {operator} with {}: it takes a text", shown(value.get())))
    };
    let number = |relation| {
        let [value] = values else {
            return Err(format!("has {operator} with {} values: it takes one number", values.len()));
        };
        Decimal::parse(value.get()).map(|number| Test::Compare(relation, number)).ok_or_else(|| {
            format!(
                "has {operator} with {}: it takes a number, as [\"{operator}\",\"value\",9.5]",
                shown(value.get())
            )
        })
    };
    let nothing = |test| {
        if values.is_empty() { Ok(test) } else { Err(format!("has {operator} with values: it takes none")) }
    };
    match operator {
        "is" => scalars(operator, values).map(Test::Is),
        "is_not" => scalars(operator, values).map(Test::IsNot),
        "contains" => text().map(Test::Contains),
        "starts_with" => text().map(Test::StartsWith),
        "gt" => number(Relation::Greater),
        "gte" => number(Relation::GreaterOrEqual),
        "lt" => number(Relation::Less),
        "lte" => number(Relation::LessOrEqual),
        "exists" => nothing(Test::Exists),
        "not_exists" => nothing(Test::NotExists),
        other => Err(format!("has the operator {}, which is unknown: it must be {OPERATORS}", shown(other))),
    }
}

fn scalars(operator: &str, values: &[&RawValue]) -> Result<Vec<Scalar>, String> {
    if values.is_empty() || values.len() > VALUES_MAX {
        return Err(format!("has {operator} with {} values: it takes 1 to {VALUES_MAX}", values.len()));
    }
    values
        .iter()
        .map(|json| match Scalar::of_json(json) {
            Scalar::Absent if json.get() == "null" => Ok(Scalar::Absent),
            Scalar::Absent | Scalar::Composite => Err(format!(
                "has {operator} with {}: a value is a text, a number, true, false or null",
                shown(json.get())
            )),
            scalar => Ok(scalar),
        })
        .collect()
}

/// The value that was sent, cut to a length that an error message can show.
fn shown(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    let mut cut: String = text.chars().take(CHARACTERS_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}
