//! The service through its own doors: a log and a database of its own.

mod actors;
mod asking;
mod broken_off;
mod columns;
mod dead_letters;
mod diverged;
mod explain;
mod export;
mod feed;
mod house;
mod how_to;
mod intake;
mod measures;
mod oracle;
mod queries;
mod rebuild;
mod rebuild_jobs;
mod reports;
mod resolving;
mod running;
mod truth;
