use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{Json, hex};
use prost::Message as _;
use serde::Serialize;
use serde_json::value::to_raw_value;
use sha2::{Digest, Sha256};

use super::super::clock::Clock;
use super::super::members::Members;
use super::super::message::{Draft, Message};
use super::value::{by_key, text};
use super::wire::{ExportLogsRequest, LogRecord, Resource, Scope};

/// The type of a record that is no event.
const LOG: &str = "log";
/// Who did it: the first of these attributes that a record has.
const ACTORS: [&str; 4] = ["user.id", "enduser.id", "enduser.pseudo.id", "session.id"];
/// Who did it where nobody is named, by the resource: the instance that logs, or its service.
const SERVICES: [&str; 2] = ["service.name", "service.instance.id"];

/// Makes drafts of the records of one request.
#[derive(Default)]
pub(super) struct Records {
    /// How often each content came in this request.
    seen: HashMap<[u8; 32], u32>,
}

/// Every record of a request, in order.
pub(super) fn of_request(request: ExportLogsRequest) -> Vec<Message> {
    let mut records = Records::default();
    let mut items = Vec::new();
    for logs in request.resource_logs {
        let resource = logs.resource.unwrap_or_default();
        for scoped in logs.scope_logs {
            let scope = scoped.scope.unwrap_or_default();
            items.extend(scoped.log_records.iter().map(|record| records.draft(record, &resource, &scope)));
        }
    }
    items
}

impl Records {
    pub(super) fn draft(&mut self, record: &LogRecord, resource: &Resource, scope: &Scope) -> Message {
        let attributes = &record.attributes;
        let named = ACTORS.iter().find_map(|key| text(attributes, key));
        let service = || SERVICES.iter().find_map(|key| text(&resource.attributes, key));
        let actor = named.or_else(service).unwrap_or_default();
        let event_name = Some(record.event_name.clone()).filter(|name| !name.is_empty());
        let activity_type = event_name.or_else(|| text(attributes, "event.name"));
        let time = [record.time_unix_nano, record.observed_time_unix_nano];
        let time = time.into_iter().find(|nanoseconds| *nanoseconds > 0).and_then(time_of);
        let id = text(attributes, "log.record.uid").unwrap_or_else(|| self.id(record, resource));
        let mut draft =
            Draft::at(activity_type.unwrap_or_else(|| LOG.to_owned()), actor, time, Clock::right());
        draft.pending.id = Some(id);
        draft.pending.properties = properties(record);
        draft.pending.context = context(record, resource, scope);
        Message::draft(draft)
    }

    /// An id of the record's content, and of how often it came before.
    fn id(&mut self, record: &LogRecord, resource: &Resource) -> String {
        let mut hasher = Sha256::new();
        hasher.update(resource.encode_length_delimited_to_vec());
        hasher.update(record.encode_length_delimited_to_vec());
        let hash: [u8; 32] = hasher.finalize().into();
        let times = self.seen.entry(hash).or_insert(0);
        *times += 1;
        format!("log-{}-{times}", hex(&hash))
    }
}

fn time_of(nanoseconds: u64) -> Option<DateTime<Utc>> {
    Some(DateTime::from_timestamp_nanos(i64::try_from(nanoseconds).ok()?))
}

/// What the record says: its attributes, its body and its severity.
fn properties(record: &LogRecord) -> Option<Json> {
    let attributes = to_raw_value(&by_key(&record.attributes)).ok()?;
    let mut members = Members::of(Some(&attributes)).ok()?;
    members.add("body", record.body.as_ref());
    members.add("severity", some(&record.severity_text));
    members.add("severity_number", Some(record.severity_number).filter(|number| *number > 0));
    members.into_json()
}

/// Where it came from.
fn context(record: &LogRecord, resource: &Resource, scope: &Scope) -> Option<Json> {
    #[derive(Serialize)]
    struct ScopeContext<'a> {
        name: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        version: &'a str,
    }
    let mut members = Members::default();
    members.add("resource", Some(by_key(&resource.attributes)).filter(|attributes| !attributes.is_empty()));
    let scope = some(&scope.name).map(|name| ScopeContext { name, version: &scope.version });
    members.add("scope", scope);
    members.add("trace_id", some(&hex(&record.trace_id)));
    members.add("span_id", some(&hex(&record.span_id)));
    members.into_json()
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
