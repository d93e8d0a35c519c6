use chrono::{DateTime, Utc};
use projection_service::PartitionStatus;
use serde::Serialize;

/// How far everything has come. What is not known, because its database is not named, is absent.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Where the system was found.
    pub(super) system: String,
    /// Whether there is nothing to worry about.
    pub(super) healthy: bool,
    /// Whether a log is not the one that was folded: then `daybook status` ends with 1.
    pub(super) diverged: bool,
    /// What there is to worry about, in words.
    pub(super) problems: Vec<String>,
    /// Of activities and of customers.
    pub(super) logs: Vec<LogReport>,
    /// By name.
    pub(super) projections: Vec<ProjectionReport>,
    /// Delayed jobs that wait.
    pub(super) jobs: Vec<JobReport>,
}

/// A log and its relay.
#[derive(Debug, Serialize)]
pub(super) struct LogReport {
    pub(super) name: &'static str,
    /// Events in all partitions.
    pub(super) events: i64,
    /// How many of them the relay has published.
    pub(super) published: i64,
    /// How many wait for the relay.
    pub(super) unpublished: i64,
    pub(super) partitions: Vec<LogPartition>,
}

#[derive(Debug, Serialize)]
pub(super) struct LogPartition {
    pub(super) partition: u16,
    /// The position of the last event.
    pub(super) head: i64,
    /// When it was recorded.
    pub(super) recorded_at: Option<DateTime<Utc>>,
    /// How far the relay has published.
    pub(super) relay_position: i64,
    /// Why the relay does not go on until an operator decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) relay_stopped: Option<String>,
}

/// A projection's live generation.
#[derive(Debug, Serialize)]
pub(super) struct ProjectionReport {
    pub(super) name: String,
    pub(super) version: i32,
    pub(super) generation: i32,
    /// The generation that a rebuild is filling.
    pub(super) building: Option<i32>,
    #[serde(flatten)]
    pub(super) sum: Accounts,
    pub(super) partitions: Vec<ProjectionPartition>,
}

/// What became of the events. `appended = folded + dead_lettered + discarded + lag`, or something is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Accounts {
    /// In the log.
    pub(super) appended: i64,
    /// In the read model.
    pub(super) folded: i64,
    /// Set aside, with a reason, and those that wait behind them.
    pub(super) dead_lettered: i64,
    /// How many of these wait.
    pub(super) waiting: i64,
    /// Left out for good, because they were discarded.
    pub(super) discarded: i64,
    /// Not folded yet.
    pub(super) lag: i64,
    /// Whether the sum is right.
    pub(super) accounted_for: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct ProjectionPartition {
    pub(super) partition: u16,
    /// The last event that is accounted for.
    pub(super) checkpoint: i64,
    /// When it was recorded.
    pub(super) recorded_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub(super) accounts: Accounts,
}

#[derive(Debug, Serialize)]
pub(super) struct JobReport {
    pub(super) partition: u16,
    pub(super) run_at: DateTime<Utc>,
    pub(super) published_position: i64,
    pub(super) attempts: i32,
    pub(super) last_error: Option<String>,
}

impl Accounts {
    /// Of one partition: a checkpoint under a head.
    pub(super) fn of(head: i64, checkpoint: &PartitionStatus) -> Self {
        let PartitionStatus { position, folded, dead_lettered, discarded, .. } = *checkpoint;
        let lag = head - position;
        let is_sum = head == folded + dead_lettered + discarded + lag && lag >= 0;
        Self {
            appended: head,
            folded,
            dead_lettered,
            waiting: checkpoint.waiting,
            discarded,
            lag,
            accounted_for: is_sum && checkpoint.dead_letters_found,
        }
    }

    /// Of several partitions.
    pub(super) fn sum(all: impl IntoIterator<Item = Self>) -> Self {
        let nothing = Self { accounted_for: true, ..Self::default() };
        all.into_iter().fold(nothing, |sum, one| Self {
            appended: sum.appended + one.appended,
            folded: sum.folded + one.folded,
            dead_lettered: sum.dead_lettered + one.dead_lettered,
            waiting: sum.waiting + one.waiting,
            discarded: sum.discarded + one.discarded,
            lag: sum.lag + one.lag,
            accounted_for: sum.accounted_for && one.accounted_for,
        })
    }
}

impl Report {
    /// Whether every event is accounted for and carried on.
    pub(super) fn is_whole(&self) -> bool {
        let mut partitions = self.logs.iter().flat_map(|log| &log.partitions);
        partitions.all(|one| one.relay_stopped.is_none())
            && self.projections.iter().all(|projection| projection.sum.accounted_for)
    }

    /// Finds what there is to worry about.
    pub(super) fn judged(mut self) -> Self {
        for log in &self.logs {
            let stopped =
                log.partitions.iter().filter_map(|one| Some((one.partition, one.relay_stopped.as_ref()?)));
            self.problems.extend(stopped.map(|(partition, reason)| {
                format!(
                    "the relay of {name} has stopped partition {partition}: {reason}. If the log is right as it is: \
                     `daybook relay reset --log {name}`, then `daybook rebuild`",
                    name = log.name
                )
            }));
        }
        for projection in &self.projections {
            if !projection.sum.accounted_for {
                self.problems
                    .push(format!("{}: not every event is accounted for; rebuild it", projection.name));
            }
            if projection.sum.dead_lettered > 0 {
                let (many, waiting) = (projection.sum.dead_lettered, projection.sum.waiting);
                self.problems.push(format!(
                    "{}: {many} events are set aside as dead letters, of which {waiting} wait behind others; see \
                     `daybook dead-letters list`",
                    projection.name
                ));
            }
        }
        for job in self.jobs.iter().filter(|job| job.attempts > 0) {
            let reason = job.last_error.as_deref().unwrap_or("no reason is known");
            let (partition, attempts) = (job.partition, job.attempts);
            self.problems
                .push(format!("the fold of partition {partition} has failed {attempts} times: {reason}"));
        }
        self.healthy = self.problems.is_empty();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: i64, folded: i64, dead_lettered: i64, discarded: i64) -> PartitionStatus {
        PartitionStatus {
            partition: 0,
            position,
            folded,
            dead_lettered,
            waiting: 0,
            dead_letters_found: true,
            discarded,
            recorded_at: None,
        }
    }

    #[test]
    fn everything_is_accounted_for_or_it_is_said() {
        assert!(Accounts::of(10, &at(7, 5, 1, 1)).accounted_for);
        assert_eq!(Accounts::of(10, &at(7, 6, 1, 0)).lag, 3);
        assert!(!Accounts::of(10, &at(7, 6, 0, 0)).accounted_for);
        assert!(!Accounts::of(10, &at(11, 11, 0, 0)).accounted_for);
        let lost = PartitionStatus { dead_letters_found: false, ..at(7, 6, 1, 0) };
        assert!(!Accounts::of(10, &lost).accounted_for);
        let sum = Accounts::sum([Accounts::of(10, &at(7, 5, 1, 1)), Accounts::of(5, &at(5, 5, 0, 0))]);
        let expected = Accounts {
            appended: 15,
            folded: 10,
            dead_lettered: 1,
            waiting: 0,
            discarded: 1,
            lag: 3,
            accounted_for: true,
        };
        assert_eq!(sum, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let projection = ProjectionReport {
            name: "activities".to_owned(),
            version: 1,
            generation: 1,
            building: None,
            sum: Accounts::of(10, &at(7, 6, 0, 0)),
            partitions: Vec::new(),
        };
        let job = JobReport {
            partition: 4,
            run_at: Utc::now(),
            published_position: 10,
            attempts: 2,
            last_error: Some("no space".to_owned()),
        };
        let report = Report {
            system: String::new(),
            healthy: true,
            diverged: false,
            problems: Vec::new(),
            logs: Vec::new(),
            projections: vec![projection],
            jobs: vec![job],
        };
        let report = report.judged();
        assert!(!report.healthy);
        assert_eq!(report.problems.len(), 2);
        assert!(
            report.problems[1].contains("partition 4 has failed 2 times: no space"),
            "{:?}",
            report.problems
        );
    }
}
