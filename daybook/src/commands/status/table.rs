use std::fmt;

use chrono::{DateTime, Utc};

use super::report::{LogReport, Report};
use crate::output::printable;
use crate::table::{grouped, lines, table};

/// A report for people.
pub(super) struct Table<'a>(pub(super) &'a Report);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        writeln!(f, "System  {}\n", report.system)?;
        logs(f, report)?;
        projections(f, report)?;
        partitions(f, report)?;
        jobs(f, report)?;
        if report.healthy {
            return writeln!(f, "Everything is accounted for.");
        }
        report.problems.iter().try_for_each(|problem| writeln!(f, "! {problem}"))
    }
}

fn logs(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    if report.logs.is_empty() {
        return Ok(());
    }
    let mut logs = table(["LOG", "EVENTS", "PUBLISHED", "WAITING", "LAST EVENT"], &[1, 2, 3]);
    for log in &report.logs {
        let last = log.partitions.iter().filter_map(|one| one.recorded_at).max();
        let [events, published, waiting] = [log.events, log.published, log.unpublished].map(grouped);
        logs.add_row([log.name.to_owned(), events, published, waiting, shown(last)]);
    }
    writeln!(f, "{}\n", lines(&logs))
}

fn projections(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    if report.projections.is_empty() {
        return Ok(());
    }
    let heading = ["PROJECTION", "FOLDED", "DEAD", "DISCARDED", "LAG", "GENERATION", "STATE"];
    let mut projections = table(heading, &[1, 2, 3, 4]);
    for projection in &report.projections {
        let sum = projection.sum;
        let numbers = [sum.folded, sum.dead_lettered, sum.discarded, sum.lag].map(grouped);
        let [folded, dead, discarded, lag] = numbers;
        let state = match (projection.building, sum.accounted_for) {
            (_, false) => "NOT ACCOUNTED FOR".to_owned(),
            (Some(building), _) => format!("building generation {building}"),
            (None, true) if sum.lag > 0 => "catching up".to_owned(),
            (None, true) => "up to date".to_owned(),
        };
        let generation = format!("{} (v{})", projection.generation, projection.version);
        projections.add_row([projection.name.clone(), folded, dead, discarded, lag, generation, state]);
    }
    writeln!(f, "{}\n", lines(&projections))
}

/// The partitions of the log of activities, each with the checkpoint of every projection; empty ones are left out.
fn partitions(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let Some(log) = report.logs.iter().find(|log| log.partitions.len() > 1) else { return Ok(()) };
    let used: Vec<_> = log.partitions.iter().filter(|one| one.head > 0).collect();
    if used.is_empty() {
        return Ok(());
    }
    let names = report.projections.iter().map(|projection| projection.name.as_str());
    let heading: Vec<&str> = ["PARTITION", "HEAD", "PUBLISHED"].into_iter().chain(names).collect();
    let numbers: Vec<usize> = (1..heading.len()).collect();
    let mut partitions = table(heading, &numbers);
    for one in used {
        let checkpoints = report.projections.iter().map(|projection| {
            let found = projection.partitions.iter().find(|other| other.partition == one.partition);
            found.map_or_else(|| "-".to_owned(), |found| grouped(found.checkpoint))
        });
        let log = [one.partition.to_string(), grouped(one.head), grouped(one.relay_position)];
        partitions.add_row(log.into_iter().chain(checkpoints));
    }
    writeln!(f, "{}", lines(&partitions))?;
    unused(f, log)
}

fn unused(f: &mut fmt::Formatter<'_>, log: &LogReport) -> fmt::Result {
    match log.partitions.iter().filter(|one| one.head == 0).count() {
        0 => writeln!(f),
        1 => writeln!(f, "1 more is empty.\n"),
        many => writeln!(f, "{many} more are empty.\n"),
    }
}

fn jobs(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    if report.jobs.is_empty() {
        return Ok(());
    }
    let mut jobs = table(["JOB OF", "UP TO", "ATTEMPTS", "RUNS AT", "LAST ERROR"], &[1, 2]);
    for job in &report.jobs {
        let reason = printable(job.last_error.as_deref().unwrap_or("-"));
        let (partition, attempts) = (job.partition.to_string(), job.attempts.to_string());
        jobs.add_row([partition, grouped(job.published_position), attempts, shown(Some(job.run_at)), reason]);
    }
    writeln!(f, "{}\n", lines(&jobs))
}

fn shown(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}
