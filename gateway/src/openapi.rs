use std::collections::HashSet;

use access::SESSION_COOKIE;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder,
    PathsBuilder, Ref, RefOr, ResponseBuilder, ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::routes::ROUTES;

/// Why documents of services do not fit together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Two services document the same operation.
    #[error("{0} is documented twice")]
    Operation(String),
    /// Two operations have the same id, from which clients make the names of their functions.
    #[error("the operation id {0} is used twice")]
    OperationId(String),
    /// Two services mean different things by the name of a schema.
    #[error("the schema {0} is defined in two ways")]
    Schema(String),
}

const DESCRIPTION: &str = "Daybook writes down everything your users do in the order it happens, and reports are \
nothing but a fold of that log.\n\nPrograms authenticate with `Authorization: Bearer <token>` or with HTTP Basic and \
the token as user name, the dashboard with a session cookie. Errors are `application/problem+json` (RFC 9457). Every \
answer has `x-request-id`; `traceparent` is honoured.";

const TAGS: [(&str, &str); 9] = [
    ("activities", "Record, read, correct and redact activities."),
    ("clients", "What foreign clients send, as they send it."),
    ("history", "The log itself, for auditors."),
    ("reports", "What the log adds up to."),
    ("customers", "Sign up, and what the customer is."),
    ("people", "Who works with it, and as what."),
    ("session", "Log in and out, and where one is logged in."),
    ("tokens", "What programs authenticate with."),
    ("operations", "Whether the system lives and can serve."),
];

/// The document without the services: what they share, and the gateway's own paths.
#[must_use]
pub fn openapi_base() -> OpenApi {
    let licence = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Daybook")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(licence))
        .build();
    let tags =
        TAGS.map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build());
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .tags(Some(tags))
        .components(Some(components().build()))
        .paths(own_paths())
        .build()
}

fn components() -> ComponentsBuilder {
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some("A token: `dbk_…`."));
    let basic = Http::builder()
        .scheme(HttpAuthScheme::Basic)
        .description(Some("The token as user name, no password."));
    let session = ApiKeyValue::with_description(
        SESSION_COOKIE,
        "Set by sign-up and log-in. A write with it must send the session's `csrf_token` as `x-csrf-token`.",
    );
    ComponentsBuilder::new()
        .security_scheme("token", SecurityScheme::Http(bearer.build()))
        .security_scheme("basic", SecurityScheme::Http(basic.build()))
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)))
        .schema(chassis::Problem::name(), chassis::Problem::schema())
        .schema(chassis::FieldError::name(), chassis::FieldError::schema())
        .schema(chassis::ReadinessReport::name(), chassis::ReadinessReport::schema())
        .schema(chassis::Missing::name(), chassis::Missing::schema())
}

fn own_paths() -> PathsBuilder {
    let operation = |id: &str, summary: &str| {
        OperationBuilder::new().operation_id(Some(id)).summary(Some(summary)).tag("operations")
    };
    let answer = |description: &str| ResponseBuilder::new().description(description);
    let report = || {
        let schema = Ref::from_schema_name(chassis::ReadinessReport::name());
        ContentBuilder::new().schema(Some(schema)).build()
    };
    let ready = operation("readiness", "Whether the system can serve, and what is missing if not")
        .response("200", answer("It can serve.").content("application/json", report()))
        .response("503", answer("Something is missing.").content("application/json", report()));
    let alive = operation("liveness", "Whether the process is alive").response("200", answer("It is."));
    let document = operation("openapi", "This document").response("200", answer("OpenAPI 3.1."));
    PathsBuilder::new()
        .path("/healthz", PathItem::new(HttpMethod::Get, alive))
        .path("/readyz", PathItem::new(HttpMethod::Get, ready))
        .path("/openapi.json", PathItem::new(HttpMethod::Get, document))
}

/// One document out of the gateway's and those of the services.
///
/// # Errors
/// [`MergeError`] where one would silently win over the other.
pub fn merge(base: OpenApi, documents: Vec<OpenApi>) -> Result<OpenApi, MergeError> {
    let mut merged = base;
    let mut ids: HashSet<String> =
        operations(&merged).filter_map(|(_, _, id)| id.map(str::to_owned)).collect();
    for mut document in documents {
        let known: HashSet<(&str, &str)> =
            operations(&merged).map(|(method, path, _)| (method, path)).collect();
        for (method, path, id) in operations(&document) {
            if known.contains(&(method, path)) {
                return Err(MergeError::Operation(format!("{method} {path}")));
            }
            if let Some(id) = id.filter(|id| !ids.insert((*id).to_owned())) {
                return Err(MergeError::OperationId(id.to_owned()));
            }
        }
        if let Some(name) = schema_in_conflict(&merged, &document) {
            return Err(MergeError::Schema(name));
        }
        // Servers and the descriptions of tags come from the base alone.
        document.servers = None;
        let known_tags = merged.tags.iter().flatten().map(|tag| tag.name.clone()).collect::<HashSet<_>>();
        document.tags.iter_mut().for_each(|tags| tags.retain(|tag| !known_tags.contains(&tag.name)));
        merged.merge(document);
    }
    document_own_answers(&mut merged);
    Ok(merged)
}

/// Adds the responses that the gateway itself returns in place of a service.
fn document_own_answers(document: &mut OpenApi) {
    let own = [
        ("429", rate_limited()),
        ("503", own_answer("Not now; `Retry-After` says when to try again.")),
        ("504", own_answer("The service behind the gateway did not answer in time.")),
    ]
    .map(|(status, answer)| (status, RefOr::from(answer.build())));
    let services = document.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/v1"));
    for (_, item) in services {
        let methods = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in methods.into_iter().flatten() {
            for (status, answer) in &own {
                let answers = &mut operation.responses.responses;
                answers.entry((*status).to_owned()).or_insert_with(|| answer.clone());
            }
        }
    }
}

fn own_answer(description: &str) -> ResponseBuilder {
    let problem = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(problem)).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content)
}

fn rate_limited() -> ResponseBuilder {
    let header = |kind, description: &str| {
        let schema = utoipa::openapi::ObjectBuilder::new().schema_type(kind).build();
        HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
    };
    own_answer("The token, the person or the customer makes too many requests; nothing of this one was done.")
        .header("retry-after", header(Type::Integer, "When to try again, in seconds."))
        .header("ratelimit-policy", header(Type::String, "How many requests a second each may make."))
        .header("ratelimit", header(Type::String, "How many of them are left."))
}

fn schema_in_conflict(merged: &OpenApi, document: &OpenApi) -> Option<String> {
    let known = &merged.components.as_ref()?.schemas;
    let added = &document.components.as_ref()?.schemas;
    added
        .iter()
        .find(|(name, schema)| known.get(*name).is_some_and(|known| known != *schema))
        .map(|(name, _)| name.clone())
}

/// Method, path and id of every operation.
fn operations(document: &OpenApi) -> impl Iterator<Item = (&'static str, &str, Option<&str>)> {
    document.paths.paths.iter().flat_map(|(path, item)| {
        let methods = [
            ("GET", &item.get),
            ("PUT", &item.put),
            ("POST", &item.post),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        methods.into_iter().filter_map(move |(method, operation)| {
            let operation = operation.as_ref()?;
            Some((method, path.as_str(), operation.operation_id.as_deref()))
        })
    })
}

/// The operations under `/v1` that a document promises and the gateway does not route; there should be none.
#[must_use]
pub fn unrouted(document: &OpenApi) -> Vec<String> {
    operations(document)
        .filter(|(method, path, _)| path.starts_with("/v1") && !is_routed(method, path))
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect()
}

fn is_routed(method: &str, path: &str) -> bool {
    let method = http::Method::from_bytes(method.as_bytes()).ok().and_then(|method| method.try_into().ok());
    method.is_some_and(|method| {
        ROUTES.iter().any(|route| route.methods.or(method) == route.methods && is_under(route.path, path))
    })
}

/// Whether a documented path, with its parameters as they are, is one of a route's.
fn is_under(route: &str, path: &str) -> bool {
    let (mut routed, mut documented) = (route.split('/'), path.split('/'));
    loop {
        match (routed.next(), documented.next()) {
            (None, None) => return true,
            (Some(rest), Some(_)) if rest.starts_with("{*") => return true,
            (Some(one), Some(other)) if one == other || (one.starts_with('{') && !other.is_empty()) => {}
            _ => return false,
        }
    }
}
