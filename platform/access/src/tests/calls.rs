use std::sync::{Arc, Mutex};

use chassis::{InternalKey, Problem, Upstream, UpstreamError};
use serde_json::{Value, json};

use super::authority::principal;
use crate::{
    ForwardedPrincipal, InternalCall, InternalRoutes, NoteTokenUses, ResolveSession, ResolvedSession,
    TokenUsesNoted,
};

/// A service that answers one call, and the state that it notes calls in.
fn service(key: &InternalKey) -> (Upstream, Arc<Mutex<Vec<NoteTokenUses>>>) {
    let calls = Arc::<Mutex<Vec<NoteTokenUses>>>::default();
    let note = |calls: Arc<Mutex<Vec<NoteTokenUses>>>, call: NoteTokenUses| async move {
        let noted = call.uses.len();
        calls.lock().unwrap().push(call);
        Ok::<_, Problem>(TokenUsesNoted { noted })
    };
    let router = InternalRoutes::default().with(note).behind(key).with_state(Arc::clone(&calls));
    (Upstream::Local(router), calls)
}

#[tokio::test]
async fn a_call_reaches_the_service_with_the_key_and_no_other() {
    let key = InternalKey::random();
    let (service, calls) = service(&key);
    let call = NoteTokenUses { uses: Vec::new() };
    assert_eq!(call.ask(&service, &key).await.unwrap().noted, 0);
    let stranger = call.ask(&service, &InternalKey::random()).await;
    assert!(matches!(stranger, Err(UpstreamError::Status(status)) if status == 404), "{stranger:?}");
    assert_eq!(calls.lock().unwrap().len(), 1);
}

#[test]
fn a_resolved_session_reads_as_gateways_of_any_version_write_it() {
    let resolved = |json: Value| serde_json::from_value::<ResolvedSession>(json).ok();
    assert!(matches!(resolved(json!({"refused": true})), Some(ResolvedSession::Ended)));
    assert!(resolved(json!({})).is_none());
    let unknown = json!({"principal": {"customer_id": "c", "new": 1}, "csrf_ok": true, "other": 2});
    let Ok(ResolvedSession::Live { principal: forwarded, csrf_ok: true }) =
        serde_json::from_str(&unknown.to_string())
    else {
        panic!("an answer with more fields is not read")
    };
    assert_eq!(forwarded.header().unwrap(), r#"{"customer_id":"c","new":1}"#);

    let principal = ForwardedPrincipal::new(&principal()).unwrap();
    let live = serde_json::to_value(ResolvedSession::Live { principal, csrf_ok: false }).unwrap();
    assert_eq!((&live["csrf_ok"], &live["principal"]["time_zone"]), (&json!(false), &json!("Europe/Berlin")));
    assert_eq!(live.get("refused"), None);
    assert_eq!(serde_json::to_value(ResolvedSession::Ended).unwrap(), json!({"refused": true}));
}

#[test]
fn a_question_with_an_unknown_field_is_not_understood() {
    assert!(serde_json::from_value::<ResolveSession>(json!({"cookie": "c", "csrf": null})).is_ok());
    assert!(serde_json::from_value::<ResolveSession>(json!({"cookie": "c"})).is_ok());
    assert!(serde_json::from_value::<ResolveSession>(json!({"cookie": "c", "more": 1})).is_err());
}
