use chassis::{Problem, ProblemQuery, Time};
use form_urlencoded::Serializer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::export::Format;
use super::filter::Filter;
use super::range::NamedRange;
use crate::columns::{Field, Scalar};
use crate::error::ReportsError;

/// The names of [`Common`].
const COMMON: [&str; 13] = [
    "from",
    "to",
    "range",
    "time_zone",
    "filter",
    "type",
    "actor",
    "as_of",
    "wait_for",
    "format",
    "explain",
    "cursor",
    "limit",
];

/// What every report can be asked with.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Common {
    /// From when on, inclusive: a time with its zone, or a day, which begins when it does in the zone. By default the start
    /// of the day 29 days before the end.
    #[param(inline)]
    pub(crate) from: Option<Time>,
    /// Until when, exclusive, as `from`. By default the end of today.
    #[param(inline)]
    pub(crate) to: Option<Time>,
    /// Instead of `from` and `to`: a range that ends now, today included, or one that has ended. It is worked out in the
    /// zone; with `as_of`, as it was then.
    #[param(inline, example = "30d")]
    pub(crate) range: Option<NamedRange>,
    /// IANA name of the zone in which days, weeks and months begin; by default the customer's own.
    #[param(example = "Europe/Berlin")]
    pub(crate) time_zone: Option<String>,
    /// Only activities for which this holds: a JSON array of an operator, a field and values. The operator is one of `is`,
    /// `is_not`, `contains`, `starts_with`, `gt`, `gte`, `lt`, `lte`, `exists`, `not_exists`; the field `type`, `actor`,
    /// `value`, `properties.KEY`, `context.KEY` or `traits.KEY`, where KEY may be a path of several. Several values of `is`
    /// are alternatives. May be repeated; all must hold.
    #[serde(default)]
    #[param(example = json!([r#"["is","properties.plan","pro","team"]"#]))]
    pub(crate) filter: Vec<String>,
    /// Only activities of this type; repeated, of one of these.
    #[serde(default, rename = "type")]
    #[param(example = json!(["page.viewed"]))]
    pub(crate) types: Vec<String>,
    /// Only activities of this actor; repeated, of one of these.
    #[serde(default)]
    pub(crate) actor: Vec<String>,
    /// The moment that is looked at: a position, or a time. The answer is what it was when no more than that had been
    /// recorded.
    #[param(example = "2026-03-01T09:30:00Z")]
    pub(crate) as_of: Option<String>,
    /// Waits at most 10 s until this position is in the answer; after that the answer has the status 504.
    #[param(minimum = 0)]
    pub(crate) wait_for: Option<i64>,
    /// How the answer is written; stands above `Accept`.
    #[param(inline)]
    pub(crate) format: Option<Format>,
    /// A number of the report, by its bucket and, after a comma, its group as JSON or `other`: the answer is then the list
    /// of the activities behind it, as `/v1/activities` has it, with `cursor` and `limit`.
    #[param(example = r#"2026-03-01T00:00:00Z,"page.viewed""#)]
    pub(crate) explain: Option<String>,
    /// The `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
    /// How many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: Option<usize>,
}

/// No more than what every report is asked.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Reads a query string: what is common, and what is the report's own.
///
/// # Errors
/// 400 that names the parameter.
pub(crate) fn read<T: DeserializeOwned>(query: &str, not_here: &[&str]) -> Result<(Common, T), Problem> {
    let ProblemQuery(pairs) = ProblemQuery::<Vec<(String, String)>>::read(query)?;
    let (mut common, mut own) = (Serializer::new(String::new()), Serializer::new(String::new()));
    for (name, value) in &pairs {
        let is_common = COMMON.contains(&name.as_str()) && !not_here.contains(&name.as_str());
        (if is_common { &mut common } else { &mut own }).append_pair(name, value);
    }
    let ProblemQuery(own) = ProblemQuery::<T>::read(&own.finish())?;
    let ProblemQuery(common) = ProblemQuery::<Common>::read(&common.finish())?;
    Ok((common, own))
}

impl Common {
    /// Every filter.
    ///
    /// # Errors
    /// 422 that names the parameter.
    pub(crate) fn filter(&self) -> Result<Filter, ReportsError> {
        let mut all = Filter::parse("filter", &self.filter)?;
        for (field, texts) in [(Field::Type, &self.types), (Field::Actor, &self.actor)] {
            if !texts.is_empty() {
                let values = texts.iter().map(|text| Scalar::Text(text.as_str().into())).collect();
                all = all.and(Filter::any_of(field, values));
            }
        }
        Ok(all)
    }

    /// How many items a page has, if it was said.
    ///
    /// # Errors
    /// 400.
    pub(crate) fn limit(&self) -> Result<Option<usize>, Problem> {
        chassis::page_limit(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Own {
        depth: Option<u8>,
        #[serde(default)]
        step: Vec<String>,
    }

    #[test]
    fn what_is_common_is_taken_out_of_what_is_the_reports_own() {
        let query = "step=a&from=2026-01-01&step=b%26c&filter=%5B%5D&filter=x&depth=3&type=t";
        let (common, own) = read::<Own>(query, &[]).unwrap();
        assert_eq!((own.step, own.depth), (vec!["a".to_owned(), "b&c".to_owned()], Some(3)));
        assert_eq!(
            (common.filter, common.types),
            (vec!["[]".to_owned(), "x".to_owned()], vec!["t".to_owned()])
        );
        assert!(common.from.is_some());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (query, pointer) in [
            ("page=2", "/page"),
            ("from=yesterday", "/from"),
            ("from=2026-01-01T00:00:00", "/from"),
            ("from=2026-01-01&from=2026-01-02", "/from"),
            ("range=1y", "/range"),
            ("limit=x", "/limit"),
            ("depth=x", "/depth"),
            ("type=a%00b", "/type"),
            ("limit=3", "/limit"),
        ] {
            let problem = read::<Own>(query, &["limit"]).unwrap_err();
            assert_eq!((problem.status.as_u16(), &*problem.errors[0].pointer), (400, pointer), "{query}");
        }
    }
}
