//! One command a file.

pub(crate) mod dead_letters;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod members;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod postgres;
pub(crate) mod rebuild;
pub(crate) mod relay;
pub(crate) mod replay;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod up;
