//! The same as JSON: lowerCamelCase, 64-bit numbers also as texts, ids of traces in hexadecimal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chassis::{Problem, parse_json};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::super::message::Message;
use super::record::Records;
use super::wire::{AnyValue, KeyValue, ListValue, LogRecord, ObjectValue, Resource, Scope, Value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(default, borrow)]
    resource_logs: Vec<Logs<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs<'a> {
    #[serde(default)]
    resource: Option<Attributed>,
    #[serde(default, borrow)]
    scope_logs: Vec<Scoped<'a>>,
}

#[derive(Default, Deserialize)]
struct Attributed {
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scoped<'a> {
    #[serde(default)]
    scope: Option<Named>,
    /// Each is read by itself: a bad one costs the others nothing.
    #[serde(default, borrow)]
    log_records: Vec<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default, deserialize_with = "unsigned")]
    time_unix_nano: u64,
    #[serde(default, deserialize_with = "unsigned")]
    observed_time_unix_nano: u64,
    #[serde(default)]
    severity_number: i32,
    #[serde(default)]
    severity_text: String,
    #[serde(default)]
    body: Option<Any>,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default, deserialize_with = "hexadecimal")]
    trace_id: Vec<u8>,
    #[serde(default, deserialize_with = "hexadecimal")]
    span_id: Vec<u8>,
    #[serde(default)]
    event_name: String,
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    #[serde(default)]
    value: Option<Any>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the protocol names them so")]
struct Any {
    string_value: Option<String>,
    bool_value: Option<bool>,
    #[serde(default, deserialize_with = "signed")]
    int_value: Option<i64>,
    double_value: Option<f64>,
    array_value: Option<Values<Any>>,
    kvlist_value: Option<Values<Attribute>>,
    bytes_value: Option<String>,
}

#[derive(Deserialize)]
struct Values<T> {
    #[serde(default = "Vec::new")]
    values: Vec<T>,
}

/// Reads the records of a body.
pub(super) fn read(body: &[u8]) -> Result<Vec<Message>, Problem> {
    let request: Request<'_> = parse_json(body)?;
    let mut records = Records::default();
    let mut items = Vec::new();
    for logs in request.resource_logs {
        let resource = Resource { attributes: attributes(logs.resource.unwrap_or_default().attributes) };
        for scoped in logs.scope_logs {
            let Named { name, version } = scoped.scope.unwrap_or_default();
            let scope = Scope { name, version };
            items.extend(scoped.log_records.into_iter().map(|raw| {
                match parse_json::<Record>(raw.get().as_bytes()) {
                    Ok(record) => records.draft(&record.into(), &resource, &scope),
                    Err(problem) => Message::rejected(None, problem.into_faults()),
                }
            }));
        }
    }
    Ok(items)
}

impl From<Record> for LogRecord {
    fn from(record: Record) -> Self {
        Self {
            time_unix_nano: record.time_unix_nano,
            observed_time_unix_nano: record.observed_time_unix_nano,
            severity_number: record.severity_number,
            severity_text: record.severity_text,
            body: record.body.map(AnyValue::from),
            attributes: attributes(record.attributes),
            trace_id: record.trace_id,
            span_id: record.span_id,
            event_name: record.event_name,
        }
    }
}

fn attributes(attributes: Vec<Attribute>) -> Vec<KeyValue> {
    let attribute = |Attribute { key, value }| KeyValue { key, value: value.map(AnyValue::from) };
    attributes.into_iter().map(attribute).collect()
}

impl From<Any> for AnyValue {
    fn from(any: Any) -> Self {
        let list =
            |list: Values<Any>| ListValue { values: list.values.into_iter().map(Self::from).collect() };
        let object = |object: Values<Attribute>| ObjectValue { values: attributes(object.values) };
        // Bytes that are not base64 are kept as the text that they came as.
        let bytes = |text: String| STANDARD.decode(&text).map_or(Value::Text(text), Value::Bytes);
        let value = any.string_value.map(Value::Text);
        let value = value.or(any.bool_value.map(Value::Bool));
        let value = value.or(any.int_value.map(Value::Int));
        let value = value.or(any.double_value.map(Value::Double));
        let value = value.or(any.array_value.map(|values| Value::List(list(values))));
        let value = value.or(any.kvlist_value.map(|values| Value::Object(object(values))));
        Self { value: value.or(any.bytes_value.map(bytes)) }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Text(&'a str),
    Unsigned(u64),
    Signed(i64),
}

fn unsigned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Number::deserialize(deserializer)? {
        Number::Text(text) => text.parse().map_err(de::Error::custom),
        Number::Unsigned(number) => Ok(number),
        Number::Signed(_) => Err(de::Error::custom("must not be negative")),
    }
}

fn signed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let number = match Option::<Number<'_>>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Number::Text(text)) => text.parse().map_err(de::Error::custom)?,
        Some(Number::Unsigned(number)) => i64::try_from(number).map_err(de::Error::custom)?,
        Some(Number::Signed(number)) => number,
    };
    Ok(Some(number))
}

fn hexadecimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    if text.len() % 2 != 0 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(de::Error::custom("must be hexadecimal"));
    }
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).map_err(de::Error::custom);
    (0..text.len()).step_by(2).map(byte).collect()
}
