use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::{MergeError, merge, openapi_base, unrouted};

fn document(part: &Value) -> OpenApi {
    let mut whole = json!({"openapi": "3.1.0", "info": {"title": "A service", "version": "1"}, "paths": {}});
    whole.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn operation(id: &str) -> Value {
    json!({"operationId": id, "responses": {}})
}

#[test]
fn the_documents_become_one() {
    let write = document(&json!({"paths": {"/v1/activities": {"post": operation("record")}}}));
    let read = document(
        &json!({"paths": {"/v1/activities": {"get": operation("list")}}, "servers": [{"url": "/x"}]}),
    );
    let merged = serde_json::to_value(merge(openapi_base(), vec![write, read]).unwrap()).unwrap();
    assert_eq!(merged["paths"]["/v1/activities"]["post"]["operationId"], "record");
    assert_eq!(merged["paths"]["/v1/activities"]["get"]["operationId"], "list");
    assert!(merged["paths"]["/readyz"]["get"].is_object());
    assert_eq!((&merged["info"]["title"], &merged["servers"]), (&json!("Daybook"), &json!([{"url": "/"}])));
    let schemes = &merged["components"]["securitySchemes"];
    assert_eq!(
        schemes["token"],
        json!({"type": "http", "scheme": "bearer", "description": "A token: `dbk_…`."})
    );
    assert_eq!(
        (&schemes["session"]["in"], &schemes["session"]["name"]),
        (&json!("cookie"), &json!("daybook_session"))
    );
    assert_eq!(schemes["basic"]["scheme"], "basic");
    // What the gateway answers in place of a service is told of every operation of one.
    let responses = |path: &str, method: &str| merged["paths"][path][method]["responses"].clone();
    for method in ["get", "post"] {
        let answers = responses("/v1/activities", method);
        let limited = &answers["429"];
        assert!(limited["headers"]["retry-after"].is_object(), "{limited}");
        assert!(limited["content"]["application/problem+json"]["schema"].is_object(), "{limited}");
        assert!(answers["503"].is_object() && answers["504"].is_object(), "{answers}");
    }
    assert_eq!(responses("/readyz", "get")["429"], Value::Null);
}

#[test]
fn nothing_is_documented_twice() {
    let with = |path: &str, id: &str| document(&json!({"paths": {path: {"get": operation(id)}}}));
    let merge = |documents| merge(openapi_base(), documents).err();
    let twice = merge(vec![with("/v1/a", "a"), with("/v1/a", "b")]);
    assert_eq!(twice, Some(MergeError::Operation("GET /v1/a".into())));
    let twice = merge(vec![with("/v1/a", "a"), with("/v1/b", "a")]);
    assert_eq!(twice, Some(MergeError::OperationId("a".into())));
    let schema = |kind: &str| document(&json!({"components": {"schemas": {"Item": {"type": kind}}}}));
    assert_eq!(merge(vec![schema("object"), schema("object")]), None);
    assert_eq!(merge(vec![schema("object"), schema("string")]), Some(MergeError::Schema("Item".into())));
}

#[test]
fn what_is_documented_and_not_routed_is_found() {
    let document = document(&json!({"paths": {
        "/v1/activities/{activity_id}": {"get": operation("a"), "put": operation("b")},
        "/v1/history/{aggregate_id}": {"get": operation("c")},
        "/v1/nothing": {"get": operation("d")},
    }}));
    assert_eq!(unrouted(&document), ["PUT /v1/activities/{activity_id}", "GET /v1/nothing"]);
    assert_eq!(unrouted(&openapi_base()), Vec::<String>::new());
}
