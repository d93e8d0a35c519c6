//! Files of activities, whatever clients left them, on their way through the public door.
//!
//! Invariants: memory does not grow with the file; every record is recorded, or named with its line and the reason; an
//! activity without an id gets one that depends on nothing but the source, the line and the record, so that the same file
//! again records nothing twice.

mod activity;
mod daybook;
mod entries;
mod fields;
mod format;
mod input;
mod outcome;
mod posthog;
mod rejects;
mod segment;
mod send;
mod state;
mod table;
mod time;
mod window;

pub(crate) use entries::{Entry, Reading};
pub(crate) use format::{Format, Layout};
pub(crate) use input::Input;
pub(crate) use outcome::Outcome;
pub(crate) use rejects::{Rejects, rejects_path};
pub(crate) use send::{Door, Source, Transfer};
pub(crate) use state::Resume;
pub(crate) use table::Mapping;
