use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::filter::Filter;
use super::json::Json;
use super::log::Activity;
use super::question::ReportQuestion;
use super::retention::filters;
use super::sessions::{duration, sessions};

const DEPTH_DEFAULT: usize = 3;

/// A depth and a type.
type Node<'a> = (usize, &'a str);

pub(super) fn report(question: &ReportQuestion, activities: &[Activity]) -> Json {
    let rows = question.filtered(activities);
    let depth_max = question.number("depth").unwrap_or(DEPTH_DEFAULT);
    let is_backwards = question.get("end").is_some();
    let begin: Vec<Filter> = filters(question.get("start").or(question.get("end")).unwrap());
    let mut nodes: BTreeMap<Node<'_>, usize> = BTreeMap::new();
    let mut links: BTreeMap<(Node<'_>, Node<'_>), usize> = BTreeMap::new();
    for mut session in sessions(&rows, duration(question.get("gap").unwrap_or("30m"))) {
        if is_backwards {
            session.reverse();
        }
        for (index, first) in session.iter().enumerate() {
            let begins = begin.iter().all(|filter| filter.passes(first));
            if !begins || !question.is_in_range(first.occurred_at) {
                continue;
            }
            let path = session[index..].iter().take(depth_max + 1).enumerate();
            let path: Vec<Node<'_>> = path.map(|(depth, row)| (depth, row.kind.as_str())).collect();
            for node in &path {
                *nodes.entry(*node).or_default() += 1;
            }
            for pair in path.windows(2) {
                let link = if is_backwards { (pair[1], pair[0]) } else { (pair[0], pair[1]) };
                *links.entry(link).or_default() += 1;
            }
        }
    }
    let mut nodes: Vec<(Node<'_>, usize)> = nodes.into_iter().collect();
    nodes.sort_by_key(|((depth, name), count)| (*depth, Reverse(*count), *name));
    let place = |node: Node<'_>| nodes.iter().position(|(known, _)| *known == node).unwrap();
    let mut links: Vec<(usize, Reverse<usize>, usize)> =
        links.into_iter().map(|((from, to), count)| (place(from), Reverse(count), place(to))).collect();
    links.sort();
    let node = |((depth, name), count): &(Node<'_>, usize)| {
        Json::object([
            ("depth", Json::from(*depth)),
            ("type", Json::from(*name)),
            ("count", Json::from(*count)),
        ])
    };
    let link = |(from, count, to): (usize, Reverse<usize>, usize)| {
        Json::object([("from", Json::from(from)), ("to", Json::from(to)), ("count", Json::from(count.0))])
    };
    Json::object([
        ("nodes", Json::Array(nodes.iter().map(node).collect())),
        ("links", Json::Array(links.into_iter().map(link).collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::oracle::testing::{day, same};

    const ROWS: [&str; 8] = [
        "ada a 10:00",
        "ada b 10:10",
        "ada a 10:20",
        "ada c 10:30",
        "ada b 11:30",
        "bob a 10:00",
        "bob b 10:01",
        "eve a 2026-03-02T00:00:00",
    ];

    fn ask(parameters: &[(&str, &str)]) -> Json {
        let range = [("from", "2026-03-01"), ("to", "2026-03-02"), ("time_zone", "UTC")];
        report(&ReportQuestion::new("", &[&range, parameters].concat()), &day(&ROWS))
    }

    #[test]
    fn what_follows_a_type_is_told_within_a_session() {
        same(
            &ask(&[("start", "a"), ("depth", "2")]),
            r#"{"nodes":[{"depth":0,"type":"a","count":3},{"depth":1,"type":"b","count":2},
                         {"depth":1,"type":"c","count":1},{"depth":2,"type":"a","count":1}],
                "links":[{"from":0,"to":1,"count":2},{"from":0,"to":2,"count":1},{"from":1,"to":3,"count":1}]}"#,
        );
    }

    #[test]
    fn what_precedes_one_too_where_a_link_goes_from_the_earlier_to_the_later() {
        same(
            &ask(&[("end", "b"), ("depth", "5"), ("gap", "5m")]),
            r#"{"nodes":[{"depth":0,"type":"b","count":3},{"depth":1,"type":"a","count":1}],
                "links":[{"from":1,"to":0,"count":1}]}"#,
        );
    }
}
