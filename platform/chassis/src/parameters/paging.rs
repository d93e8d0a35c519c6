use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::Problem;

/// How many items a page of a list has if the request does not say.
pub const PAGE_ITEMS_DEFAULT: u16 = 100;
/// The most items of one page.
pub const PAGE_ITEMS_MAX: u16 = 1_000;

/// The parameters of a list that has no others. A list with more parameters names these two among them: unknown parameters
/// cannot be refused where a type is flattened.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Which page of a list a request asks for. A cursor is the key of the last item of the page before.
#[derive(Clone, Debug)]
pub struct Paging<C> {
    limit: usize,
    /// Where the page begins: after the item with this key, or with the first one.
    pub cursor: Option<C>,
}

impl<C: FromStr> Paging<C> {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// 400, which names the parameter.
    pub fn new(limit: Option<i64>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = page_limit(limit)?.unwrap_or(PAGE_ITEMS_DEFAULT.into()) as usize;
        let invalid = |_| Problem::parameter("cursor", "must be the next_cursor of a page");
        Ok(Self { limit, cursor: cursor.map(C::from_str).transpose().map_err(invalid)? })
    }
}

impl<C: FromStr> TryFrom<PageParameters> for Paging<C> {
    type Error = Problem;

    fn try_from(parameters: PageParameters) -> Result<Self, Problem> {
        Self::new(parameters.limit, parameters.cursor.as_deref())
    }
}

impl<C> Paging<C> {
    /// How many rows to read: one more than a page has, which shows whether there is a next page.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.limit as i64 + 1
    }

    /// Cuts rows to the page, and returns the cursor of the next one, if there is one.
    pub fn cut<T, K: Display>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> K) -> Option<String> {
        cut_page(rows, self.limit).map(|last| key(last).to_string())
    }
}

/// A `limit` that is given must be 1 to [`PAGE_ITEMS_MAX`].
///
/// # Errors
/// 400, which names the parameter.
pub fn page_limit<N: From<u16> + PartialOrd>(limit: Option<N>) -> Result<Option<N>, Problem> {
    match limit {
        Some(limit) if !(N::from(1)..=N::from(PAGE_ITEMS_MAX)).contains(&limit) => {
            Err(Problem::parameter("limit", format!("must be 1 to {PAGE_ITEMS_MAX}")))
        }
        limit => Ok(limit),
    }
}

/// Cuts rows, of which one more than `limit` was asked for, to a page. Returns its last row if there is a next page.
pub fn cut_page<T>(rows: &mut Vec<T>, limit: usize) -> Option<&T> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| has_more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_next_one_if_there_was_a_row_too_many() {
        let page = Paging::<u32>::new(Some(2), Some("7")).unwrap();
        assert_eq!((page.cursor, page.rows()), (Some(7), 3));
        let mut rows = vec![8, 9, 10];
        assert_eq!(page.cut(&mut rows, |row| *row), Some("9".to_owned()));
        assert_eq!(rows, [8, 9]);
        assert_eq!(page.cut(&mut rows, |row| *row), None);
    }

    #[test]
    fn what_is_no_page_is_refused_by_name() {
        for (limit, cursor, expected) in [
            (Some(0), None, "The parameter limit must be 1 to 1000."),
            (Some(1_001), None, "The parameter limit must be 1 to 1000."),
            (None, Some("x"), "The parameter cursor must be the next_cursor of a page."),
        ] {
            let problem = Paging::<u32>::new(limit, cursor).unwrap_err();
            assert_eq!(problem.detail.as_deref(), Some(expected));
        }
        assert_eq!(Paging::<u32>::new(None, None).unwrap().rows(), 101);
    }
}
