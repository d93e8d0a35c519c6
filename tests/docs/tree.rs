use std::fs;
use std::path::{Path, PathBuf};

/// Folders whose content is made, or fetched.
const MADE: [&str; 5] = ["target", "node_modules", "dist", ".git", ".daybook"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files of the repository, by their paths from its root.
pub(crate) fn files() -> Vec<String> {
    let (root, mut files, mut folders) = (root(), Vec::new(), vec![root()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_made = MADE.iter().any(|name| path.file_name().unwrap() == *name);
            if path.is_dir() && !is_made {
                folders.push(path);
            } else if path.is_file() {
                files.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages: `README.md` and everything in Markdown below `docs/`.
pub(crate) fn pages() -> Vec<String> {
    let is_page = |path: &String| path == "README.md" || path.starts_with("docs/") && path.ends_with(".md");
    files().into_iter().filter(is_page).collect()
}

/// A page without its blocks of code.
pub(crate) fn prose(page: &str) -> String {
    page.split("```").step_by(2).collect::<Vec<_>>().join("\n")
}
