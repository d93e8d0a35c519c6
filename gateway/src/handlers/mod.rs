//! What the routes do.

mod forward;
pub(crate) mod openapi;
pub(crate) mod pages;

pub(crate) use forward::forward;
