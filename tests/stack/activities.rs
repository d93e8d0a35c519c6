//! Recording, listing, reading, correcting and redacting activities.

mod batches;
mod bodies;
mod callers;
mod changes;
mod contents;
mod listing;
mod recording;
mod streams;
