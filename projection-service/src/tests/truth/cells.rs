//! The numbers of a report, and how each is asked for.

use crate::tests::oracle::json::Json;
use crate::tests::oracle::question::ReportQuestion;

/// What a number says of the activities behind it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// How many they are.
    Activities,
    /// How many different actors they have.
    Actors,
}

/// A number of a report, by what is put after `explain=`.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) explain: String,
    pub(super) number: Json,
    pub(super) kind: Kind,
}

fn cell(explain: impl Into<String>, number: &Json, kind: Kind) -> Cell {
    Cell { explain: explain.into(), number: number.clone(), kind }
}

/// Every number that counts something.
pub(super) fn cells(question: &ReportQuestion, body: &Json) -> Vec<Cell> {
    match question.path.as_str() {
        "/v1/reports/activity" => activity(question, body),
        "/v1/reports/active-users" => active_users(body),
        "/v1/reports/retention" => retention(body),
        "/v1/reports/funnel" => funnel(body),
        "/v1/reports/sessions" => sessions(body),
        "/v1/reports/top" => top(body),
        "/v1/reports/paths" => paths(body),
        _ => Vec::new(),
    }
}

fn text(json: &Json) -> &str {
    json.text().unwrap()
}

fn activity(question: &ReportQuestion, body: &Json) -> Vec<Cell> {
    let kind = match question.get("measure").unwrap_or("count") {
        "count" => Kind::Activities,
        "actors" => Kind::Actors,
        _ => return Vec::new(),
    };
    let number = |item: &Json| {
        let bucket = text(item.field("bucket"));
        let group = match (item.field("other"), item.field("group")) {
            (Json::Bool(true), _) => ",other".to_owned(),
            (_, Json::Null) if question.get("group_by").is_none() => String::new(),
            (_, group) => format!(",{group}"),
        };
        cell(format!("{bucket}{group}"), item.field("count"), kind)
    };
    body.field("series").items().iter().map(number).collect()
}

fn active_users(body: &Json) -> Vec<Cell> {
    let day = |day: &Json| {
        ["daily", "weekly", "monthly"]
            .map(|name| cell(format!("{},{name}", text(day.field("date"))), day.field(name), Kind::Actors))
    };
    body.field("days").items().iter().flat_map(day).collect()
}

fn retention(body: &Json) -> Vec<Cell> {
    let cohort = |cohort: &Json| {
        let start = text(cohort.field("start")).to_owned();
        let retained = cohort.field("retained").items().iter().enumerate();
        let retained: Vec<Cell> =
            retained.map(|(later, number)| cell(format!("{start},{later}"), number, Kind::Actors)).collect();
        std::iter::once(cell(start, cohort.field("size"), Kind::Actors)).chain(retained).collect::<Vec<_>>()
    };
    body.field("cohorts").items().iter().flat_map(cohort).collect()
}

fn funnel(body: &Json) -> Vec<Cell> {
    let steps = body.field("steps").items().iter().enumerate();
    let step = |(index, step): (usize, &Json)| {
        [Kind::Actors, Kind::Activities].map(|kind| cell((index + 1).to_string(), step.field("actors"), kind))
    };
    steps.flat_map(step).collect()
}

fn sessions(body: &Json) -> Vec<Cell> {
    let of = |explain: &str, json: &Json| {
        [
            cell(explain, json.field("sessions"), Kind::Activities),
            cell(explain, json.field("actors"), Kind::Actors),
        ]
    };
    let days = body.field("days").items().iter().flat_map(|day| of(text(day.field("date")), day));
    let single = cell("single", body.field("single"), Kind::Activities);
    days.chain(of("total", body)).chain([single]).collect()
}

fn top(body: &Json) -> Vec<Cell> {
    let item = |item: &Json| {
        let key = item.field("key").to_string();
        [
            cell(key.clone(), item.field("count"), Kind::Activities),
            cell(key, item.field("actors"), Kind::Actors),
        ]
    };
    body.field("items").items().iter().flat_map(item).collect()
}

fn paths(body: &Json) -> Vec<Cell> {
    let node = |node: &Json| {
        let explain = format!("{},{}", node.field("depth"), text(node.field("type")));
        cell(explain, node.field("count"), Kind::Activities)
    };
    let link = |link: &Json| {
        cell(format!("{}>{}", link.field("from"), link.field("to")), link.field("count"), Kind::Activities)
    };
    let nodes = body.field("nodes").items().iter().map(node);
    nodes.chain(body.field("links").items().iter().map(link)).collect()
}
