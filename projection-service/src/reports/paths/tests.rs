use std::collections::BTreeMap;

use proptest::prelude::*;

use super::count::Tally;
use super::*;
use crate::reports::testing::{Chunks, TestActivity, at, histories, history, matching, run, standing};

const MINUTE: i64 = 60_000_000;

/// Of the first of March, within sessions of half an hour.
fn question(direction: Direction, name: &str, depth: usize) -> PathsQuestion {
    PathsQuestion {
        matching: matching(Some(name)),
        direction,
        range: at("2026-03-01T00:00:00Z")..at("2026-03-02T00:00:00Z"),
        depth,
        gap: 30 * MINUTE,
    }
}

fn lines(all: &[TestActivity], question: PathsQuestion) -> (Vec<String>, Vec<String>) {
    let body = run(compute(&Chunks::new(all), question)).unwrap();
    let node = |node: &Node| format!("{}{} {}", node.depth, node.activity_type, node.count);
    let name = |place: usize| format!("{}{}", body.nodes[place].depth, body.nodes[place].activity_type);
    let link = |link: &Link| format!("{} {} {}", name(link.from), name(link.to), link.count);
    (body.nodes.iter().map(node).collect(), body.links.iter().map(link).collect())
}

fn visits() -> Vec<TestActivity> {
    history(&[
        "1 a 2026-03-01T10:00:00Z",
        "1 b 2026-03-01T10:10:00Z",
        "1 a 2026-03-01T10:20:00Z",
        "1 c 2026-03-01T10:50:00Z",
        "1 d 2026-03-01T11:20:01Z",
        "2 a 2026-03-01T23:59:00Z",
        "2 b 2026-03-02T00:10:00Z",
        "2 a 2026-03-02T00:20:00Z",
    ])
}

#[test]
fn every_activity_of_the_type_begins_a_path_that_ends_with_its_session() {
    let (nodes, links) = lines(&visits(), question(Direction::After, "a", 2));
    assert_eq!(nodes, ["0a 3", "1b 2", "1c 1", "2a 2"]);
    assert_eq!(links, ["0a 1b 2", "0a 1c 1", "1b 2a 2"]);
}

#[test]
fn what_precedes_is_told_in_the_same_direction() {
    let (nodes, links) = lines(&visits(), question(Direction::Before, "c", 5));
    assert_eq!(nodes, ["0c 1", "1a 1", "2b 1", "3a 1"]);
    assert_eq!(links, ["1a 0c 1", "2b 1a 1", "3a 2b 1"]);
    // The type that is asked for must be in the range, what comes before need not.
    let early =
        history(&["1 b 2026-02-28T23:50:00Z", "1 c 2026-03-01T00:10:00Z", "1 c 2026-03-02T00:00:00Z"]);
    let (nodes, _) = lines(&early, question(Direction::Before, "c", 1));
    assert_eq!(nodes, ["0c 1", "1b 1"]);
}

#[test]
fn of_activities_at_one_time_the_one_recorded_first_is_before() {
    let all = history(&["1 c 2026-03-01T10:00:00Z", "1 a 2026-03-01T10:00:00Z", "1 b 2026-03-01T10:00:00Z"]);
    assert_eq!(lines(&all, question(Direction::After, "a", 3)).0, ["0a 1", "1b 1"]);
}

#[test]
fn nodes_and_links_are_explained_by_activities() {
    let chunks = Chunks::new(&visits());
    let positions = |direction, name, cell| {
        let rows = run(behind(&chunks, question(direction, name, 2), cell)).ok()?;
        Some(rows.into_iter().map(|row| row.position).collect::<Vec<_>>())
    };
    assert_eq!(positions(Direction::After, "a", "0,a"), Some(vec![1, 3, 6]));
    assert_eq!(positions(Direction::After, "a", "1,b"), Some(vec![2, 7]));
    assert_eq!(positions(Direction::After, "a", "2,a"), Some(vec![3, 8]));
    assert_eq!(positions(Direction::After, "a", "1,d"), Some(vec![]));
    // From the node of a to that of c.
    assert_eq!(positions(Direction::After, "a", "0>2"), Some(vec![4]));
    assert_eq!(positions(Direction::Before, "c", "2>1"), Some(vec![2]));
    for cell in ["", "3,a", "x,a", "0>9", "2>1", "0>3"] {
        assert_eq!(positions(Direction::After, "a", cell), None, "{cell}");
    }
}

#[test]
fn only_the_most_frequent_types_are_told() {
    let types = Types::default();
    let mut counts = Counts::default();
    let codes: Vec<u32> = (0..150).map(|number| types.code(&format!("type {number}"))).collect();
    for (number, code) in codes.iter().enumerate() {
        for _ in 0..=number {
            counts.add(0, 0, codes[0], 0);
            counts.add(1, codes[0], *code, 0);
        }
    }
    let body = body(Direction::After, &types, &counts);
    assert_eq!((body.nodes.len(), body.links.len()), (1 + TYPES_MAX, TYPES_MAX));
    assert_eq!(body.nodes[1], Node { depth: 1, activity_type: "type 149".to_owned(), count: 150 });
    assert_eq!(body.links[TYPES_MAX - 1], Link { from: 0, to: TYPES_MAX, count: 51 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_told_as_by_a_naive_walk(
        all in histories(at("2026-02-28T18:00:00Z"), 2),
        depth in 1..6_usize,
        direction in prop::sample::select(&[Direction::After, Direction::Before][..]),
    ) {
        let mut by_actor: BTreeMap<u32, Vec<TestActivity>> = BTreeMap::new();
        for (_, done) in standing(&all) {
            by_actor.entry(done.actor).or_default().push(done);
        }
        let mut nodes: BTreeMap<String, u64> = BTreeMap::new();
        let mut links: BTreeMap<String, u64> = BTreeMap::new();
        for mut rows in by_actor.into_values() {
            if direction == Direction::Before {
                rows.reverse();
            }
            for begin in 0..rows.len() {
                let asked = question(direction, "a", depth);
                if rows[begin].kind != "a" || !asked.range.contains(&rows[begin].time) {
                    continue;
                }
                let mut path = vec![format!("0{}", rows[begin].kind)];
                for (pair, at) in rows[begin..].windows(2).zip(1..=depth) {
                    if (pair[0].time - pair[1].time).abs() > 30 * MINUTE {
                        break;
                    }
                    path.push(format!("{at}{}", pair[1].kind));
                }
                for pair in path.windows(2) {
                    let (near, far) = (&pair[0], &pair[1]);
                    let link = match direction {
                        Direction::After => format!("{near} {far}"),
                        Direction::Before => format!("{far} {near}"),
                    };
                    *links.entry(link).or_default() += 1;
                }
                for node in path {
                    *nodes.entry(node).or_default() += 1;
                }
            }
        }
        let (mut node_lines, mut link_lines) = lines(&all, question(direction, "a", depth));
        node_lines.sort();
        link_lines.sort();
        let expected = |counts: BTreeMap<String, u64>| {
            let mut lines: Vec<String> = counts.into_iter().map(|(key, count)| format!("{key} {count}")).collect();
            lines.sort();
            lines
        };
        prop_assert_eq!(node_lines, expected(nodes));
        prop_assert_eq!(link_lines, expected(links));
    }
}
