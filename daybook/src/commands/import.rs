use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indicatif::HumanCount;
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::folder::{self, Addresses, DataFolder};
use crate::import::{
    Door, Entry, Format, Input, Layout, Mapping, Outcome, Reading, Rejects, Resume, Source, Transfer,
    rejects_path,
};
use crate::output::print;
use crate::progress;
use crate::signals::{stop_signal, unless_stopped};
use crate::telemetry::{self, Verbosity};
use crate::up::Account;

/// Records that are handed over together.
const TOGETHER: usize = 500;
/// How often they are, at most, without being sent.
const HANDED_MAX: usize = 4;

const EXAMPLES: &str = "Examples:\n  daybook import events.ndjson.gz\n  \
daybook import --map type=event,actor=user_id,occurred_at=time orders.csv\n  \
curl … | daybook import --source shop - --url https://daybook.example.com --token dbk_…";

/// The arguments of the command.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Files, also compressed with gzip or zstd; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What the files have
    #[arg(long, value_enum, default_value = "auto")]
    format: Format,
    /// Which column of a table gives which field, as `type=event,actor=user_id,occurred_at=time,properties.plan=Plan`
    ///
    /// Fields are id, type, actor, `occurred_at`, value, properties and context (JSON objects), properties.NAME and
    /// context.NAME. A column that has the name of a field gives it without being named. All others become properties.
    #[arg(long, value_name = "FIELD=COLUMN,…")]
    map: Option<Mapping>,
    /// Where Daybook is; the system that runs in the data folder if not given
    #[arg(long, value_name = "URL", env = "DAYBOOK_URL", requires = "token")]
    url: Option<String>,
    /// A token with the scope ingest; that of the data folder if not given
    #[arg(long, env = "DAYBOOK_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The data folder of a running `daybook up`
    #[arg(long, value_name = "DIR", default_value = folder::DEFAULT)]
    data_dir: PathBuf,
    /// Where refused records go, with their lines and reasons; FILE.rejects.ndjson if not given
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// What the ids of records without one are made of, with their lines; the name of the file if not given
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// How long it is tried without any progress, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    retry_for: NonZeroU64,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::start(Verbosity::Command)?;
    if arguments.files.len() > 1 && (arguments.rejects.is_some() || arguments.source.is_some()) {
        return Err(Failure::Usage("--rejects and --source are for one file".to_owned()));
    }
    let door = door(&arguments)?;
    let mut refused = 0;
    for file in &arguments.files {
        let stop = stop_signal()?;
        let outcome = unless_stopped(import(&arguments, &door, file), &stop).await;
        refused += outcome.map_err(|failure| failure.of(file.display()))?;
    }
    if refused == 0 {
        Ok(())
    } else {
        Err(Failure::Failed(format!("{} records were refused", HumanCount(refused))))
    }
}

fn door(arguments: &Arguments) -> Result<Door, Failure> {
    let folder = DataFolder::at(&arguments.data_dir);
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => Addresses::of_running(&folder)?.and_then(|addresses| addresses.url).ok_or_else(|| {
            Failure::missing(
                folder.shown(),
                "nothing runs there. Start `daybook up`, name its folder with --data-dir, or its address with --url and \
                 --token",
            )
        })?,
    };
    let token = match &arguments.token {
        Some(token) => token.clone(),
        None => Account::any_token(&folder)?.ok_or_else(|| {
            Failure::Usage(format!("{} has no token; give one with --token", folder.shown()))
        })?,
    };
    Door::new(&url, token)
}

/// Imports a file, and returns how many of its records are refused.
async fn import(arguments: &Arguments, door: &Door, file: &Path) -> Result<u64, Failure> {
    let opening = file.to_owned();
    let input = tokio::task::spawn_blocking(move || Input::open(&opening)).await;
    let input = input.map_err(|error| Failure::Failed(error.to_string()))??;
    let layout = Layout::of(arguments.format, &input.head).map_err(Failure::Usage)?;
    let mapping = arguments.map.clone().unwrap_or_default();
    let name = || file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let source = arguments.source.clone().unwrap_or_else(name);

    let key = format!("{} {:?} {} {source}", input.fingerprint, layout, mapping.text());
    let resume = Resume::of(file, key);
    let kept = resume.read();
    let outcome = kept.as_ref().map_or_else(Outcome::default, |kept| Outcome {
        line: kept.line,
        totals: kept.totals,
        resumed: kept.totals.records(),
    });
    let path = arguments.rejects.clone().unwrap_or_else(|| rejects_path(file));
    let rejects = Rejects::new(path, kept.map_or(0, |kept| kept.rejects_bytes));
    let rejects = rejects.map_err(Failure::io("cannot write the file of rejects"))?;

    let bar = progress::bytes(source.clone(), input.size);
    let (shown, read) = (bar.clone(), std::sync::Arc::clone(&input.read));
    let began = Instant::now();
    let show = move |outcome: &Outcome| {
        shown.set_position(read.load(Ordering::Relaxed));
        shown.set_message(message(outcome, began));
    };
    let reading = Reading { layout, mapping, source, after: outcome.line };
    let patience = Duration::from_secs(arguments.retry_for.get());
    let transfer = Transfer { door, patience, rejects, resume, outcome, show };
    let outcome = transfer.run(start(reading, input)).await;
    bar.finish_and_clear();
    let (outcome, rejects) = outcome?;
    report(file, &outcome, &rejects, began.elapsed())?;
    Ok(outcome.totals.rejected)
}

/// Reads the file on a thread of its own.
fn start(reading: Reading, input: Input) -> Source {
    let (to, entries) = mpsc::channel(HANDED_MAX);
    let reading = tokio::task::spawn_blocking(move || {
        let mut together = Vec::with_capacity(TOGETHER);
        let hand_over = |together: &mut Vec<Entry>| match to.blocking_send(std::mem::take(together)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        reading.read(input.text, |entry| {
            together.push(entry);
            if together.len() >= TOGETHER { hand_over(&mut together) } else { ControlFlow::Continue(()) }
        })?;
        let _ = hand_over(&mut together);
        Ok(())
    });
    Source::new(entries, reading)
}

fn message(outcome: &Outcome, began: Instant) -> String {
    let Outcome { totals, resumed, .. } = outcome;
    let rate = (totals.records() - resumed) as f64 / began.elapsed().as_secs_f64().max(f64::EPSILON);
    format!(
        "{} records, {}/s, {} refused",
        HumanCount(totals.records()),
        HumanCount(rate as u64),
        HumanCount(totals.rejected)
    )
}

fn report(file: &Path, outcome: &Outcome, rejects: &Rejects, took: Duration) -> Result<(), Failure> {
    let Outcome { totals, resumed, .. } = outcome;
    let here = totals.records() - resumed;
    let rate = here as f64 / took.as_secs_f64().max(f64::EPSILON);
    let count = |number: u64| HumanCount(number).to_string();
    let done = format!(
        "{}: {} records in {:.1} s ({}/s): {} recorded, {} had been recorded before, {} refused",
        file.display(),
        count(here),
        took.as_secs_f64(),
        count(rate as u64),
        count(totals.accepted),
        count(totals.duplicates),
        count(totals.rejected),
    );
    let before = if *resumed > 0 {
        format!("; {} of them by an import before", count(*resumed))
    } else {
        String::new()
    };
    let why =
        if totals.rejected > 0 { format!("; {} says why", rejects.path().display()) } else { String::new() };
    print(format_args!("{done}{before}{why}"))
}
