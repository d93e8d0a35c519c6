use chassis::Problem;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

const LIMIT_DEFAULT: i64 = 100;
const LIMIT_MAX: i64 = 1_000;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// How many at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page that keeps the rules.
pub(crate) struct Asked {
    limit: usize,
    pub(crate) cursor: Option<Uuid>,
}

impl Asked {
    /// # Errors
    /// 400, which names the parameter.
    pub(crate) fn of(page: Page) -> Result<Self, Problem> {
        let limit = page.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Problem::parameter("limit", format!("must be 1 to {LIMIT_MAX}")));
        }
        let cursor: Option<Result<Uuid, _>> = page.cursor.map(|cursor| cursor.parse());
        let invalid = |_| Problem::parameter("cursor", "must be the next_cursor of a page");
        Ok(Self { limit: limit as usize, cursor: cursor.transpose().map_err(invalid)? })
    }

    /// How many rows to read: one more than asked for tells whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        self.limit as i64 + 1
    }

    /// Cuts the rows to the page, and answers the cursor of the next.
    pub(crate) fn cut<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> Uuid) -> Option<String> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        rows.last().filter(|_| more).map(|last| id(last).to_string())
    }
}
