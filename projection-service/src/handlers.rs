pub(crate) mod discard_dead_letter;
pub(crate) mod find_positions;
pub(crate) mod list_dead_letters;
pub(crate) mod list_projections;
pub(crate) mod rebuild_projection;
pub(crate) mod retry_dead_letter;
