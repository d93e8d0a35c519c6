use clap::Subcommand;
use command_service::ActivitiesError;
use domain::CustomerId;
use domain::dead_letter::DeadLetter as Aggregate;
use event_store::{EventLog, LogError};
use projection_service::{
    DeadLetter, DeadLetterError, DeadLetterId, DeadLetterQuery, Resolved, dead_letter, dead_letters,
};
use serde::Serialize;
use sqlx::PgPool;

use crate::failure::Failure;
use crate::output::{print, printable};
use crate::system::{Database, System, SystemArguments};
use crate::table::{lines, table};
use crate::telemetry::{self, Verbosity};

const CONNECTIONS_MAX: u32 = 2;

/// The arguments of the command.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  daybook dead-letters list\n  daybook dead-letters retry activities-3-1042\n  daybook \
                  dead-letters discard activities-3-1042 --reason 'sent by a test'"
)]
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
    /// List them by partition and position, each with its reason and how many events wait behind it
    List {
        /// Only those of this customer
        #[arg(long, value_name = "ID")]
        customer: Option<CustomerId>,
        /// Only those of this projection
        #[arg(long, value_name = "NAME")]
        projection: Option<String>,
        /// Only those after this one
        #[arg(long, value_name = "ID")]
        after: Option<DeadLetterId>,
        /// How many at most
        #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(i64).range(1..=1_000))]
        limit: i64,
    },
    /// Fold one, and those that wait behind it; ends with 1 if it still cannot be folded
    Retry {
        /// As the list names it
        #[arg(value_name = "ID")]
        id: DeadLetterId,
    },
    /// Go on without one, for good, and fold those that wait behind it
    Discard {
        /// As the list names it
        #[arg(value_name = "ID")]
        id: DeadLetterId,
        /// Why: the history keeps it
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: String,
    },
}

fn reason(text: &str) -> Result<String, String> {
    Aggregate::check_reason(text).map(str::to_owned).map_err(|error| error.to_string())
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    let Arguments { action, json, system } = arguments;
    System::during(&system, async |system: &System| {
        let reports = system.connect(Database::Reports, CONNECTIONS_MAX).await?;
        let log =
            EventLog::open_existing(system.connect(Database::Activities, CONNECTIONS_MAX).await?).await?;
        match action {
            Action::List { customer, projection, after, limit } => {
                let query = DeadLetterQuery { customer, projection, after, limit };
                let found = dead_letters(&reports, &query).await.map_err(database)?;
                if json { print_json(&Items { items: found }) } else { print_list(&found, limit) }
            }
            Action::Retry { id } => {
                let resolved = projection_service::retry(&reports, &log, &id, None).await?;
                print_resolved(&resolved, "was folded after all", json)
            }
            Action::Discard { id, reason } => {
                let resolved = discard(&log, &reports, &id, reason).await?;
                print_resolved(&resolved, "was discarded", json)
            }
        }
    })
    .await
}

/// First into the log, then out of the read model: what is left half done, the next fold ends.
async fn discard(
    log: &EventLog,
    reports: &PgPool,
    id: &DeadLetterId,
    reason: String,
) -> Result<Resolved, Failure> {
    let dead_letter = dead_letter(reports, id, None).await?;
    let customer = dead_letter.customer_id;
    let recorded = command_service::discard_for_operator(log, customer, dead_letter.discarded(reason)).await;
    recorded.map_err(|error| match error {
        ActivitiesError::Unavailable(reason) => Failure::missing("the log of activities", reason),
        error => Failure::Failed(error.to_string()),
    })?;
    Ok(projection_service::discard(reports, log, id).await?)
}

#[derive(Serialize)]
struct Items {
    items: Vec<DeadLetter>,
}

fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Failed(error.to_string()))?;
    print(text)
}

fn print_list(found: &[DeadLetter], limit: i64) -> Result<(), Failure> {
    let Some(last) = found.last() else { return print("There are no dead letters.") };
    let mut listed = table(["DEAD LETTER", "WAITING", "ATTEMPTS", "EVENT", "REASON"], &[1, 2]);
    for dead_letter in found {
        let (id, event) = (dead_letter.id.to_string(), dead_letter.event_type.clone());
        let (waiting, attempts) = (dead_letter.waiting.to_string(), dead_letter.attempts.to_string());
        // A reason may repeat what a client wrote; it stays in its row.
        listed.add_row([id, waiting, attempts, event, printable(&dead_letter.reason)]);
    }
    print(lines(&listed))?;
    if found.len() as i64 == limit {
        print(format_args!("There may be more: --after {}", last.id))?;
    }
    Ok(())
}

fn print_resolved(resolved: &Resolved, what: &str, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(resolved);
    }
    print(format_args!("{} {what}; this folded {} events of its stream.", resolved.id, resolved.folded))?;
    match &resolved.stopped_at {
        Some(stopped) => {
            print(format_args!("The rest waits behind {}: {}", stopped.id, printable(&stopped.reason)))
        }
        None => Ok(()),
    }
}

fn database(error: sqlx::Error) -> Failure {
    LogError::from(error).into()
}

impl From<DeadLetterError> for Failure {
    fn from(error: DeadLetterError) -> Self {
        match error {
            DeadLetterError::Database(error) => database(error),
            error => Self::Failed(error.to_string()),
        }
    }
}
