//! What every process of Daybook needs, without a word of the domain: configuration, telemetry, problems, health, serving,
//! databases, retries, calling another service, and shutting down.
//!
//! Invariants: every limit has a name and a default; an error that leaves a process is `application/problem+json`;
//! nothing here knows what an activity, a token or a report is.

mod authorization;
mod backoff;
mod body;
mod breaker;
mod connection;
pub mod database;
mod documented;
mod env;
mod fallback;
mod health;
mod internal;
mod linger;
mod listen;
mod observe;
mod outage;
mod parameters;
mod problem;
mod serve;
mod service;
mod telemetry;
mod tls;
mod upstream;

pub use authorization::{Unreadable, shown_secret};
pub use backoff::Backoff;
pub use body::{
    BodyLimits, LinesBody, ProblemJson, gunzip, parse_json, read_body, read_bytes, read_json, unreadable_body,
};
pub use breaker::Breaker;
pub use connection::Closing;
pub use documented::{BodyProblems, CallerProblems, ParameterProblems, QueryProblems, ServerProblems};
pub use env::{ConfigError, DescribedKey, Env, Key, KeyDefault};
pub use fallback::with_fallbacks;
pub use health::{Check, Missing, Readiness, ReadinessReport};
pub use internal::{INTERNAL_KEY_HEADER, InternalKey, PRINCIPAL_HEADER, require_internal_key};
pub use listen::{InvalidListen, Listen};
pub use observe::observe;
pub use outage::Outage;
pub use parameters::{
    AnyPath, PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, PARAMETERS_MAX, PageParameters, Paging, ProblemPath,
    ProblemQuery, QUERY_BYTES_MAX, Time, cut_page, page_limit, start_of_day,
};
pub use problem::{FieldError, Problem, REQUEST_ID_HEADER, request_id};
pub use serve::{Https, ServeError, bind, serve, serve_tls};
pub use service::{Service, StartError, Tasks};
pub use telemetry::{LogFormat, init_telemetry, metrics_router};
pub use tls::{Tls, TlsError};
pub use upstream::{Upstream, UpstreamError, with_causes};
