use std::ops::Range;

use chassis::Time;
use chrono::{DateTime, Utc};

use super::{Measure, Parameters};
use crate::calendar;
use crate::columns::{Field, Needs};
use crate::error::ReportsError;
use crate::reports::groups::Grouping;
use crate::reports::query::TimeRange;

/// The most buckets of a report, and the most numbers: buckets times lines.
const BUCKETS_MAX: usize = 10_000;
const NUMBERS_MAX: usize = 50_000;
const GROUPS_DEFAULT: usize = 20;
const GROUPS_MAX: usize = 1_000;
const FIELDS_MAX: usize = 2;
const FIELDS: &str = "type, actor, value, properties.KEY, context.KEY or traits.KEY";

/// What is asked, in order.
pub(super) struct ActivityQuestion {
    pub(super) measure: Measure,
    fields: Vec<Field>,
    /// Groups that have a line of their own.
    pub(super) groups: usize,
    /// When each bucket begins.
    pub(super) starts: Vec<DateTime<Utc>>,
}

impl ActivityQuestion {
    pub(super) fn new(parameters: &Parameters, range: &TimeRange) -> Result<Self, ReportsError> {
        let interval = parameters.interval.unwrap_or(calendar::Interval::Day);
        let starts =
            calendar::starts(interval, range.zone, range.from, range.to, BUCKETS_MAX).ok_or_else(|| {
                let detail = format!(
                    "gives more than {BUCKETS_MAX} buckets: ask for a longer one, or for a shorter range"
                );
                ReportsError::parameter("interval", detail)
            })?;
        let groups = parameters.groups.unwrap_or(GROUPS_DEFAULT);
        if !(1..=GROUPS_MAX).contains(&groups) {
            return Err(ReportsError::parameter("groups", format!("must be 1 to {GROUPS_MAX}")));
        }
        let groups = groups.min((NUMBERS_MAX / starts.len().max(1)).saturating_sub(1)).max(1);
        let fields =
            parameters.group_by.iter().map(|name| field("group_by", name)).collect::<Result<Vec<_>, _>>()?;
        if fields.len() > FIELDS_MAX {
            return Err(ReportsError::parameter(
                "group_by",
                format!("may be given at most {FIELDS_MAX} times"),
            ));
        }
        Ok(Self { measure: parameters.measure.unwrap_or_default(), fields, groups, starts })
    }

    pub(super) fn is_grouped(&self) -> bool {
        !self.fields.is_empty()
    }

    /// What divides the rows, and what it and the measure read.
    pub(super) fn grouping(&self) -> (Grouping, Needs) {
        let mut needs = Needs::default();
        self.measure.add_needs(&mut needs);
        (Grouping::new(&self.fields, &mut needs), needs)
    }

    /// The time of the bucket that begins at a text, in microseconds since 1970.
    pub(super) fn window(&self, bucket: &str, range: &TimeRange) -> Result<Range<i64>, ReportsError> {
        let wrong = |detail: String| ReportsError::parameter("explain", detail);
        let time: Time = bucket.parse().map_err(|error| wrong(format!("has a bucket that {error}")))?;
        let start = time.instant(range.zone);
        let index = self
            .starts
            .binary_search(&start)
            .map_err(|_| wrong(format!("names {bucket}, where no bucket of the report begins")))?;
        let end = self.starts.get(index + 1).copied().unwrap_or(range.to);
        Ok(start.max(range.from).timestamp_micros()..end.timestamp_micros())
    }
}

/// Reads the name of a field.
///
/// # Errors
/// 422 that names the parameter.
pub(crate) fn field(parameter: &'static str, name: &str) -> Result<Field, ReportsError> {
    Field::parse(name).ok_or_else(|| ReportsError::parameter(parameter, format!("must be {FIELDS}")))
}

impl Measure {
    fn add_needs(self, needs: &mut Needs) {
        match self {
            Self::Count => {}
            Self::Actors => needs.actors = true,
            Self::Sum | Self::Mean | Self::Min | Self::Max | Self::P50 | Self::P90 | Self::P99 => {
                needs.values = true;
            }
        }
    }
}
