use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use super::{check_type, value};
use crate::{ActivityId, Json, JsonLimits};

/// The limits of `properties` and of `context`.
pub const LIMITS: JsonLimits = JsonLimits { bytes_max: 32 * 1024, depth_max: 8 };
const ACTOR_CHARS_MAX: usize = 256;
const AHEAD_MAX: TimeDelta = TimeDelta::hours(24);
const BACK_MAX: Months = Months::new(5 * 12);

/// Who chose an activity's `occurred_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OccurredAtSource {
    /// The client sent it.
    Client,
    /// The client sent none: it is the time of receipt.
    Receipt,
}

/// What an activity says, apart from its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActivityContent {
    /// What was done; [`check_type`] has its rules.
    #[serde(rename = "type")]
    pub activity_type: String,
    /// Who did it, in the customer's own words; 1 to 256 characters.
    pub actor: String,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Who chose `occurred_at`.
    pub occurred_at_source: OccurredAtSource,
    /// An amount, a duration, a score: a finite double.
    #[serde(default, deserialize_with = "value::stored", skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What the customer wants to know about it; once read from the log, on one line.
    #[serde(default, deserialize_with = "canonical", skip_serializing_if = "Option::is_none")]
    pub properties: Option<Json>,
    /// Where it came from: ip, user agent, session, page; once read from the log, on one line.
    #[serde(default, deserialize_with = "canonical", skip_serializing_if = "Option::is_none")]
    pub context: Option<Json>,
}

/// A fault of one field: a JSON pointer relative to the activity, and a phrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentFault {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What is wrong, as a phrase for the client.
    pub detail: String,
}

impl ContentFault {
    /// A fault of the field at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// An activity as a client sends it, read but not yet checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an activity")]
pub struct Pending {
    /// The caller's idempotency key.
    #[serde(default)]
    pub id: Option<String>,
    /// See [`ActivityContent::activity_type`].
    #[serde(rename = "type")]
    pub activity_type: String,
    /// See [`ActivityContent::actor`].
    pub actor: String,
    /// Default: the time of receipt.
    #[serde(default)]
    pub occurred_at: Option<DateTime<Utc>>,
    /// See [`ActivityContent::value`]; refused if a double does not hold it to its last digit.
    #[serde(default, deserialize_with = "value::exact")]
    pub value: Option<f64>,
    /// See [`ActivityContent::properties`].
    #[serde(default)]
    pub properties: Option<Json>,
    /// See [`ActivityContent::context`].
    #[serde(default)]
    pub context: Option<Json>,
}

impl Pending {
    /// Checks every limit. An absent id is made by `make_id`, an absent time is `now`.
    ///
    /// # Errors
    /// Every fault, not only the first.
    pub fn check(
        self,
        now: DateTime<Utc>,
        make_id: impl FnOnce() -> ActivityId,
    ) -> Result<(ActivityId, ActivityContent), Vec<ContentFault>> {
        let mut faults = Vec::new();
        let id = match self.id {
            None => make_id(),
            Some(id) => ActivityId::parse(id).unwrap_or_else(|detail| {
                faults.push(ContentFault::new("/id", detail));
                ActivityId::default()
            }),
        };
        let occurred_at_source =
            if self.occurred_at.is_some() { OccurredAtSource::Client } else { OccurredAtSource::Receipt };
        let content = ActivityContent {
            activity_type: self.activity_type,
            actor: self.actor,
            occurred_at: to_microseconds(self.occurred_at.unwrap_or(now)),
            occurred_at_source,
            value: self.value,
            properties: self.properties.filter(|json| json.as_str() != "null"),
            context: self.context.filter(|json| json.as_str() != "null"),
        };
        content.check(now, &mut faults);
        if faults.is_empty() { Ok((id, content.into_canonical())) } else { Err(faults) }
    }
}

/// Reads what was stored, on one line whatever it was stored on.
fn canonical<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Ok(Option::<Json>::deserialize(deserializer)?.map(Json::into_canonical))
}

/// The log keeps microseconds, as PostgreSQL does; what is answered is what is kept.
pub(super) fn to_microseconds(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

impl ActivityContent {
    /// Checks every limit of the content and adds each fault found.
    pub fn check(&self, now: DateTime<Utc>, faults: &mut Vec<ContentFault>) {
        if let Err(detail) = check_type(&self.activity_type) {
            faults.push(ContentFault::new("/type", detail));
        }
        if let Err(detail) = check_actor(&self.actor) {
            faults.push(ContentFault::new("/actor", detail));
        }
        if self.occurred_at > now + AHEAD_MAX {
            faults.push(ContentFault::new("/occurred_at", "must be at most 24 hours ahead"));
        } else if now.checked_sub_months(BACK_MAX).is_some_and(|oldest| self.occurred_at < oldest) {
            faults.push(ContentFault::new("/occurred_at", "must be at most 5 years back"));
        }
        if self.value.is_some_and(|value| !value.is_finite()) {
            faults.push(ContentFault::new("/value", "must be a finite number"));
        }
        for (field, json) in [("/properties", &self.properties), ("/context", &self.context)] {
            if let Some(Err(fault)) = json.as_ref().map(|json| json.check_object(LIMITS)) {
                faults.push(ContentFault::new(format!("{field}{}", fault.pointer), fault.detail));
            }
        }
    }

    /// The same content, whose properties and context are on one line: what is stored from now on.
    #[must_use]
    pub(super) fn into_canonical(self) -> Self {
        Self {
            properties: self.properties.map(Json::into_canonical),
            context: self.context.map(Json::into_canonical),
            ..self
        }
    }

    /// Whether both say the same; numbers are compared by their value, and a time that neither client chose is not compared.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let both_by_receipt =
            [self, other].iter().all(|content| content.occurred_at_source == OccurredAtSource::Receipt);
        (both_by_receipt || self.occurred_at == other.occurred_at)
            && self.occurred_at_source == other.occurred_at_source
            && self.activity_type == other.activity_type
            && self.actor == other.actor
            && self.value == other.value
            && self.properties == other.properties
            && self.context == other.context
    }
}

/// Checks the name of an actor.
///
/// # Errors
/// The broken rule, as a phrase for the client.
pub(crate) fn check_actor(actor: &str) -> Result<(), &'static str> {
    if actor.is_empty() {
        return Err("must not be empty");
    }
    // Bytes bound characters, so the count is only taken when it can matter.
    if actor.len() > ACTOR_CHARS_MAX && actor.chars().count() > ACTOR_CHARS_MAX {
        return Err("must have at most 256 characters");
    }
    if actor.contains('\0') {
        return Err("must not contain the character NUL");
    }
    Ok(())
}
