//! Recording, reading, correcting and redacting activities, and the history of all that.

mod batches;
mod bodies;
mod callers;
mod changes;
mod contents;
mod history;
mod recording;
