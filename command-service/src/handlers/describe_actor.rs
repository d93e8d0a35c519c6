use access::{Caller, Cause};
use axum::extract::State;
use axum::response::Response;
use chassis::{AnyPath, BodyProblems, CallerProblems, ProblemJson, ServerProblems};
use domain::Json;
use domain::token::Scope;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answers::one_line;
use crate::error::ActivitiesError;
use crate::state::AppState;

/// What to say of an actor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a description")]
pub(crate) struct Description {
    /// Traits to set; one that is null is unset, and the others stay. At most 32 KiB, at most 8 deep, also all traits of the
    /// actor together. Every number keeps its digits.
    #[schema(value_type = Object)]
    traits: Json,
}

/// An actor as it is described now.
#[derive(Serialize, ToSchema)]
pub(crate) struct DescribedActor {
    /// Its name.
    #[schema(example = "ada")]
    actor: String,
    /// All of its traits.
    #[schema(value_type = Object)]
    traits: Json,
    /// Position of the event that described it last; null if none ever did.
    #[schema(required)]
    position: Option<i64>,
}

/// Describe an actor
///
/// Sets traits, by which reports filter and group. The actor need not have an activity. A description that says what is known
/// already, with numbers compared by value, changes nothing.
#[utoipa::path(
    put, path = "/v1/actors/{actor}", tag = "actors",
    params(
        ("actor" = String, Path, description = "The actor's name, percent-encoded: a slash is written `%2F`.", example = "ada"),
    ),
    request_body(content = Description, example = json!({"traits": {"plan": "pro", "trial": null}})),
    responses(
        (status = 200, description = "The actor as it is described now.", body = DescribedActor),
        BodyProblems, CallerProblems, ServerProblems,
    ),
)]
pub(crate) async fn describe_actor(
    State(state): State<AppState>,
    caller: Caller,
    AnyPath(actor): AnyPath<String>,
    headers: HeaderMap,
    ProblemJson(description): ProblemJson<Description>,
) -> Result<Response, ActivitiesError> {
    let principal = caller.require(Scope::Ingest)?;
    let cause = Cause::request(&headers, principal.subject).to_json();
    let described =
        state.identities.describe(principal.customer_id, &actor, description.traits, &cause).await?;
    one_line(&DescribedActor { actor, traits: described.traits, position: described.position })
}
