use chrono_tz::Tz;
use domain::{Partition, Partitions};
use event_store::HistoryFilter;

use super::{Arguments, Log};
use crate::failure::Failure;

/// What is read, and in which order.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    /// One partition, by position.
    Partition { partition: Partition, after: i64, filter: HistoryFilter },
    /// All of them, by time.
    Whole { filter: HistoryFilter },
}

impl Plan {
    /// Refuses what makes no sense whatever the log looks like.
    pub(super) fn check(arguments: &Arguments) -> Result<(), Failure> {
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        let has_positions = arguments.from.is_some() || arguments.to.is_some();
        let one_order =
            arguments.partition.is_some() || arguments.customer.is_some() || arguments.log == Log::Customers;
        if has_positions && !one_order {
            return usage("--from and --to are positions within a partition: add --partition or --customer");
        }
        if arguments.log == Log::Customers && (arguments.actor.is_some() || arguments.activity_type.is_some())
        {
            return usage("--actor and --type are about activities: leave out --log customers");
        }
        Ok(())
    }

    /// The plan for a log with so many partitions.
    pub(super) fn of(arguments: &Arguments, partitions: Partitions) -> Result<Self, Failure> {
        Self::check(arguments)?;
        let last = partitions.count() - 1;
        let of_customer = arguments.customer.map(|customer| partitions.of(customer));
        let partition = match (arguments.partition.map(Partition), of_customer) {
            (Some(wanted), _) if wanted.0 > last => {
                return Err(Failure::Usage(format!(
                    "there is no partition {wanted}; this log has 0 to {last}"
                )));
            }
            (Some(wanted), Some(own)) if wanted != own => {
                return Err(Failure::Usage(format!(
                    "this customer's history lies in partition {own}, not in {wanted}"
                )));
            }
            (wanted, own) => wanted.or(own),
        };
        let partition = partition.or((partitions.count() == 1).then_some(Partition(0)));
        let filter = HistoryFilter {
            customer_id: arguments.customer,
            to: arguments.to,
            since: arguments.since.map(|time| time.instant(Tz::UTC)),
            until: arguments.until.map(|time| time.instant(Tz::UTC)),
            actor: arguments.actor.clone(),
            activity_type: arguments.activity_type.clone(),
        };
        Ok(match partition {
            Some(partition) => Self::Partition { partition, after: arguments.from.unwrap_or(1) - 1, filter },
            None => Self::Whole { filter },
        })
    }

    pub(super) fn partition(&self) -> Option<Partition> {
        match self {
            Self::Partition { partition, .. } => Some(*partition),
            Self::Whole { .. } => None,
        }
    }

    /// Whether it is about a part of what one customer did, that somebody may know where to find.
    pub(super) fn is_looking_for_something(&self) -> bool {
        let (Self::Partition { filter, .. } | Self::Whole { filter }) = self;
        filter.customer_id.is_some() && (filter.actor.is_some() || filter.activity_type.is_some())
    }

    /// Whether it is less than everything in the partitions that are read.
    pub(super) fn is_filtered(&self) -> bool {
        let (after, filter) = match self {
            Self::Partition { after, filter, .. } => (*after, filter),
            Self::Whole { filter } => (0, filter),
        };
        after > 0
            || filter.customer_id.is_some()
            || filter.to.is_some()
            || filter.since.is_some()
            || filter.until.is_some()
            || filter.actor.is_some()
            || filter.activity_type.is_some()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    const CUSTOMER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn plan(line: &str, partitions: u16) -> Result<Plan, Failure> {
        let line = line.replace("CUSTOMER", CUSTOMER);
        let parsed = Line::try_parse_from(format!("replay {line}").split_whitespace()).unwrap();
        Plan::of(&parsed.arguments, Partitions::new(partitions).unwrap())
    }

    #[test]
    fn a_customer_is_read_in_its_partition() {
        let Plan::Partition { partition, after, filter } =
            plan("--customer CUSTOMER --from 5 --to 9", 16).unwrap()
        else {
            panic!("not a partition")
        };
        assert_eq!((partition, after, filter.to), (Partition(0xa), 4, Some(9)));
        assert_eq!(filter.customer_id.unwrap().to_string(), CUSTOMER);
    }

    #[test]
    fn a_time_may_be_a_day() {
        let Plan::Whole { filter } =
            plan("--since 2026-11-01 --until 2026-11-02T03:00:00+02:00", 16).unwrap()
        else {
            panic!("not the whole log")
        };
        let times = [filter.since, filter.until].map(|time| time.unwrap().to_rfc3339());
        assert_eq!(times, ["2026-11-01T00:00:00+00:00", "2026-11-02T01:00:00+00:00"]);
        assert!(Line::try_parse_from(["replay", "--since", "2026-11-01T00:00:00"]).is_err());
    }

    #[test]
    fn the_whole_log_has_no_positions() {
        assert!(matches!(plan("", 16).unwrap(), Plan::Whole { .. }));
        assert!(!plan("", 16).unwrap().is_filtered());
        for line in ["--from 1", "--to 7", "--partition 16", "--customer CUSTOMER --partition 3"] {
            let failure = plan(line, 16).unwrap_err();
            assert!(matches!(failure, Failure::Usage(_)), "{line}: {failure}");
        }
    }

    #[test]
    fn the_log_of_customers_is_one_partition_and_knows_no_actors() {
        let plan_of_customers = plan("--log customers --from 2", 1).unwrap();
        assert_eq!(plan_of_customers.partition(), Some(Partition(0)));
        assert!(plan_of_customers.is_filtered());
        assert!(matches!(plan("--log customers --type page.viewed", 1), Err(Failure::Usage(_))));
    }
}
