use std::fmt;

use chrono::{DateTime, Utc};

use super::report::{LogReport, Report};
use crate::output::printable;

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
    writeln!(f, "{:<14}{:>12}{:>12}{:>12}  LAST EVENT", "LOG", "EVENTS", "PUBLISHED", "WAITING")?;
    for log in &report.logs {
        let last = log.partitions.iter().filter_map(|one| one.recorded_at).max();
        let numbers = [log.events, log.published, log.unpublished].map(grouped);
        let [events, published, waiting] = numbers;
        writeln!(f, "{:<14}{events:>12}{published:>12}{waiting:>12}  {}", log.name, shown(last))?;
    }
    writeln!(f)
}

fn projections(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    if report.projections.is_empty() {
        return Ok(());
    }
    let names = ["FOLDED", "DEAD", "DISCARDED", "LAG"];
    writeln!(
        f,
        "{:<14}{:>12}{:>12}{:>12}{:>12}  {:<11} STATE",
        "PROJECTION", names[0], names[1], names[2], names[3], "GENERATION"
    )?;
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
        writeln!(
            f,
            "{:<14}{folded:>12}{dead:>12}{discarded:>12}{lag:>12}  {generation:<11} {state}",
            projection.name
        )?;
    }
    writeln!(f)
}

/// The partitions of the log of activities, each with the checkpoint of every projection; empty ones are left out.
fn partitions(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    let Some(log) = report.logs.iter().find(|log| log.partitions.len() > 1) else { return Ok(()) };
    let used: Vec<_> = log.partitions.iter().filter(|one| one.head > 0).collect();
    if used.is_empty() {
        return Ok(());
    }
    write!(f, "{:<14}{:>12}{:>12}", "PARTITION", "HEAD", "PUBLISHED")?;
    for projection in &report.projections {
        write!(f, "{:>width$}", projection.name, width = column(&projection.name))?;
    }
    writeln!(f)?;
    for one in used {
        write!(f, "{:<14}{:>12}{:>12}", one.partition, grouped(one.head), grouped(one.relay_position))?;
        for projection in &report.projections {
            let found = projection.partitions.iter().find(|other| other.partition == one.partition);
            let checkpoint = found.map_or_else(|| "-".to_owned(), |found| grouped(found.checkpoint));
            write!(f, "{checkpoint:>width$}", width = column(&projection.name))?;
        }
        writeln!(f)?;
    }
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
    writeln!(f, "{:<14}{:>12}{:>12}  {:<24}LAST ERROR", "JOB OF", "UP TO", "ATTEMPTS", "RUNS AT")?;
    for job in &report.jobs {
        let reason = printable(job.last_error.as_deref().unwrap_or("-"));
        let up_to = grouped(job.published_position);
        let run_at = shown(Some(job.run_at));
        writeln!(f, "{:<14}{up_to:>12}{:>12}  {run_at:<24}{reason}", job.partition, job.attempts)?;
    }
    writeln!(f)
}

fn column(name: &str) -> usize {
    (name.len() + 2).max(12)
}

fn shown(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// 1234567 as 1,234,567.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let sign = if number < 0 { "-" } else { "" };
    let grouped = digits.char_indices().fold(String::new(), |mut text, (index, digit)| {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
        text
    });
    format!("{sign}{grouped}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown = [0, 7, 999, 1_000, 1_234_567, -1_000].map(grouped);
        assert_eq!(shown, ["0", "7", "999", "1,000", "1,234,567", "-1,000"]);
    }
}
