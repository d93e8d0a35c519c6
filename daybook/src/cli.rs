use clap::{Parser, Subcommand};

use crate::bench;
use crate::commands::{
    dead_letters, import, keys, members, migrate, openapi, postgres, rebuild, relay, replay, serve, status,
    up,
};
use crate::failure::Failure;

const CODES: &str = "Exit codes: 0 done, 1 a check failed, 2 wrong usage, 3 something that is needed is missing or \
unreachable (it is named).\nEnvironment: DAYBOOK_LOG or RUST_LOG filters the log on standard error (as debug or \
info,sqlx=warn), DAYBOOK_LOG_FORMAT=json makes it readable for machines.";

/// Daybook writes down everything your users do in the order it happens; reports are a fold of that log.
#[derive(Parser)]
#[command(name = "daybook", version, after_help = CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system in one process, on a database of its own
    ///
    /// Everything lies in the data folder, and a second start finds it again. The first start signs up a first customer;
    /// its login and a token are kept in DIR/login.json and printed at every start. Ctrl-C stops everything.
    Up(up::Arguments),
    /// Run one service, as in production
    ///
    /// It is configured by its environment, over .env in the service's folder, over .env in the working directory. Every key
    /// stands in the service's .env.example, whose copy works unchanged beside `daybook postgres`.
    Serve(serve::Arguments),
    /// Bring every database up to date
    ///
    /// Those of the services whose environment names them, or those of the data folder. Nothing happens to a database that
    /// is up to date, and one that a newer version has changed is left alone.
    Migrate(migrate::Arguments),
    /// Show how far the logs, the relay and the projections have come
    ///
    /// For every partition the head of the log, how far the relay has published it, and the checkpoint and lag of each
    /// projection; jobs that wait; dead letters. Everything is accounted for: appended = folded + dead-lettered +
    /// discarded + lag.
    Status(status::Arguments),
    /// Stream the history to standard output
    ///
    /// Within a partition or a customer in position order; the whole log in order of recorded time, then partition and
    /// position. Memory does not grow with the history. Progress goes to standard error, if that is a terminal.
    Replay(replay::Arguments),
    /// Record the activities of files, whatever wrote them
    ///
    /// Lines of JSON, tables with a line of names, Daybook's own exports, and those of `PostHog` and Segment, also
    /// compressed. Broken off anywhere, the same command goes on where everything is known to be recorded, and nothing is
    /// recorded twice. Ends with 1 if records were refused; they are in FILE.rejects.ndjson, with their reasons.
    Import(import::Arguments),
    /// Build the read models again from the first event, and swap them in
    ///
    /// A new generation is folded beside the live one, catches up with the log, and takes its place in one transaction.
    /// Queries go on all the while.
    Rebuild(rebuild::Arguments),
    /// Let the relay go on with a log that was set back
    Relay(relay::Arguments),
    /// List, retry or discard the events that a projection could not fold
    ///
    /// Such an event is set aside with its reason, and later events of its stream wait behind it; everything else goes on.
    /// A retry folds them in order. A discard goes on without the event, for good: it asks for a reason, and is recorded.
    DeadLetters(dead_letters::Arguments),
    /// Help the people who work with it
    Members(members::Arguments),
    /// Measure, beside the limit of what is measured
    Bench(bench::Arguments),
    /// Run the embedded PostgreSQL alone, for development
    ///
    /// It has the databases of all services and the role daybook with the password daybook, as every .env.example expects,
    /// and listens on 127.0.0.1 only. Not for production: everyone on this machine can connect.
    Postgres(postgres::Arguments),
    /// Print the OpenAPI document
    Openapi,
    /// Print the keys of the configuration, as `cargo xtask keys` writes them
    #[command(hide = true)]
    Keys(keys::Arguments),
}

impl Cli {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Up(arguments) => Box::pin(up::run(arguments)).await,
            Command::Serve(arguments) => Box::pin(serve::run(arguments)).await,
            Command::Migrate(arguments) => migrate::run(arguments).await,
            Command::Status(arguments) => status::run(arguments).await,
            Command::Replay(arguments) => replay::run(arguments).await,
            Command::Import(arguments) => Box::pin(import::run(arguments)).await,
            Command::Rebuild(arguments) => rebuild::run(arguments).await,
            Command::Relay(arguments) => relay::run(arguments).await,
            Command::DeadLetters(arguments) => dead_letters::run(arguments).await,
            Command::Members(arguments) => members::run(arguments).await,
            Command::Bench(arguments) => bench::run(arguments).await,
            Command::Postgres(arguments) => postgres::run(arguments).await,
            Command::Openapi => openapi::run(),
            Command::Keys(arguments) => keys::run(&arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_every_option_says_what_it_is_for() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_wrong_usage() {
        for line in [
            "daybook",
            "daybook serve everything",
            "daybook up --listen somewhere",
            "daybook up --tls-cert cert.pem",
            "daybook replay --customer 7",
            "daybook replay --since yesterday",
            "daybook replay --format xml",
            "daybook rebuild --parallel 0",
            "daybook rebuild --max-load 0",
            "daybook rebuild --verify --rollback",
            "daybook bench",
            "daybook relay",
            "daybook relay reset --from -1",
            "daybook dead-letters",
            "daybook dead-letters retry 7",
            "daybook dead-letters discard activities-3-7",
            "daybook dead-letters list --limit 0",
            "daybook bench ingest --seconds 0",
            "daybook import",
            "daybook import --map type a.csv",
            "daybook import --format xml a.xml",
            "daybook import --retry-for 0 a.csv",
            "daybook members",
            "daybook members reset-password",
        ] {
            assert_eq!(parse(line).err().unwrap().exit_code(), 2, "{line}");
        }
        for line in [
            "daybook up --demo --listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0 --data-dir d",
            "daybook up --listen 8080 --metrics-listen localhost:9100",
            "daybook up --listen :443 --tls-cert cert.pem --tls-key key.pem",
            "daybook replay --log customers --from 3 --to 9 --format csv",
            "daybook relay reset --log customers --partition 0 --from 0",
            "daybook bench ingest --json --check --seconds 3",
            "daybook dead-letters discard activities-3-7 --reason test --json",
            "daybook members reset-password ada@example.com --json --public-url https://daybook.example.com",
            "daybook rebuild --verify --parallel 2 --max-load 1.5",
            "daybook import --format csv --map type=event,properties.* --url https://d.example --token dbk_1 - b.csv",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }
}
