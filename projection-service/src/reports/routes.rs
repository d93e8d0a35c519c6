//! Every report and every list by HTTP.

use axum::response::Response;
use chassis::{AnyPath, CallerProblems, ParameterProblems, Problem, QueryProblems, ServerProblems};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::actors::{ActorPage, KnownActor};
use super::frame::{Answer, DefaultRange, Report, Request};
use super::listing::ActivityPage;
use super::parameters::{Common, Nothing, read};
use super::query::Query;
use super::{active_users, activity, actors, funnel, paths, retention, sessions, top, week_hours};
use crate::answers::{KnownAnswer, NoAnswer};
use crate::error::ReportsError;
use crate::state::AppState;
use crate::view::StandingRow;

/// Makes the route and the document of each report out of the functions `answer` and `explain` and the types `Parameters`
/// and `Body` of its module.
macro_rules! reports {
    ($($(#[$documentation:meta])* $operation:ident: $module:ident at $path:literal;)+) => {
        $(
            $(#[$documentation])*
            #[utoipa::path(
                get, path = $path, tag = "reports",
                params(Common, $module::Parameters, KnownAnswer),
                responses(
                    (status = 200, description = "The report; with `explain`, a page of activities.",
                     content((Answer<$module::Body> = "application/json"), (String = "text/csv"),
                             (String = "application/x-ndjson"), (Vec<u8> = "application/vnd.apache.parquet")),
                     headers(("ETag" = String, description = "Names what the answer shows."))),
                    NoAnswer, QueryProblems, ParameterProblems, CallerProblems, ServerProblems,
                ),
            )]
            async fn $operation(request: Request) -> Result<Response, ReportsError> {
                struct This;
                impl Report for This {
                    const NAME: &'static str = stringify!($module);
                    type Parameters = $module::Parameters;
                    type Body = $module::Body;

                    async fn answer(
                        parameters: Self::Parameters,
                        query: &Query,
                    ) -> Result<Self::Body, ReportsError> {
                        $module::answer(parameters, query).await
                    }

                    async fn explain(
                        parameters: Self::Parameters,
                        query: &Query,
                        cell: &str,
                    ) -> Result<Vec<StandingRow>, ReportsError> {
                        $module::explain(parameters, query, cell).await
                    }
                }
                request.report::<This>().await
            }
        )+

        /// Adds the routes of every report.
        fn add_reports(router: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
            router$(.routes(routes!($operation)))+
        }
    };
}

reports![
    /// Activity over time
    ///
    /// How many activities there were, how many different actors, or a measure of their values, in every bucket of the range,
    /// divided by fields if asked for. An activity counts when it happened, whenever it was recorded; a correction moves it
    /// and a redaction takes it out. `total` is over the whole range: of actors and quantiles it is no sum.
    report_activity: activity at "/v1/reports/activity";

    /// Active users by day
    ///
    /// How many different actors were active on each day that the range touches, in the week and in the 30 days that end
    /// with it. Exact: an actor who comes every day counts once in a week. `explain` takes `DAY`, `DAY,weekly` or
    /// `DAY,monthly`.
    report_active_users: active_users at "/v1/reports/active-users";

    /// Retention
    ///
    /// How many of those who began in a day, a week or a month came back in the ones after it. `explain` takes the first day
    /// of a cohort, or `DAY,K` for those who came back in the K-th unit after.
    report_retention: retention at "/v1/reports/retention";

    /// Funnel
    ///
    /// How many actors go through steps, one after the other, within a time, and how long each step takes them. `explain`
    /// takes the number of a step, from 1.
    report_funnel: funnel at "/v1/reports/funnel";

    /// Sessions
    ///
    /// How often actors were active without a long pause, how long, and how many of them. A session is never cut by the
    /// range; it is in the report if it begins in it. `explain` takes `DAY`, `total` or `single`.
    report_sessions: sessions at "/v1/reports/sessions";

    /// Paths
    ///
    /// What actors do after a type of activity, or before it, within a session. `explain` takes `DEPTH,TYPE` for a node, and
    /// `FROM>TO` for a link.
    report_paths: paths at "/v1/reports/paths";

    /// Top values
    ///
    /// The values of a field that most activities of the range have, with how many different actors these have.
    report_top: top at "/v1/reports/top";

    /// Hours of the week
    ///
    /// How many activities there were in each hour of the week, in the zone. `explain` takes `WEEKDAY,HOUR`.
    report_week_hours: week_hours at "/v1/reports/week-hours";
];

/// Adds the routes of every report and every list.
pub(crate) fn add(router: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
    add_reports(router)
        .routes(routes!(list_activities))
        .routes(routes!(list_actors))
        .routes(routes!(show_actor))
        .routes(routes!(list_activities_of_actor))
}

/// What lists have not.
const NO_EXPLAIN: [&str; 1] = ["explain"];

/// List activities
///
/// Activities as they stand, the newest first by the time at which they happened. Pages have each activity once, whatever
/// is recorded in the meantime. As CSV, NDJSON or Parquet without `limit`, all of them, as a stream.
#[utoipa::path(
    get, path = "/v1/activities", tag = "activities",
    params(Common, KnownAnswer),
    responses(
        (status = 200, description = "A page, or everything as a file.",
         content((Answer<ActivityPage> = "application/json"), (String = "text/csv"),
                 (String = "application/x-ndjson"), (Vec<u8> = "application/vnd.apache.parquet")),
         headers(("ETag" = String, description = "Names what the answer shows."))),
        NoAnswer, QueryProblems, ParameterProblems, CallerProblems, ServerProblems,
    ),
)]
async fn list_activities(request: Request) -> Result<Response, ReportsError> {
    let (common, Nothing {}) = read(&request.query, &NO_EXPLAIN)?;
    activities(&request, common, "activities").await
}

/// Activities of an actor
///
/// As the list of activities, of one actor.
#[utoipa::path(
    get, path = "/v1/actors/{actor}/activities", tag = "activities",
    params(
        ("actor" = String, Path, description = "The actor's name; a slash in it is written `%2F`.", example = "ada"),
        Common, KnownAnswer,
    ),
    responses(
        (status = 200, description = "A page, or everything as a file.",
         content((Answer<ActivityPage> = "application/json"), (String = "text/csv"),
                 (String = "application/x-ndjson"), (Vec<u8> = "application/vnd.apache.parquet")),
         headers(("ETag" = String, description = "Names what the answer shows."))),
        NoAnswer, QueryProblems, ParameterProblems, CallerProblems, ServerProblems,
    ),
)]
async fn list_activities_of_actor(
    mut request: Request,
    AnyPath(actor): AnyPath<String>,
) -> Result<Response, ReportsError> {
    let (mut common, Nothing {}) = read::<Nothing>(&request.query, &["explain", "actor"])?;
    // What names the answer must name the actor too.
    request.query = format!("{}#{actor}", request.query);
    common.actor = vec![actor];
    activities(&request, common, "actor_activities").await
}

async fn activities(request: &Request, common: Common, name: &'static str) -> Result<Response, ReportsError> {
    let opened = match request.open(common, DefaultRange::Everything).await? {
        Ok(opened) => opened,
        Err(known) => return Ok(known),
    };
    let response = opened.list().await?;
    opened.record(name);
    Ok(response)
}

/// List actors
///
/// Who has activities, in the order of names, with how many and when the first and the last one happened. With a range or
/// filters, only the activities that pass are looked at.
#[utoipa::path(
    get, path = "/v1/actors", tag = "actors",
    params(Common, actors::Parameters, KnownAnswer),
    responses(
        (status = 200, description = "A page.",
         content((Answer<ActorPage> = "application/json"), (String = "text/csv"),
                 (String = "application/x-ndjson"), (Vec<u8> = "application/vnd.apache.parquet")),
         headers(("ETag" = String, description = "Names what the answer shows."))),
        NoAnswer, QueryProblems, ParameterProblems, CallerProblems, ServerProblems,
    ),
)]
async fn list_actors(request: Request) -> Result<Response, ReportsError> {
    let (common, parameters) = read::<actors::Parameters>(&request.query, &NO_EXPLAIN)?;
    let opened = match request.open(common, DefaultRange::Everything).await? {
        Ok(opened) => opened,
        Err(known) => return Ok(known),
    };
    let page =
        actors::page(parameters, &opened.query, opened.common.cursor.as_deref(), opened.limit()).await?;
    let response = opened.answer("actors", page)?;
    opened.record("actors");
    Ok(response)
}

/// Show an actor
///
/// How many activities an actor has, when the first and the last one happened, its traits, and its other names. Any of its
/// names finds it.
#[utoipa::path(
    get, path = "/v1/actors/{actor}", tag = "actors",
    params(
        ("actor" = String, Path, description = "The actor's name; a slash in it is written `%2F`.", example = "ada"),
        Common, KnownAnswer,
    ),
    responses(
        (status = 200, description = "The actor.", body = Answer<KnownActor>,
         headers(("ETag" = String, description = "Names what the answer shows."))),
        (status = 404, description = "No activity that stands is of this actor, and nothing else is known of it.",
         body = Problem),
        NoAnswer, QueryProblems, ParameterProblems, CallerProblems, ServerProblems,
    ),
)]
async fn show_actor(mut request: Request, AnyPath(actor): AnyPath<String>) -> Result<Response, ReportsError> {
    let (common, Nothing {}) = read(&request.query, &["explain", "actor", "cursor", "limit", "format"])?;
    request.query = format!("{}#{actor}", request.query);
    let opened = match request.open(common, DefaultRange::Everything).await? {
        Ok(opened) => opened,
        Err(known) => return Ok(known),
    };
    let response = opened.answer("actor", actors::one(&opened.query, &actor).await?)?;
    opened.record("actor");
    Ok(response)
}
