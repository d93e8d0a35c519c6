use std::path::Path;

use super::{Program, command, eventually};

pub(crate) const INTERNAL_KEY: &str = "only-for-the-tests-0123456789abcdef";

/// A service in a process of its own.
pub(crate) struct Service {
    pub(crate) program: Program,
    pub(crate) url: String,
    pub(crate) metrics_url: String,
}

impl Service {
    pub(crate) async fn start(name: &str, listen: &str, environment: &[(&str, &str)], dir: &Path) -> Self {
        Self::start_as(name, name, listen, environment, dir).await
    }

    /// One of several of its kind; what it says goes to files that begin with `label`.
    pub(crate) async fn start_as(
        label: &str,
        name: &str,
        listen: &str,
        environment: &[(&str, &str)],
        dir: &Path,
    ) -> Self {
        let mut command = command(dir);
        command.args(["serve", name]).env("DAYBOOK_INTERNAL_KEY", INTERNAL_KEY);
        for key in ["ACTIVITIES", "CUSTOMERS", "REPORTS", "GATEWAY"] {
            command.env(format!("DAYBOOK_{key}_LISTEN"), listen);
            command.env(format!("DAYBOOK_{key}_METRICS_LISTEN"), "127.0.0.1:0");
        }
        command.envs(environment.iter().copied());
        let mut program = Program::start(&mut command, dir, label);
        let (url, metrics_url) = eventually("a service says where it is", || {
            assert!(program.ended().is_none(), "{label} ended: {}", program.err());
            let out = program.out();
            async move {
                let line = |start: &str| {
                    let mut lines = out.lines();
                    lines.find_map(|line| line.strip_prefix(start)).map(|rest| rest.trim().to_owned())
                };
                Some((line("URL ")?, line("Metrics ")?))
            }
        })
        .await;
        Self { program, url, metrics_url }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }
}
