use chassis::{FieldError, Problem, parse_json};
use chrono::{DateTime, Utc};
use domain::ActivityId;
use domain::activity::Pending;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::{ActivitiesError, field_errors};
use crate::recorder::{NewActivity, Recorded};

/// The most activities of one batch.
pub(crate) const ACTIVITIES_MAX: usize = 1_000;
/// Reading a larger body takes long enough to hold up others on the same thread, in bytes.
pub(crate) const BODY_SMALL_BYTES: usize = 64 * 1024;
/// Pointers into the body of a batch begin with it.
const ACTIVITIES: &str = "/activities";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    activities: Vec<&'a RawValue>,
}

/// A batch, each item read and checked by itself.
pub(crate) struct Batch {
    /// The good ones, with their places.
    pub(crate) good: Vec<(usize, NewActivity)>,
    pub(crate) rejected: Vec<RejectedItem>,
}

/// An item of a batch that is not recorded, and why.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct RejectedItem {
    /// Its place in the batch, from 0.
    pub(crate) index: usize,
    /// Each fault; its pointer leads into the item.
    pub(crate) errors: Vec<FieldError>,
}

/// One activity as a client sent it, read and checked.
///
/// # Errors
/// 400 for text that is not JSON, 422 that names every fault.
pub(crate) fn read_one(body: &[u8], now: DateTime<Utc>) -> Result<NewActivity, ActivitiesError> {
    let pending: Pending = parse_json(body)?;
    let checked = pending.check(now, make_id);
    let (id, content) = checked.map_err(|faults| ActivitiesError::Invalid(field_errors("", faults)))?;
    Ok(NewActivity::new(id, content))
}

fn make_id() -> ActivityId {
    ActivityId::from_uuid(Uuid::now_v7())
}

impl Batch {
    /// Reads a batch. A bad item is rejected and named; the others go on.
    ///
    /// # Errors
    /// 400 for text that is not JSON, 422 for a batch that is none.
    pub(crate) fn read(body: &[u8], now: DateTime<Utc>) -> Result<Self, ActivitiesError> {
        let Body { activities } = parse_json(body)?;
        if !(1..=ACTIVITIES_MAX).contains(&activities.len()) {
            let detail = format!("must have 1 to {ACTIVITIES_MAX} activities, has {}", activities.len());
            return Err(ActivitiesError::Invalid(vec![FieldError {
                pointer: ACTIVITIES.to_owned(),
                detail,
            }]));
        }
        let mut batch = Self { good: Vec::with_capacity(activities.len()), rejected: Vec::new() };
        for (index, item) in activities.into_iter().enumerate() {
            match read_one(item.get().as_bytes(), now) {
                Ok(activity) => batch.good.push((index, activity)),
                Err(error) => batch.rejected.push(RejectedItem { index, errors: faults_of(error) }),
            }
        }
        Ok(batch)
    }
}

/// What is wrong with an activity whose id is another's.
pub(crate) fn id_reused() -> FieldError {
    let detail = "activity-id-reused: an activity with this id and other content is recorded";
    FieldError { pointer: "/id".to_owned(), detail: detail.to_owned() }
}

/// Every fault of an item as a list: one that is not even an activity is at fault as a whole.
pub(crate) fn faults_of(error: ActivitiesError) -> Vec<FieldError> {
    Problem::from(error).into_faults()
}

/// What became of a batch.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct BatchRecorded {
    /// How many are newly recorded.
    pub(crate) accepted: usize,
    /// How many had been recorded before, with the same content.
    pub(crate) duplicates: usize,
    /// Those that are not recorded, in order.
    pub(crate) rejected: Vec<RejectedItem>,
    /// Position of the first that is newly recorded; none if none is.
    pub(crate) first_position: Option<i64>,
    /// Position of the last.
    pub(crate) last_position: Option<i64>,
}

impl BatchRecorded {
    /// Counts what became of the good ones; `places` are theirs in the batch.
    pub(crate) fn of(places: &[usize], outcomes: &[Recorded], rejected: Vec<RejectedItem>) -> Self {
        let mut summary = Self { rejected, ..Self::default() };
        for (&index, outcome) in places.iter().zip(outcomes) {
            match *outcome {
                Recorded::New { position } => {
                    summary.accepted += 1;
                    summary.first_position =
                        Some(summary.first_position.map_or(position, |first| first.min(position)));
                    summary.last_position = summary.last_position.max(Some(position));
                }
                Recorded::Duplicate { .. } => summary.duplicates += 1,
                Recorded::IdReused => {
                    summary.rejected.push(RejectedItem { index, errors: vec![id_reused()] });
                }
            }
        }
        summary.rejected.sort_by_key(|item| item.index);
        summary
    }

    /// 422 if nothing of the batch is recorded, now or before.
    pub(crate) fn or_all_rejected(self) -> Result<Self, ActivitiesError> {
        if self.accepted + self.duplicates > 0 {
            return Ok(self);
        }
        let errors = self.rejected.into_iter().flat_map(|item| {
            let at = format!("{ACTIVITIES}/{}", item.index);
            item.errors
                .into_iter()
                .map(move |error| FieldError { pointer: format!("{at}{}", error.pointer), ..error })
        });
        Err(ActivitiesError::Invalid(errors.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(errors: &[FieldError]) -> Vec<&str> {
        errors.iter().map(|error| error.pointer.as_str()).collect()
    }

    #[test]
    fn a_bad_item_is_named_and_the_others_go_on() {
        let body = br#"{"activities":[
            {"type":"page.viewed","actor":"ada"}, 7, {"type":"page ","actor":""}, {"type":"a"},
            {"type":"a","actor":"b","color":"red"}, {"type":"a","actor":"b","properties":{"n":1e999}}
        ]}"#;
        let batch = Batch::read(body, Utc::now()).unwrap();
        assert_eq!(batch.good.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0]);
        let rejected: Vec<_> =
            batch.rejected.iter().map(|item| (item.index, pointers(&item.errors))).collect();
        let expected = [
            (1, vec![""]),
            (2, vec!["/type", "/actor"]),
            (3, vec!["/actor"]),
            (4, vec!["/color"]),
            (5, vec!["/properties/n"]),
        ];
        assert_eq!(rejected, expected);
    }

    #[test]
    fn a_batch_has_one_to_a_thousand_activities() {
        let of = |count: usize| {
            let items = vec![r#"{"type":"a","actor":"b"}"#; count].join(",");
            Batch::read(format!(r#"{{"activities":[{items}]}}"#).as_bytes(), Utc::now())
                .map(|batch| batch.good.len())
        };
        assert_eq!((of(1).unwrap(), of(ACTIVITIES_MAX).unwrap()), (1, ACTIVITIES_MAX));
        for count in [0, ACTIVITIES_MAX + 1] {
            let Err(ActivitiesError::Invalid(errors)) = of(count) else { panic!("{count} passed") };
            assert_eq!(pointers(&errors), ["/activities"]);
        }
    }

    #[test]
    fn a_batch_of_which_nothing_is_recorded_is_refused_as_a_whole() {
        let rejected = || vec![RejectedItem { index: 3, errors: vec![] }];
        let outcomes =
            [Recorded::IdReused, Recorded::Duplicate { position: 4 }, Recorded::New { position: 9 }];
        let summary = BatchRecorded::of(&[0, 1, 2], &outcomes, rejected()).or_all_rejected().unwrap();
        assert_eq!((summary.accepted, summary.duplicates), (1, 1));
        assert_eq!(summary.rejected.iter().map(|item| item.index).collect::<Vec<_>>(), [0, 3]);
        assert_eq!((summary.first_position, summary.last_position), (Some(9), Some(9)));
        let nothing = BatchRecorded::of(&[1], &[Recorded::IdReused], rejected()).or_all_rejected();
        let Err(ActivitiesError::Invalid(errors)) = nothing else { panic!("it passed") };
        assert_eq!(pointers(&errors), ["/activities/1/id"]);
    }
}
