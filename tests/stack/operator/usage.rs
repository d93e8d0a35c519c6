//! Exit codes and help of every command.

use crate::support::{Program, command};

#[tokio::test]
async fn a_command_without_a_system_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [&["status", "--data-dir", "none"][..], &["replay"], &["rebuild"], &["migrate"]] {
        let mut command = command(dir.path());
        let finished = Program::start(command.args(arguments), dir.path(), "command").finished().await;
        assert_eq!(finished.code, Some(3), "{arguments:?}: {}", finished.err);
        assert!(finished.err.contains("daybook up"), "{arguments:?}: {}", finished.err);
    }
    for arguments in [&["up", "--listen", "somewhere"][..], &["serve", "everything"], &["nonsense"], &[]] {
        let mut command = command(dir.path());
        let finished = Program::start(command.args(arguments), dir.path(), "command").finished().await;
        assert_eq!(finished.code, Some(2), "{arguments:?}: {}", finished.err);
    }
    for arguments in [&["--help"][..], &["up", "--help"], &["replay", "--help"], &["serve", "--help"]] {
        let mut command = command(dir.path());
        let finished = Program::start(command.args(arguments), dir.path(), "command").finished().await;
        assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.err);
        assert!(finished.out.contains("Usage:"), "{arguments:?}: {}", finished.out);
    }
}
