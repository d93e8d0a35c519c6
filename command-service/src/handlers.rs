//! What the routes do, one a file.

pub(crate) mod correct_activity;
pub(crate) mod describe_actor;
pub(crate) mod discard_dead_letter;
pub(crate) mod get_activity;
pub(crate) mod history;
pub(crate) mod list_rejections;
pub(crate) mod merge_actors;
pub(crate) mod named;
pub(crate) mod record_activity;
pub(crate) mod record_batch;
pub(crate) mod record_stream;
pub(crate) mod redact_activity;
pub(crate) mod revert_merge;
pub(crate) mod stream_history;
