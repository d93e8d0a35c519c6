//! The pages for people: every file that they name is there, and the code that they show is the code that runs.
#![expect(clippy::unwrap_used, reason = "tests end by panicking, in what they share too")]
#![expect(clippy::case_sensitive_file_extension_comparisons, reason = "our files have endings in lower case")]

mod names;
mod recipes;
mod tree;
