//! The committed `.sqlx` folders: what PostgreSQL says about each statement in the code.
//!
//! A crate's statements are checked against one database, and there are three. So one build compiles the whole
//! workspace with this program as rustc's wrapper, which gives each crate its own database.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};
use std::{env, fs, io};

use crate::build::build_tool;
use crate::process::{self, Failure};
use crate::server::Server;
use crate::steps::Steps;
use crate::tools::{self, Tool};
use crate::workspace;

/// Crates with checked SQL: package, folder, and the folder of migrations that makes its database.
const CRATES: [(&str, &str, &str); 6] = [
    ("event-store", "platform/event-store", "activities"),
    ("event-bus", "platform/event-bus", "activities"),
    ("command-service", "command-service", "activities"),
    ("daybook", "daybook", "activities"),
    ("customers", "customers", "customers"),
    ("projection-service", "projection-service", "reports"),
];

/// Scratch databases are called `{PREFIX}_{folder of migrations}`.
const PREFIX: &str = "xtask";
const MIGRATE_LIMIT: Duration = Duration::from_mins(2);
const COMPILE_LIMIT: Duration = Duration::from_mins(20);

/// Set for the wrapper: the server's URL, and where to write.
const WRAPPER_URL: &str = "XTASK_SQLX_SERVER_URL";
const WRAPPER_DIR: &str = "XTASK_SQLX_DIR";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Compare with what is committed instead of writing it
    #[arg(long)]
    check: bool,
    /// A superuser's URL of a server to use; otherwise one is started
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut steps = Steps::default();
    let mut server = None;
    let is_ready = steps.step("tools", || {
        tools::ensure(&[Tool::CCompiler])?;
        build_tool("apply_migrations")?;
        build_tool("serve")
    }) && (arguments.database_url.is_some()
        || steps.step("PostgreSQL", || {
            server = Some(Server::of_platform()?);
            Ok(())
        }));
    if is_ready {
        let url = arguments.database_url.as_deref().or(server.as_ref().map(Server::url)).unwrap_or_default();
        steps.step("statements", || if arguments.check { check(url) } else { write(url) });
    }
    drop(server);
    steps.finish()
}

fn write(url: &str) -> Result<(), Failure> {
    let made = describe(url)?;
    for (_, folder, _) in CRATES {
        let committed = committed(folder);
        if let Err(error) = fs::remove_dir_all(&committed)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(Failure::Failed(format!("cannot remove {}: {error}", committed.display())));
        }
        let files = read(&made.join(folder))?;
        eprintln!("{folder}: {} statements", files.len());
        if files.is_empty() {
            continue;
        }
        fs::create_dir(&committed).map_err(Failure::io(format!("cannot make {}", committed.display())))?;
        for (name, bytes) in files {
            let path = committed.join(name);
            fs::write(&path, bytes).map_err(Failure::io(format!("cannot write {}", path.display())))?;
        }
    }
    Ok(())
}

/// Whether every statement in the code agrees with the migrations, and the committed folders are up to date. The
/// tool `apply_migrations` must be built.
pub(crate) fn check(url: &str) -> Result<(), Failure> {
    let made = describe(url)?;
    let mut stale = Vec::new();
    for (_, folder, _) in CRATES {
        if read(&made.join(folder))? != read(&committed(folder))? {
            stale.push(format!("{folder}/.sqlx"));
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        let stale = stale.join(", ");
        Err(Failure::Failed(format!("{stale} out of date: run `cargo xtask sqlx`")))
    }
}

/// Compiles every crate against its database and returns the folder with what PostgreSQL said.
fn describe(url: &str) -> Result<PathBuf, Failure> {
    let tool = workspace::target().join("debug/examples/apply_migrations");
    let migrations = workspace::root().join("migrations");
    process::run(Command::new(tool).arg(url).arg(migrations).arg(PREFIX), MIGRATE_LIMIT)?;

    let made = workspace::scratch()?.join("sqlx");
    let _ = fs::remove_dir_all(&made);
    for (_, folder, _) in CRATES {
        let dir = made.join(folder);
        fs::create_dir_all(&dir).map_err(Failure::io(format!("cannot make {}", dir.display())))?;
        touch(&workspace::root().join(folder))?;
    }
    // Not `current_exe`: building the workspace may have put a new one in the place of the program that runs.
    let wrapper = workspace::target().join("debug/xtask");
    let mut command = workspace::cargo();
    command.args(["check", "--workspace", "--all-targets"]);
    command.env("RUSTC_WORKSPACE_WRAPPER", wrapper).env(WRAPPER_URL, url).env(WRAPPER_DIR, &made);
    process::run(&mut command, COMPILE_LIMIT)?;
    Ok(made)
}

/// Cargo does not know that a statement is checked again when the migrations have changed; it knows of source files.
fn touch(krate: &Path) -> Result<(), Failure> {
    for root in ["src/lib.rs", "src/main.rs"] {
        let path = krate.join(root);
        if path.exists() {
            fs::File::options()
                .append(true)
                .open(&path)
                .and_then(|file| file.set_modified(SystemTime::now()))
                .map_err(Failure::io(format!("cannot touch {}", path.display())))?;
        }
    }
    Ok(())
}

fn committed(folder: &str) -> PathBuf {
    workspace::root().join(folder).join(".sqlx")
}

/// The files of a folder by name; none if there is no such folder.
fn read(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let failed = || Failure::io(format!("cannot read {}", dir.display()));
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(failed())?,
    };
    entries
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?))
        })
        .collect::<io::Result<_>>()
        .map_err(failed())
}

/// Called by cargo in place of rustc, hands over to rustc with the database of the crate that is compiled.
/// `None` if that is not how we were called.
pub(crate) fn compile_as_wrapper() -> Option<ExitCode> {
    let (url, made) = (env::var(WRAPPER_URL).ok()?, PathBuf::from(env::var_os(WRAPPER_DIR)?));
    let mut arguments = env::args_os().skip(1);
    let mut rustc = Command::new(arguments.next()?);
    rustc.args(arguments);
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
    if let Some((_, folder, database)) = CRATES.into_iter().find(|(name, _, _)| *name == package) {
        rustc.env("SQLX_OFFLINE", "false").env("SQLX_OFFLINE_DIR", made.join(folder));
        rustc.env("DATABASE_URL", with_database(&url, &format!("{PREFIX}_{database}")));
    }
    eprintln!("cannot start rustc: {}", rustc.exec());
    Some(ExitCode::FAILURE)
}

/// `url` with another path.
fn with_database(url: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (path, query) =
        rest.split_once('?').map_or((rest, String::new()), |(path, query)| (path, format!("?{query}")));
    let host = path.split('/').next().unwrap_or(path);
    format!("{scheme}://{host}/{database}{query}")
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn only_the_path_of_a_url_is_replaced() {
        assert_eq!(with_database("postgres://u:p@h:1/old?a=b", "new"), "postgres://u:p@h:1/new?a=b");
        assert_eq!(with_database("postgres://u@h", "new"), "postgres://u@h/new");
    }
}
