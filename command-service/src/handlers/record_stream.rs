use std::convert::Infallible;

use access::Cause;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chassis::{CallerProblems, Closing, LinesBody, Problem, ServerProblems};
use domain::token::Scope;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use crate::error::ActivitiesError;
use crate::state::AppState;
use crate::stream::{Stream, StreamLine};

/// How many messages wait for a client that does not read its answer.
const ANSWER_MESSAGES_MAX: usize = 4;

/// Activities, one to a line.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only documents the fields")]
pub(crate) struct ActivityLines(Vec<super::record_activity::NewActivity>);

/// Record a stream of activities
///
/// One activity to a line, as many lines as there are, also compressed with `gzip` or `zstd`. The answer is lines too, and
/// comes while the request is still sent: read it meanwhile. A bad line is named as `rejected` and costs the others nothing.
/// `progress` comes every second or 10,000 lines: what it counts is durable, wherever the connection breaks off. `summary` is
/// the last line; one that is not `complete` says why. All of it may be sent again: an activity with an `id` is not recorded
/// twice. While much waits to be recorded, nothing is read.
#[utoipa::path(
    post, path = "/v1/activities/stream", tag = "activities",
    request_body(
        content = ActivityLines, content_type = "application/x-ndjson",
        example = json!("{\"type\":\"page.viewed\",\"actor\":\"ada\"}\n{\"type\":\"order.paid\",\"actor\":\"bob\"}\n"),
    ),
    responses(
        (
            status = 200, description = "What becomes of the lines, while they come.",
            body = StreamLine, content_type = "application/x-ndjson",
        ),
        (status = 415, description = "The content type, charset or encoding is not supported.", body = Problem),
        CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn record_stream(
    State(state): State<AppState>,
    request: Request,
) -> Result<Response, ActivitiesError> {
    let principal = state.access.authenticate(request.headers()).await?;
    principal.require(Scope::Ingest)?;
    let customer = principal.customer_id;
    let place = state.streams.take(customer).ok_or(ActivitiesError::Overloaded)?;
    let headers = request.headers().clone();
    let cause = Cause::request(&headers, principal.subject).to_json();
    let closing = request.extensions().get::<Closing>().cloned().unwrap_or_default();
    let body = LinesBody::of(request)?;
    let mut stream = Stream::new(state, place, (customer, headers, cause), (body, closing));
    stream.begin().await;
    let (answer, lines) = mpsc::channel::<Bytes>(ANSWER_MESSAGES_MAX);
    tokio::spawn(stream.run(answer));
    let lines = futures::stream::unfold(lines, |mut lines| async {
        lines.recv().await.map(|line| (Ok::<_, Infallible>(line), lines))
    });
    let headers = [
        (CONTENT_TYPE.as_str(), "application/x-ndjson"),
        (CACHE_CONTROL.as_str(), "no-store"),
        // nginx would hold the answer back.
        ("x-accel-buffering", "no"),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}
