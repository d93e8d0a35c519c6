//! What the routes do.

pub(crate) mod forward;
pub(crate) mod openapi;
pub(crate) mod pages;
pub(crate) mod preflight;
