use serde_json::Value;

use super::house::{House, content, customer};

const PAGE: &str = include_str!("../../../docs/how-to/add-a-report.md");
/// What the page shows parts of.
const FILES: [(&str, &str); 3] = [
    ("projection-service/src/reports/week_hours.rs", include_str!("../reports/week_hours.rs")),
    ("projection-service/src/reports.rs", include_str!("../reports.rs")),
    ("projection-service/src/reports/routes.rs", include_str!("../reports/routes.rs")),
];

/// The blocks of one language, each with the last file that was named before it.
fn blocks(language: &str) -> Vec<(Option<&'static str>, &'static str)> {
    let (mut found, mut rest, mut file) = (Vec::new(), PAGE, None);
    while let Some((before, block)) = rest.split_once("```") {
        let (name, block) = block.split_once('\n').unwrap();
        let (block, after) = block.split_once("```").unwrap();
        let named = |(path, _): &(&'static str, _)| before.rfind(&format!("`{path}`")).map(|at| (at, *path));
        if let Some((_, path)) = FILES.iter().filter_map(named).max() {
            file = Some(path);
        }
        if name == language {
            found.push((file, block));
        }
        rest = after;
    }
    found
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_shows_the_code_as_it_is() {
    let code = blocks("rust");
    assert!(code.len() >= FILES.len());
    for (file, block) in code {
        let (path, source) =
            FILES.iter().find(|(path, _)| Some(*path) == file).expect("a block names its file");
        for part in block.split("\n// …\n") {
            assert!(squeezed(source).contains(&squeezed(part)), "{path} has not:\n{part}");
        }
    }
    for (path, _) in FILES {
        assert!(blocks("rust").iter().any(|(file, _)| *file == Some(path)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_the_page_answers_as_the_page_says() {
    let (house, reports) = House::start().await;
    let customer = customer();
    // In Berlin, 09:30 twice and 10:00 once, on Mondays in winter and in summer.
    for (id, time) in
        [("1", "2026-03-23T08:30:00Z"), ("2", "2026-03-30T07:30:00Z"), ("3", "2026-03-30T08:00:00Z")]
    {
        house.record(customer, id, content("page.viewed", "ada", time)).await;
    }
    house.folded().await;
    let asked = blocks("http");
    let answers = blocks("json");
    assert_eq!((asked.len(), answers.len()), (2, 2));
    let path = |block: &str| block.trim().trim_start_matches("GET ").to_owned();
    let body = reports.body(customer, &path(asked[0].1)).await;
    let wanted: Vec<Value> = serde_json::from_str(answers[0].1).unwrap();
    let hours = body["hours"].as_array().unwrap();
    assert_eq!(hours.len(), 168);
    let counted: Vec<&Value> = hours.iter().filter(|hour| hour["count"] != 0).collect();
    assert_eq!(counted, wanted.iter().collect::<Vec<_>>());
    let behind = reports.body(customer, &path(asked[1].1)).await;
    let ids: Vec<&Value> = behind["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    let wanted: Vec<Value> = serde_json::from_str(answers[1].1).unwrap();
    assert_eq!(ids, wanted.iter().collect::<Vec<_>>());
    reports.stop().await;
}
