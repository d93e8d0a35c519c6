use std::collections::HashMap;

use domain::MemberId;
use http::{HeaderMap, HeaderName};
use uuid::Uuid;

use crate::{Cause, Subject};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

#[test]
fn every_event_says_who_with_which_request_and_trace() {
    let headers = headers(&[("x-request-id", "r-1"), ("traceparent", TRACEPARENT)]);
    let cause = Cause::request(&headers, Subject::Member(MemberId(Uuid::nil())));
    let expected = format!(
        r#"{{"request_id":"r-1","subject":"member:00000000-0000-0000-0000-000000000000","traceparent":"{TRACEPARENT}"}}"#
    );
    assert_eq!(cause.to_json(), expected);
    // By either way into the log the metadata is the same.
    let fields = HashMap::<String, String>::from(cause.clone());
    assert_eq!(serde_json::from_value::<Cause>(serde_json::to_value(fields).unwrap()).unwrap(), cause);
}

#[test]
fn a_trace_that_is_none_is_left_out() {
    let cause = Cause::anonymous(&headers(&[("traceparent", "00-short-01")]));
    assert_eq!(cause, Cause::default());
    assert_eq!(cause.to_json(), "{}");
}

#[test]
fn metadata_of_every_version_is_read() {
    let of = Cause::of_metadata;
    assert_eq!(of("{}"), Cause::default());
    assert_eq!(of(r#"{"subject":"operator"}"#), Cause::operator());
    assert_eq!(of(r#"{"request_id":"r","later":{"a":1}}"#).request_id.as_deref(), Some("r"));
    assert_eq!(of(r#"{"subject":7}"#), Cause::default());
    let joined = of(r#"{"invited_by":"member:1","request_id":"r","subject":"member:2"}"#);
    assert_eq!(
        (joined.invited_by.as_deref(), joined.subject.as_deref()),
        (Some("member:1"), Some("member:2"))
    );
}
