use super::json::Json;
use super::log::Activity;

/// `[op, field, values…]`.
#[derive(Clone, Debug)]
pub(in crate::tests) struct Filter {
    op: String,
    field: String,
    values: Vec<Json>,
}

impl Filter {
    pub(in crate::tests) fn of_json(json: &Json) -> Self {
        let [op, field, values @ ..] = json.items() else { panic!("{json} is no filter") };
        Self {
            op: op.text().unwrap().to_owned(),
            field: field.text().unwrap().to_owned(),
            values: values.to_vec(),
        }
    }

    pub(in crate::tests) fn is(field: &str, values: Vec<Json>) -> Self {
        Self { op: "is".to_owned(), field: field.to_owned(), values }
    }

    pub(in crate::tests) fn passes(&self, activity: &Activity) -> bool {
        if self.field != "actor" {
            return self.holds(&field(activity, &self.field));
        }
        // An actor is found by any of its names, and is not what none of them is.
        let mut names = activity.names.iter().map(|name| self.holds(&name.as_str().into()));
        if self.op == "is_not" { names.all(|holds| holds) } else { names.any(|holds| holds) }
    }

    /// Whether a value passes.
    fn holds(&self, found: &Json) -> bool {
        let found = found.clone();
        let is_one_of = || self.values.iter().any(|value| *value == found && is_scalar(value));
        let text = |test: fn(&str, &str) -> bool| {
            found.text().is_some_and(|found| {
                self.values.iter().any(|value| value.text().is_some_and(|value| test(found, value)))
            })
        };
        let number = |test: fn(std::cmp::Ordering) -> bool| match &found {
            Json::Number(found) => {
                self.values.iter().any(|value| matches!(value, Json::Number(value) if test(found.cmp(value))))
            }
            _ => false,
        };
        match self.op.as_str() {
            "is" => is_one_of(),
            "is_not" => !is_one_of(),
            "contains" => text(|found, value| found.contains(value)),
            "starts_with" => text(|found, value| found.starts_with(value)),
            "gt" => number(std::cmp::Ordering::is_gt),
            "gte" => number(std::cmp::Ordering::is_ge),
            "lt" => number(std::cmp::Ordering::is_lt),
            "lte" => number(std::cmp::Ordering::is_le),
            "exists" => found != Json::Null,
            "not_exists" => found == Json::Null,
            other => panic!("there is no operator {other}"),
        }
    }
}

fn is_scalar(value: &Json) -> bool {
    matches!(value, Json::Bool(_) | Json::Number(_) | Json::Text(_))
}

/// What a field of an activity says; null if there is none.
pub(in crate::tests) fn field(activity: &Activity, name: &str) -> Json {
    match name {
        "type" => return activity.kind.as_str().into(),
        "actor" => return activity.stands_for.as_str().into(),
        "value" => return activity.value.clone().map_or(Json::Null, Json::Number),
        _ => {}
    }
    let (object, path) = name.split_once('.').unwrap();
    let object = match object {
        "properties" => &activity.properties,
        "context" => &activity.context,
        "traits" => &activity.traits,
        other => panic!("there is no field {other}"),
    };
    keys(path).iter().fold(object, |object, key| object.field(key)).clone()
}

/// As [`field`], where only scalars count.
pub(in crate::tests) fn group(activity: &Activity, name: &str) -> Json {
    Some(field(activity, name)).filter(is_scalar).unwrap_or(Json::Null)
}

/// A field as the columns of the service write it: a quotation mark and the text, or as JSON; objects and arrays all alike.
pub(in crate::tests) fn scalar_text(activity: &Activity, name: &str) -> String {
    match field(activity, name) {
        Json::Null => String::new(),
        Json::Text(text) => format!("\"{text}"),
        Json::Array(_) | Json::Object(_) => "{}".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// The keys between dots; `\.` is a dot inside a key, and `\\` a backslash.
fn keys(path: &str) -> Vec<String> {
    let mut keys = vec![String::new()];
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '.' => keys.push(String::new()),
            '\\' => keys.last_mut().unwrap().extend(characters.next()),
            other => keys.last_mut().unwrap().push(other),
        }
    }
    keys
}

/// A name of a field inside an object.
pub(in crate::tests) fn path(object: &str, keys: &[&str]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| key.replace('\\', r"\\").replace('.', r"\.")).collect();
    format!("{object}.{}", keys.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::activity;

    fn passes(properties: &str, filter: &str) -> bool {
        let mut activity = activity("page.viewed", "ada", "2026-03-01T10:00:00Z");
        activity.properties = Json::parse(properties).unwrap();
        Filter::of_json(&Json::parse(filter).unwrap()).passes(&activity)
    }

    #[test]
    fn values_are_compared_by_type_and_value() {
        let is = |value: &str, other: &str| {
            passes(&format!(r#"{{"a":{value}}}"#), &format!(r#"["is","properties.a",{other}]"#))
        };
        assert!(is("1", "1.0") && is("20000000000000000001", "20000000000000000001"));
        assert!(!is("20000000000000000001", "20000000000000000002"));
        assert!(!is("1", "\"1\"") && !is("\"1\"", "1") && !is("true", "1"));
        assert!(is("1", "2,1"), "several values are alternatives");
        assert!(!is("[1]", "1") && !is("{}", "\"{}\""));
    }

    #[test]
    fn a_path_leads_to_a_value_inside() {
        let nested = r#"{"a":{"b":{"c":"x"}},"a.b":2,"n":null,"o":[]}"#;
        for (filter, holds) in [
            (r#"["is","properties.a.b.c","x"]"#, true),
            (r#"["is","properties.a\\.b",2]"#, true),
            (r#"["exists","properties.a.b"]"#, true),
            (r#"["exists","properties.o"]"#, true),
            (r#"["exists","properties.n"]"#, false),
            (r#"["not_exists","properties.a.b.c.d"]"#, true),
            (r#"["is_not","properties.absent","x"]"#, true),
            (r#"["contains","properties.a.b.c","x"]"#, true),
            (r#"["starts_with","properties.a\\.b","2"]"#, false),
            (r#"["gt","properties.a\\.b",1.99]"#, true),
            (r#"["lt","properties.a.b.c",7]"#, false),
            (r#"["exists","context.a"]"#, false),
            (r#"["starts_with","type","page."]"#, true),
        ] {
            assert_eq!(passes(nested, filter), holds, "{filter}");
        }
        assert_eq!(path("properties", &["a.b", r"c\"]), r"properties.a\.b.c\\");
        assert_eq!(keys(r"a\.b.c\\"), ["a.b", r"c\"]);
    }
}
