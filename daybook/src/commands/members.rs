use access::Cause;
use chrono::SecondsFormat;
use clap::Subcommand;
use customers::{CustomersError, PasswordResets};
use event_store::{Appender, AppenderConfig, EventLog};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::output::print;
use crate::system::{Database, System, SystemArguments};
use crate::telemetry::{self, Verbosity};

/// A fold holds one connection and needs a second one.
const CONNECTIONS_MAX: u32 = 3;

/// The arguments of the command.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  daybook members reset-password ada@example.com\n  daybook members \
                        reset-password ada@example.com --public-url https://daybook.example.com --json")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// For machines: one JSON object
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    system: SystemArguments,
}

#[derive(Subcommand)]
enum Action {
    /// Print a link with which somebody who has forgotten the password chooses a new one
    ///
    /// It works once, within an hour; one that was made before works no more. The old password and the sessions stay as
    /// they are until the link is used. Ends with 1 if nobody logs in with the address.
    ResetPassword {
        /// The address with which the member logs in
        #[arg(value_name = "EMAIL")]
        email: String,
        /// What the link begins with, as `https://daybook.example.com`
        ///
        /// Without it `DAYBOOK_PUBLIC_URL`, and without that the address at which the system in the data folder listens.
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
    },
}

/// A link, as it is printed.
#[derive(Serialize)]
struct Printed {
    email: String,
    url: String,
    expires_at: String,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    let Arguments { action: Action::ResetPassword { email, public_url }, json, system } = arguments;
    System::during(&system, async |system: &System| {
        let url = public_url.as_deref().or(system.public_url());
        let printed = reset(system, &email, url.unwrap_or_default()).await?;
        if json {
            let text = serde_json::to_string_pretty(&printed);
            return print(text.map_err(|error| Failure::Failed(error.to_string()))?);
        }
        print(&printed.url)?;
        let Printed { email, expires_at, .. } = &printed;
        // Standard output has the link alone, so that a script can pass it on.
        eprintln!("With this link {email} chooses a new password, once, until {expires_at}.");
        if url.is_none() {
            eprintln!("Put the address of the public door before it, or give it with --public-url.");
        }
        Ok(())
    })
    .await
}

async fn reset(system: &System, email: &str, public_url: &str) -> Result<Printed, Failure> {
    let log = EventLog::open_existing(system.connect(Database::Customers, CONNECTIONS_MAX).await?).await?;
    let (mut tasks, ended) = (JoinSet::new(), CancellationToken::new());
    let config = AppenderConfig { appenders: 1, ..AppenderConfig::default() };
    let appender = Appender::start(&log, config, &mut tasks, &ended);
    let offered = PasswordResets::new(log, appender).offer(email, Cause::operator()).await;
    ended.cancel();
    tasks.join_all().await;
    let offered = offered.map_err(|error| match error {
        CustomersError::Unavailable(reason) => Failure::missing("the database of customers", reason),
        error => Failure::Failed(format!(
            "{error}. If the database is older than this program, run `daybook migrate`"
        )),
    })?;
    let offered = offered.ok_or_else(|| Failure::Failed(format!("nobody logs in with {email}")))?;
    Ok(Printed {
        url: offered.url(public_url),
        expires_at: offered.expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        email: offered.email,
    })
}
