use serde_json::Value;

/// A report that is measured.
pub(super) struct Question {
    pub(super) name: &'static str,
    /// Its path and what it is asked; the range comes after it.
    pub(super) path: &'static str,
    /// The longest that an answer may take, in milliseconds.
    pub(super) warm_ms_max: f64,
    pub(super) cold_ms_max: f64,
    /// The same answer by SQL, if it is compared: the total of its numbers. Takes the customer and the range.
    pub(super) sql: Option<&'static str>,
    /// The total of the numbers of an answer.
    pub(super) total: fn(&Value) -> f64,
}

impl Question {
    const fn of_rows(
        name: &'static str,
        path: &'static str,
        sql: &'static str,
        total: fn(&Value) -> f64,
    ) -> Self {
        Self { name, path, warm_ms_max: 25.0, cold_ms_max: 150.0, sql: Some(sql), total }
    }

    /// A report that follows each actor from one activity to the next.
    const fn of_order(
        name: &'static str,
        path: &'static str,
        sql: &'static str,
        total: fn(&Value) -> f64,
    ) -> Self {
        Self { name, path, warm_ms_max: 100.0, cold_ms_max: 500.0, sql: Some(sql), total }
    }
}

/// The page of the list has no SQL beside it: an index on the time gives a page at once.
pub(super) const QUESTIONS: [Question; 10] = [
    Question {
        name: "a page of the list",
        path: "/v1/activities?limit=50",
        warm_ms_max: 10.0,
        cold_ms_max: 150.0,
        sql: None,
        total: |answer| items(&answer["items"]).count() as f64,
    },
    Question::of_rows(
        "activity by day",
        "/v1/reports/activity?interval=day",
        include_str!("sql/activity.sql"),
        |answer| sum(&answer["series"], &["count"]),
    ),
    Question::of_rows(
        "activity by day and type",
        "/v1/reports/activity?interval=day&group_by=type",
        include_str!("sql/activity_by_type.sql"),
        |answer| sum(&answer["series"], &["count"]),
    ),
    Question::of_rows(
        "activity of a plan by day and country",
        "/v1/reports/activity?interval=day&group_by=properties.country&filter=%5B%22is%22,%22properties.plan%22,%22pro%22%5D",
        include_str!("sql/activity_of_plan.sql"),
        |answer| sum(&answer["series"], &["count"]),
    ),
    Question::of_rows(
        "active users",
        "/v1/reports/active-users?",
        include_str!("sql/active_users.sql"),
        |answer| sum(&answer["days"], &["daily", "weekly", "monthly"]),
    ),
    Question::of_rows(
        "top countries",
        "/v1/reports/top?dimension=properties.country&limit=100",
        include_str!("sql/top.sql"),
        |answer| sum(&answer["items"], &["count", "actors"]),
    ),
    Question::of_rows(
        "retention by day",
        "/v1/reports/retention?unit=day",
        include_str!("sql/retention.sql"),
        |answer| {
            let retained = items(&answer["cohorts"]).flat_map(|cohort| items(&cohort["retained"]));
            sum(&answer["cohorts"], &["size"]) + retained.filter_map(Value::as_f64).sum::<f64>()
        },
    ),
    Question::of_order(
        "funnel of three steps",
        "/v1/reports/funnel?step=kind.0&step=kind.1&step=kind.2&within=7d",
        include_str!("sql/funnel.sql"),
        |answer| sum(&answer["steps"], &["actors", "median_s"]),
    ),
    Question::of_order(
        "sessions",
        "/v1/reports/sessions?gap=30m",
        include_str!("sql/sessions.sql"),
        |answer| {
            let whole = ["sessions", "actors", "single", "median_s"];
            let whole = whole.iter().filter_map(|name| answer[name].as_f64()).sum::<f64>();
            whole + sum(&answer["days"], &["sessions", "actors"])
        },
    ),
    Question::of_order(
        "paths of three steps",
        "/v1/reports/paths?start=kind.0&depth=3&gap=30m",
        include_str!("sql/paths.sql"),
        |answer| sum(&answer["nodes"], &["count"]) + sum(&answer["links"], &["count"]),
    ),
];

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The sum of some fields of all items.
fn sum(list: &Value, fields: &[&str]) -> f64 {
    items(list).flat_map(|item| fields.iter().filter_map(|field| item[field].as_f64())).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_total_of_an_answer_is_that_of_all_its_numbers() {
        let total = |name: &str, answer: &Value| {
            let question = QUESTIONS.iter().find(|question| question.name == name);
            question.map(|question| (question.total)(answer))
        };
        let retention = json!({"cohorts": [{"size": 5, "retained": [5, 2]}, {"size": 1, "retained": [1]}]});
        assert_eq!(total("retention by day", &retention), Some(14.0));
        let sessions = json!({"sessions": 3, "actors": 2, "single": 1, "median_s": 0.5, "mean_activities": 9,
                              "days": [{"date": "2026-03-01", "sessions": 3, "actors": 2}]});
        assert_eq!(total("sessions", &sessions), Some(11.5));
        let paths =
            json!({"nodes": [{"count": 4}, {"count": 1}], "links": [{"from": 0, "to": 1, "count": 1}]});
        assert_eq!(total("paths of three steps", &paths), Some(6.0));
    }
}
