use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, Ref, RefOr, Response, Schema};

/// The ways to authenticate, as the gateway's document describes them.
const CREDENTIALS: [&str; 3] = ["token", "basic", "session"];
const JSON: &str = "application/json";
const PROBLEM_JSON: &str = "application/problem+json";

/// Adds to a service's OpenAPI document what holds for all of its operations, so that no route repeats it: an operation
/// that says nothing about security takes any of the credentials, and a problem is `application/problem+json`.
#[must_use]
pub fn with_conventions(mut document: OpenApi) -> OpenApi {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let any = || CREDENTIALS.map(|name| SecurityRequirement::new(name, [""; 0])).into();
        operation.security.get_or_insert_with(any);
        for response in operation.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                name_problem(response);
            }
        }
    }
    document
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = path;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// utoipa documents every body as JSON unless the route says otherwise.
fn name_problem(response: &mut Response) {
    let problem: RefOr<Schema> = Ref::from_schema_name("Problem").into();
    let is_problem = |content: &RefOr<utoipa::openapi::Content>| match content {
        RefOr::T(content) => content.schema.as_ref() == Some(&problem),
        RefOr::Ref(_) => false,
    };
    if response.content.get(JSON).is_some_and(is_problem)
        && let Some(content) = response.content.shift_remove(JSON)
    {
        response.content.insert(PROBLEM_JSON.to_owned(), content);
    }
}
