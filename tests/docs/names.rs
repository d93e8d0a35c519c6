use std::collections::BTreeSet;

use crate::tree::{files, pages, prose, read};

const ENDINGS: [&str; 9] = [".rs", ".sql", ".md", ".toml", ".yaml", ".js", ".ts", ".tsx", ".css"];

/// What stands in backticks and is the path of a file or of a folder, as the page writes it.
fn named<'a>(prose: &'a str, top: &'a BTreeSet<String>) -> impl Iterator<Item = &'a str> {
    let is_path = |name: &str| {
        !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || "_./-".contains(char))
    };
    let is_file = |name: &str| ENDINGS.iter().any(|ending| name.ends_with(ending) && name != *ending);
    let is_folder = move |name: &str| {
        let first = name.split_once('/').map(|(first, _)| first);
        name.ends_with('/') && !name.starts_with(['.', '/']) || first.is_some_and(|first| top.contains(first))
    };
    prose
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(move |name| is_path(name) && (is_file(name) || is_folder(name)))
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let files = files();
    let top = files.iter().filter_map(|file| Some(file.split_once('/')?.0.to_owned())).collect();
    let is_there = |name: &str| {
        let (whole, inner) = (name.trim_end_matches('/'), format!("/{}", name.trim_end_matches('/')));
        files.iter().any(|file| {
            let path = format!("/{file}");
            file == whole || path.ends_with(&inner) || path.contains(&format!("{inner}/"))
        })
    };
    let mut count = 0;
    let mut missing = Vec::new();
    for page in pages() {
        for name in named(&prose(&read(&page)), &top) {
            count += 1;
            if !is_there(name) {
                missing.push(format!("{page}: {name}"));
            }
        }
    }
    assert!(count > 100, "only {count} names were found");
    assert!(missing.is_empty(), "these are not there:\n{}", missing.join("\n"));
}

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    let files = files();
    for page in pages() {
        let text = prose(&read(&page));
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let target = link.split('#').next().unwrap();
            if target.is_empty() || link.contains("://") {
                continue;
            }
            let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
            for part in target.split('/').filter(|part| !part.is_empty()) {
                if part == ".." {
                    path.pop();
                } else {
                    path.push(part);
                }
            }
            let path = path.join("/");
            let is_there = files.iter().any(|file| *file == path || file.starts_with(&format!("{path}/")));
            assert!(is_there, "{page} links to {link}");
        }
    }
}
