//! The dashboard in a real browser.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Program, shared, within};

const LIMIT: Duration = Duration::from_mins(8);

#[tokio::test]
async fn a_newcomer_signs_up_makes_a_token_and_sees_his_activity_counted() {
    let browser = std::env::var("CHROMIUM_PATH")
        .expect("CHROMIUM_PATH must name a Chromium; `cargo xtask test` finds it");
    let frontend = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend");
    assert!(
        frontend.join("node_modules").exists(),
        "run `npm ci` in frontend first; `cargo xtask test` does"
    );
    let mut command = Command::new("node");
    command.arg("e2e/run.js").current_dir(&frontend);
    command.env("DAYBOOK_URL", &shared().url).env("CHROMIUM_PATH", browser);
    command.stdin(Stdio::null());
    let dir = tempfile::tempdir().unwrap();
    let mut program = Program::start(&mut command, dir.path(), "browser");
    let status = within(LIMIT, "the browser has seen everything", || {
        let ended = program.ended();
        async move { ended }
    })
    .await;
    assert!(status.success(), "{status}\n{}\n{}", program.out(), program.err());
}
