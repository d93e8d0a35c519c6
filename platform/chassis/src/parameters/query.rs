use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::{PARAMETERS_MAX, QUERY_BYTES_MAX, in_words, of_parameter, shown, text};
use crate::problem::Problem;

/// The parameters of a query string.
///
/// A parameter that may be repeated (`filter=a&filter=b`) is a `Vec` with `#[serde(default)]`; times are
/// [`Time`](super::Time). Unknown parameters are refused where the type says `#[serde(deny_unknown_fields)]`, which rules
/// out `#[serde(flatten)]`.
#[derive(Clone, Copy, Debug)]
pub struct ProblemQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for ProblemQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

impl<T: DeserializeOwned> ProblemQuery<T> {
    /// Reads a query string, without its question mark.
    ///
    /// # Errors
    /// 400 `invalid-query`, which names the parameter.
    pub fn read(query: &str) -> Result<Self, Problem> {
        let names = names_of(query)?;
        let parameters = deserialize(query)
            .map_err(|error| misfit(&error.path().to_string(), &error.inner().to_string(), &names))?;
        refuse_empty::<T>(query)?;
        Ok(Self(parameters))
    }
}

fn deserialize<T: DeserializeOwned>(
    query: &str,
) -> Result<T, serde_path_to_error::Error<serde_html_form::de::Error>> {
    serde_path_to_error::deserialize(serde_html_form::Deserializer::from_bytes(query.as_bytes()))
}

/// Refuses `limit=`, which `serde_html_form` takes for a number that is not given. What is only a text may be empty.
fn refuse_empty<T: DeserializeOwned>(query: &str) -> Result<(), Problem> {
    let is_empty =
        |pair: &str| !pair.is_empty() && pair.split_once('=').is_none_or(|(_, value)| value.is_empty());
    if !query.split('&').any(is_empty) {
        return Ok(());
    }
    // A NUL, which no parameter has: a text takes it, and a number does not.
    let marked: Vec<String> = query
        .split('&')
        .map(
            |pair| {
                if is_empty(pair) { format!("{}=%00", pair.trim_end_matches('=')) } else { pair.to_owned() }
            },
        )
        .collect();
    deserialize::<T>(&marked.join("&")).map(drop).map_err(|error| {
        let path = error.path().to_string();
        of_parameter("invalid-query", path.split('[').next().unwrap_or_default(), "is empty".to_owned())
    })
}

/// The names of all parameters, each pair having been checked.
fn names_of(query: &str) -> Result<Vec<String>, Problem> {
    if query.len() > QUERY_BYTES_MAX {
        return Err(Problem::query(format!(
            "The query string has {} bytes; it may have at most {QUERY_BYTES_MAX}.",
            query.len()
        )));
    }
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    if pairs.len() > PARAMETERS_MAX {
        return Err(Problem::query(format!(
            "The query string has {} parameters; it may have at most {PARAMETERS_MAX}.",
            pairs.len()
        )));
    }
    let names = pairs.into_iter().map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = text::decode_form(name)
            .map_err(|fault| Problem::query(format!("The name of a parameter {fault}.")))?;
        text::decode_form(value).map_err(|fault| Problem::parameter(&name, fault))?;
        Ok(name.into_owned())
    });
    names.collect()
}

fn misfit(path: &str, message: &str, names: &[String]) -> Problem {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        // The name is a client's and may have anything in it; what comes after it is ours.
        let (name, known) = match rest.strip_suffix("`, there are no fields") {
            Some(name) => (name, ""),
            None => rest.rsplit_once("`, expected ").unwrap_or((rest.trim_end_matches('`'), "")),
        };
        let known = known.replace('`', "");
        let known = known.trim_start_matches("one of ");
        let detail = if known.is_empty() {
            "is unknown: there are none here".to_owned()
        } else {
            format!("is unknown; known here: {known}")
        };
        return of_parameter("invalid-query", name, detail);
    }
    if let Some(name) = message.strip_prefix("missing field `") {
        return of_parameter("invalid-query", name.trim_end_matches('`'), "is missing".to_owned());
    }
    // A path is `filter[1]` for an element of a repeated one.
    let name = path.split_once('[').map_or(path, |(name, _)| name);
    let repeated = names.iter().filter(|one| *one == name).count() > 1;
    if repeated && !path.contains('[') {
        return of_parameter("invalid-query", name, "is given more than once".to_owned());
    }
    if names.iter().any(|one| one == name) {
        return of_parameter("invalid-query", name, chosen(message));
    }
    Problem::query(format!("The query string cannot be read: {}.", shown(message)))
}

/// serde's "unknown variant `x`, expected `a` or `b`" says everything, for a programmer.
fn chosen(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown variant `") else { return in_words(message) };
    let known = rest.rsplit_once("expected ").map_or("", |(_, known)| known).replace('`', "");
    format!("must be one of: {}", known.trim_start_matches("one of ").replace(" or ", ", "))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::Time;
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Interval {
        Day,
        Week,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        limit: Option<u16>,
        interval: Option<Interval>,
        from: Option<Time>,
        r#type: Option<String>,
        #[serde(default)]
        filter: Vec<String>,
        #[serde(default)]
        step: Vec<u8>,
    }

    fn read(query: &str) -> Result<Parameters, String> {
        ProblemQuery::read(query).map(|ProblemQuery(parameters)| parameters).map_err(|problem| {
            assert_eq!((problem.status.as_u16(), problem.kind.as_str()), (400, "/problems/invalid-query"));
            problem.detail.unwrap()
        })
    }

    #[test]
    fn a_parameter_may_be_repeated_where_the_type_is_a_list() {
        let parameters = read("filter=a&limit=7&filter=b%26c&type=caf%C3%A9+noir&interval=week").unwrap();
        assert_eq!(parameters.filter, ["a", "b&c"]);
        assert_eq!((parameters.limit, parameters.r#type.as_deref()), (Some(7), Some("café noir")));
        assert!(matches!(parameters.interval, Some(Interval::Week)));
        assert_eq!(read("filter=one").unwrap().filter, ["one"]);
        assert!(read("").unwrap().filter.is_empty());
        let empty = read("").unwrap();
        assert!(empty.from.is_none() && empty.step.is_empty());
        assert_eq!(read("limit=1&limit=2").unwrap_err(), "The parameter limit is given more than once.");
        assert_eq!(
            read("from=2026-01-01&from=x").unwrap_err(),
            "The parameter from is given more than once."
        );
        assert_eq!(read("type=a&type=b").unwrap_err(), "The parameter type is given more than once.");
        assert_eq!(
            read("interval=day&interval=day").unwrap_err(),
            "The parameter interval is given more than once."
        );
    }

    #[test]
    fn an_unknown_parameter_is_named_where_there_are_none_and_whatever_it_is_called() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        for (query, name) in [("page=2", "page"), ("a%60%2C+expected+b=1", "a`, expected b")] {
            let problem = ProblemQuery::<Nothing>::read(query).map(|_| ()).unwrap_err();
            let detail = format!("The parameter {name} is unknown: there are none here.");
            assert_eq!(problem.detail, Some(detail));
        }
        let detail = read("a%60%2C+expected+b=1").unwrap_err();
        assert!(detail.starts_with("The parameter a`, expected b is unknown; known here: limit"), "{detail}");
    }

    #[test]
    fn what_does_not_fit_is_named_with_what_would() {
        for (query, detail) in [
            ("limit=ten", "The parameter limit must be a whole number."),
            ("limit=70000", "The parameter limit is too large."),
            ("step=1&step=x", "The parameter step must be a whole number."),
            ("interval=fortnight", "The parameter interval must be one of: day, week."),
            (
                "colour=red",
                "The parameter colour is unknown; known here: limit, interval, from, type, filter, step.",
            ),
        ] {
            assert_eq!(read(query).unwrap_err(), detail, "{query}");
        }
    }

    #[test]
    fn an_empty_number_is_refused_and_an_empty_text_is_none() {
        assert_eq!(read("limit=").unwrap_err(), "The parameter limit is empty.");
        assert_eq!(read("type=a&limit").unwrap_err(), "The parameter limit is empty.");
        assert_eq!(read("step=1&step=").unwrap_err(), "The parameter step must be a whole number.");
        let parameters = read("type=&filter=&limit=1&").unwrap();
        assert_eq!((parameters.r#type.as_deref(), parameters.limit), (Some(""), Some(1)));
        assert_eq!(parameters.filter, [""]);
    }

    #[test]
    fn text_that_no_service_can_take_is_refused_by_name() {
        for (query, detail) in [
            ("type=a%00b", "The parameter type contains a NUL character."),
            ("filter=a&filter=%0A", "The parameter filter contains a control character."),
            ("type=%7F", "The parameter type contains a control character."),
            ("type=%C2%85", "The parameter type contains a control character."),
            ("type=%FF", "The parameter type is not UTF-8."),
            ("type=%ED%A0%80", "The parameter type is not UTF-8."),
            (
                "type=100%",
                "The parameter type has a % that is not followed by two hexadecimal digits; write %25 for a %.",
            ),
            ("%00=1", "The name of a parameter contains a NUL character."),
            ("a%00b=1", "The name of a parameter contains a NUL character."),
        ] {
            assert_eq!(read(query).unwrap_err(), detail, "{query}");
        }
    }

    #[test]
    fn a_query_string_has_limits() {
        let long = format!("type={}", "x".repeat(QUERY_BYTES_MAX));
        assert_eq!(read(&long).unwrap_err(), "The query string has 16389 bytes; it may have at most 16384.");
        let many = "filter=x&".repeat(PARAMETERS_MAX + 1);
        assert_eq!(read(&many).unwrap_err(), "The query string has 101 parameters; it may have at most 100.");
        assert_eq!(read(&"filter=x&".repeat(PARAMETERS_MAX)).unwrap().filter.len(), PARAMETERS_MAX);
    }

    #[test]
    fn a_name_of_the_clients_is_repeated_in_part_only() {
        let detail = read(&format!("{}=1", "n".repeat(1_000))).unwrap_err();
        assert!(detail.starts_with(&format!("The parameter {}… is unknown", "n".repeat(64))), "{detail}");
        let detail = read("limit%60%20x=1").unwrap_err();
        assert!(detail.starts_with("The parameter limit` x is unknown"), "{detail}");
    }
}
