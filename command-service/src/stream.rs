//! A stream of activities: one to a line, as many as there are, recorded while they come.
//!
//! Memory is bounded, whatever is sent: so many groups of lines are checked and recorded at the same time, and while there
//! are that many nothing more is read, so that the sender waits. Groups are recorded at the same time and told of in order.

mod check;
mod groups;
mod lines;
mod places;
mod run;
mod tell;

pub(crate) use places::StreamPlaces;
pub(crate) use run::Stream;
pub(crate) use tell::StreamLine;
