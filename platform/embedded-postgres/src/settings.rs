//! How the server runs. The settings go on the command line at each start, so that a new version of this program
//! brings its settings to old clusters; `postgresql.conf` stays as `initdb` wrote it.

/// Settings that are the same for everyone. What is said nowhere is PostgreSQL's default.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    // A socket's path may have 107 bytes; data folders lie deeper.
    ("unix_socket_directories", ""),
    ("cluster_name", "daybook"),
    // What is acknowledged is durable.
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("max_connections", "200"),
    ("shared_buffers", "256MB"),
    // Rare checkpoints: each makes the next write of every page a full one.
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
    ("checkpoint_completion_target", "0.9"),
    // Nothing replicates from here.
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    // Compiling a plan costs more than our statements take.
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("password_encryption", "scram-sha-256"),
];

/// The superuser.
pub(crate) const ADMIN: &str = "postgres";

/// Arguments of `initdb` besides the folder and the password file. The locale is PostgreSQL's own C.UTF-8, so that
/// the order of text does not depend on the machine's C library.
pub(crate) const INITDB: &[&str] = &[
    "--username",
    ADMIN,
    "--auth",
    "scram-sha-256",
    "--encoding",
    "UTF8",
    "--locale",
    "C",
    "--locale-provider",
    "builtin",
    "--builtin-locale",
    "C.UTF-8",
    "--no-instructions",
];
