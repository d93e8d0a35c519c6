//! The pages for people: every file that they name is there, and the code that they show is the code that runs.

mod names;
mod recipes;
mod tree;
