use std::net::TcpListener;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tokio::net::TcpStream;

use super::{Program, Stack, eventually};

/// A server that says on its standard output what mail it takes.
pub(crate) struct MailServer {
    pub(crate) program: Program,
    port: u16,
    _dir: TempDir,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let key = "DAYBOOK_TEST_PYTHON";
        let python = std::env::var_os(key);
        let python = python
            .unwrap_or_else(|| panic!("{key} is not set; `cargo xtask test` makes a Python with aiosmtpd"));
        let dir = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(python);
        command.args(["-u", "-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")]);
        command.args(["-c", "aiosmtpd.handlers.Debugging", "stdout"]).stdin(Stdio::null());
        let mut program = Program::start(&mut command, dir.path(), "mail");
        eventually("the mail server listens", || {
            assert!(program.ended().is_none(), "it ended: {}", program.err());
            async move { TcpStream::connect(("127.0.0.1", port)).await.ok() }
        })
        .await;
        Self { program, port, _dir: dir }
    }

    /// A system that sends its mail here.
    pub(crate) fn stack(&self) -> Stack {
        let relay = format!("smtp://127.0.0.1:{}", self.port);
        let from = ("DAYBOOK_MAIL_FROM", "Daybook <daybook@example.com>");
        Stack::start_with(&[], &[("DAYBOOK_SMTP_URL", relay.as_str()), from])
    }
}
