use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode};
use std::time::Duration;

use local_broker::{Broker, Options};

use crate::process::{self, Failure};
use crate::pulsar;
use crate::server::Server;
use crate::steps::Steps;
use crate::tools::{self, Tool};
use crate::{build, frontend, keys, openapi, python, sqlx, workspace};

const TEST_LIMIT: Duration = Duration::from_mins(30);
const LIST_LIMIT: Duration = Duration::from_mins(10);
/// What `tests/stack` has besides the parts.
const NO_PARTS: [&str; 3] = ["main", "support", "snapshots"];
/// The exit code that clap has for wrong usage.
const WRONG_USAGE: u8 = 2;

/// Of modules whose tests need a broker and quiet.
const ON_PULSAR: &str = "pulsar::";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only the end-to-end tests of these parts: activities, gateway, frontend, customers, reports, …
    parts: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    if arguments.parts.is_empty() {
        return everything();
    }
    let known = parts();
    if let Some(unknown) = arguments.parts.iter().find(|part| !known.contains(*part)) {
        let known: Vec<_> = known.into_iter().collect();
        eprintln!("there is no part {unknown}; there are {}", known.join(", "));
        return ExitCode::from(WRONG_USAGE);
    }
    only(&arguments.parts)
}

/// Every check, the quick ones first.
fn everything() -> ExitCode {
    let mut steps = Steps::default();
    let tools = [
        Tool::CCompiler,
        Tool::Node,
        Tool::Protoc,
        Tool::Chromium,
        Tool::Java,
        Tool::Maven,
        Tool::Python,
        Tool::Faketime,
        Tool::OldestPostgres,
        Tool::Nginx,
    ];
    steps.step("tools", || tools::ensure(&tools));
    steps.step("format", build::check_format);
    let packages = steps.step("frontend: packages", frontend::install);
    // The binary embeds it; without it, nothing that contains the gateway compiles.
    let embedded = steps.step_after(packages, "frontend: packages", "frontend: build", frontend::build);
    steps.step_after(packages, "frontend: packages", "frontend: check", frontend::check);
    steps.step_after(embedded, "frontend: build", "lints", build::check_lints);
    let built = steps.step_after(embedded, "frontend: build", "build", build::build_everything);
    steps.step_after(built, "build", "openapi: document", openapi::check);
    steps.step_after(built, "build", "keys of the configuration", keys::check);
    steps.step_after(packages, "frontend: packages", "openapi: client", frontend::check_client);
    let server = start_server(&mut steps, built);
    let url = server.as_ref().map(Server::url);
    steps.step_after(url.is_some(), "PostgreSQL", "sql: statements", || sqlx::check(url.unwrap_or_default()));
    let broker = start_broker(&mut steps, url.is_some());
    let interpreter = steps.step("Python", python::ensure);
    let clients = steps.step("clients of the tests", frontend::install_test_clients);
    let ready = broker.is_some() && interpreter && clients;
    for (name, filter) in [
        ("tests", ["--skip", ON_PULSAR]),
        // They hold limits of seconds while whole fleets of processes die, so nothing else may run beside them.
        ("tests on Pulsar", [ON_PULSAR, "--test-threads=1"]),
    ] {
        steps.step_after(ready, "PostgreSQL, Pulsar, Python and clients", name, || {
            let mut command = workspace::cargo();
            command.args(["test", "--workspace", "--no-fail-fast", "--"]).args(filter);
            process::run(with_surroundings(&mut command, url, broker.as_ref())?, TEST_LIMIT)
        });
    }
    drop((server, broker));
    steps.finish()
}

/// The tests of the whole stack, for some parts.
fn only(parts: &[String]) -> ExitCode {
    let mut steps = Steps::default();
    let in_browser = parts.iter().any(|part| part == "frontend" || part == "clients");
    let mut tools = vec![
        Tool::CCompiler,
        Tool::Node,
        Tool::Protoc,
        Tool::Java,
        Tool::Maven,
        Tool::Python,
        Tool::Faketime,
        Tool::Nginx,
    ];
    if in_browser {
        tools.push(Tool::Chromium);
    }
    steps.step("tools", || tools::ensure(&tools));
    let packages = steps.step("frontend: packages", frontend::install);
    let embedded = steps.step_after(packages, "frontend: packages", "frontend: build", frontend::build);
    if in_browser {
        steps.step_after(packages, "frontend: packages", "frontend: check", frontend::check);
    }
    let built = steps.step_after(embedded, "frontend: build", "build", build::build_stack);
    let server = start_server(&mut steps, built);
    let url = server.as_ref().map(Server::url);
    let broker = start_broker(&mut steps, url.is_some());
    let interpreter = steps.step("Python", python::ensure);
    let clients = steps.step("clients of the tests", frontend::install_test_clients);
    let ready = broker.is_some() && interpreter && clients;
    steps.step_after(ready, "PostgreSQL, Pulsar, Python and clients", "tests", || {
        let filters: Vec<_> = parts.iter().map(|part| format!("{part}::")).collect();
        for filter in &filters {
            there_are_tests(filter)?;
        }
        process::run(with_surroundings(stack_tests().args(filters), url, broker.as_ref())?, TEST_LIMIT)
    });
    drop((server, broker));
    steps.finish()
}

fn start_server(steps: &mut Steps, built: bool) -> Option<Server> {
    let mut server = None;
    steps.step_after(built, "build", "PostgreSQL", || {
        server = Some(Server::of_daybook()?);
        Ok(())
    });
    server
}

fn start_broker(steps: &mut Steps, needed: bool) -> Option<Broker> {
    let mut broker = None;
    steps.step_after(needed, "PostgreSQL", "Pulsar", || {
        broker = Some(pulsar::start(Options::default())?);
        Ok(())
    });
    broker
}

/// What tests find in their environment.
fn with_surroundings<'a>(
    command: &'a mut Command,
    url: Option<&str>,
    broker: Option<&Broker>,
) -> Result<&'a mut Command, Failure> {
    command.env("DAYBOOK_TEST_PYTHON", python::interpreter()?);
    if let Some(broker) = broker {
        command.env("DAYBOOK_TEST_PULSAR_URL", broker.url());
        command.env("DAYBOOK_TEST_PULSAR_WEB_URL", broker.web_url());
    }
    command.env("DAYBOOK_TEST_DATABASE_URL", url.unwrap_or_default());
    command.env("DAYBOOK_BINARY", workspace::daybook("debug"));
    if let Some(library) = tools::faketime() {
        command.env("DAYBOOK_TEST_FAKETIME", library);
    }
    if let Some(nginx) = tools::nginx() {
        command.env("DAYBOOK_TEST_NGINX", nginx);
    }
    if let Some(browser) = tools::chromium() {
        command.env("CHROMIUM_PATH", browser);
    }
    Ok(command)
}

fn stack_tests() -> Command {
    let mut command = workspace::cargo();
    command.args(["test", "--workspace", "--test", "stack", "--"]);
    command
}

/// A filter that matches nothing would pass.
fn there_are_tests(filter: &str) -> Result<(), Failure> {
    let listed = process::output(stack_tests().args(["--list", filter]), LIST_LIMIT)?;
    if String::from_utf8_lossy(&listed).lines().any(|line| line.ends_with(": test")) {
        Ok(())
    } else {
        Err(Failure::CouldNotRun(format!("there is no test called {filter}…")))
    }
}

/// The parts that have tests: the modules of `tests/stack`.
fn parts() -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(workspace::root().join("tests/stack")) else { return BTreeSet::new() };
    entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .filter(|name| !NO_PARTS.contains(&name.as_str()))
        .collect()
}
