use std::collections::BTreeSet;

use crate::tree::{files, prose, read};

/// A page that adds one thing, as an example that is in the code.
struct Recipe {
    page: &'static str,
    /// Names that only the example has.
    words: &'static [&'static str],
    /// How many files are edited by hand, at most.
    edits_max: usize,
}

const RECIPES: [Recipe; 5] = [
    Recipe {
        page: "docs/how-to/add-a-command.md",
        words: &["ChangeTimeZone", "TimeZoneChanged"],
        edits_max: 8,
    },
    Recipe { page: "docs/how-to/add-a-key.md", words: &["FOLD_DELAY_DEFAULT_MS"], edits_max: 1 },
    Recipe {
        page: "docs/how-to/add-a-protocol.md",
        words: &["cloudevents::", "for CloudEvents", "/v1/cloudevents"],
        edits_max: 6,
    },
    Recipe { page: "docs/how-to/add-a-report.md", words: &["week_hours"], edits_max: 3 },
    Recipe { page: "docs/how-to/add-a-route.md", words: &["withdraw_invitation"], edits_max: 4 },
];

/// Written by `cargo xtask openapi`.
const GENERATED: [&str; 2] = ["docs/openapi.json", "frontend/src/api/schema.d.ts"];

/// The blocks of code of a page, each with the last file that is named before it.
fn blocks(page: &str, files: &[String]) -> Vec<(String, String)> {
    let (mut found, mut named) = (Vec::new(), None);
    let text = read(page);
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 0 {
            let quoted = part.split('`').skip(1).step_by(2);
            named = quoted.filter(|name| files.iter().any(|file| file == name)).last().or(named);
            continue;
        }
        let (language, code) = part.split_once('\n').unwrap();
        let file = named.unwrap_or_default();
        // Other JSON is what a request gets, which a page's own test asks for.
        if language == "rust" || language == "json" && file.ends_with(".json") {
            assert!(!file.is_empty(), "{page} does not say where this is:\n{code}");
            found.push((file.to_owned(), code.to_owned()));
        }
    }
    found
}

/// Code without what a formatter decides.
fn squeezed(code: &str) -> String {
    code.split_whitespace().collect()
}

#[test]
fn a_recipe_shows_the_code_that_runs() {
    let files = files();
    for recipe in &RECIPES {
        let blocks = blocks(recipe.page, &files);
        assert!(!blocks.is_empty(), "{} shows no code", recipe.page);
        for (file, code) in blocks {
            let source = squeezed(&read(&file));
            for part in code.split("// …") {
                assert!(source.contains(&squeezed(part)), "{}: {file} has not:\n{part}", recipe.page);
            }
        }
    }
}

#[test]
fn a_recipe_has_no_more_edits_than_it_says() {
    let files = files();
    for recipe in &RECIPES {
        let edited: BTreeSet<_> = blocks(recipe.page, &files).into_iter().map(|(file, _)| file).collect();
        assert!(edited.len() <= recipe.edits_max, "{}: {edited:?}", recipe.page);
    }
}

#[test]
fn a_recipe_names_every_file_that_its_example_needed() {
    for recipe in &RECIPES {
        let prose = prose(&read(recipe.page));
        let named: BTreeSet<_> = prose.split('`').skip(1).step_by(2).collect();
        for file in files() {
            let is_code = [".rs", ".json", ".ts", ".tsx", ".sql"].iter().any(|ending| file.ends_with(ending));
            let is_left_out =
                GENERATED.contains(&file.as_str()) || file.contains("tests") || file.ends_with("tests.rs");
            if !is_code || is_left_out && !file.contains("golden") {
                continue;
            }
            let text = read(&file);
            if recipe.words.iter().any(|word| text.contains(word) || file.contains(word)) {
                assert!(named.contains(file.as_str()), "{} does not name {file}", recipe.page);
            }
        }
    }
}

#[test]
fn the_page_about_clients_shows_the_lines_that_the_tests_run() {
    let page = read("docs/clients.md");
    let scripts = ["tests/clients/node.js", "tests/clients/python.py"].map(|script| squeezed(&read(script)));
    let is_run = |line: &str| scripts.iter().any(|script| script.contains(&squeezed(line)));
    let mut shown = 0;
    for part in page.split("```").skip(1).step_by(2) {
        let (_, code) = part.split_once('\n').unwrap();
        assert!(is_run(code), "no test runs:\n{code}");
        shown += 1;
    }
    for line in prose(&page).split('`').skip(1).step_by(2) {
        // What the tests do with an error is no part of the page.
        let line = line.split(", on_error").next().unwrap_or(line);
        if line.starts_with("new ") || line.contains("(TOKEN, host") {
            assert!(is_run(line), "no test runs: {line}");
            shown += 1;
        }
    }
    assert!(shown >= 9, "the page shows {shown} lines only");
}
