//! The two logs have the same tables: those of the write side and of customers.

#[test]
fn the_migrations_of_both_logs_are_the_same() {
    let log = include_str!("../../../../migrations/activities/0001_log.sql");
    assert_eq!(log, include_str!("../../../../migrations/customers/0001_log.sql"));
    let identity = include_str!("../../../../migrations/activities/0002_identity.sql");
    assert_eq!(identity, include_str!("../../../../migrations/customers/0004_identity.sql"));
}
