//! The advisory locks of Daybook, all of them: the first of the two keys of `pg_advisory_lock` is a class, and no two uses
//! share one, whichever databases they lie in.

/// The outbox relay's, by partition, in the database of a log: its holder publishes the partition.
pub const RELAY: i32 = 0x0DA7;
/// Shared by all relays of a log, so that each knows how many there are.
pub const RELAY_PRESENCE: i32 = 0x0DA8;
/// The rebuild's, by read model, in the database of reports: one rebuild at a time.
pub const REBUILD: i32 = 0x0DAE;
/// The fold's, by read model, in the database of reports: folds of the live generation share it, and a rebuild that makes
/// another generation the live one holds it alone.
pub const FOLD: i32 = 0x0DAF;
/// The merge's, by customer, in the database of reports: two merges must not replace the same segments.
pub const MERGE: i32 = 0x0DB0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_another_one() {
        let mut classes = vec![RELAY, RELAY_PRESENCE, REBUILD, FOLD, MERGE];
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes.len(), 5);
    }
}
