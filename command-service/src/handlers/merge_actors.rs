use access::{Caller, Cause};
use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use chassis::{AnyPath, BodyProblems, CallerProblems, Problem, ProblemJson, ServerProblems};
use domain::identity::Merge;
use domain::token::Scope;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ActivitiesError;
use crate::state::AppState;

/// Another name of an actor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an alias")]
pub(crate) struct NewAlias {
    /// The name that means the actor from now on.
    #[schema(min_length = 1, max_length = 256, example = "anonymous-7")]
    alias: String,
}

/// Two names that mean one actor.
#[derive(Serialize, ToSchema)]
pub(crate) struct MergedActors {
    /// Who is meant.
    #[schema(example = "ada")]
    actor: String,
    /// The name that means it.
    #[schema(example = "anonymous-7")]
    alias: String,
    /// Position of the event that merged them.
    position: i64,
    /// Whether they were merged before; this is then the first answer again.
    duplicate: bool,
}

/// Merge an actor into another
///
/// The alias means the actor from now on, also in what was done before: reports count them as one. As of an earlier position
/// they are two still. Neither need have an activity. An alias is merged into one actor, which may be merged into another.
#[utoipa::path(
    post, path = "/v1/actors/{actor}/aliases", tag = "actors",
    params(
        ("actor" = String, Path, description = "The actor's name, percent-encoded: a slash is written `%2F`.", example = "ada"),
    ),
    request_body(content = NewAlias, example = json!({"alias": "anonymous-7"})),
    responses(
        (status = 200, description = "They are merged, and that is durable.", body = MergedActors),
        (status = 409, description = "The alias is merged into another actor, which `detail` names; or the actor is merged into \
          the alias, or at the end of too long a chain.", body = Problem),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn merge_actors(
    State(state): State<AppState>,
    caller: Caller,
    AnyPath(actor): AnyPath<String>,
    headers: HeaderMap,
    ProblemJson(NewAlias { alias }): ProblemJson<NewAlias>,
) -> Result<impl IntoResponse, ActivitiesError> {
    let principal = caller.require(Scope::Ingest)?;
    let cause = Cause::request(&headers, principal.subject).to_json();
    let merge = Merge { actor: actor.clone(), alias: alias.clone() };
    let merged = state.identities.merge(principal.customer_id, merge, &cause).await?;
    Ok(Json(MergedActors { actor, alias, position: merged.position, duplicate: merged.is_duplicate }))
}
