use std::collections::HashMap;

use axum::extract::FromRequestParts;
use chassis::{ProblemPath, ProblemQuery};
use domain::ActivityId;
use http::request::Parts;
use serde::Deserialize;

use crate::error::ActivitiesError;

/// Where activities lie; what follows is an id.
pub(crate) const ACTIVITIES: &str = "/v1/activities/";

/// The activity that a request names by the rest of its path, whatever that is: a word that is a route of ours with another
/// method, or several segments.
///
/// An id is never empty, so `/v1/activities/?id=` is the id of no activity, and names any: also `.` and `..`, which clients
/// take for steps and remove from a path, escaped or not (WHATWG URL, 4.4).
pub(crate) struct NamedActivity(pub(crate) ActivityId);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByQuery {
    id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for NamedActivity {
    type Rejection = ActivitiesError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ActivitiesError> {
        let ProblemPath(segments): ProblemPath<HashMap<String, String>> =
            ProblemPath::from_request_parts(parts, state).await?;
        let id = match (segments.get("id"), segments.get("rest")) {
            (Some(id), Some(rest)) => format!("{id}/{rest}"),
            (Some(id), None) => id.clone(),
            // A path without parameters ends with a word of ours, or with nothing.
            (None, _) => match parts.uri.path().strip_prefix(ACTIVITIES).unwrap_or_default() {
                "" => ProblemQuery::<ByQuery>::from_request_parts(parts, state).await?.0.id,
                word => word.to_owned(),
            },
        };
        // What can be no id is that of no activity.
        ActivityId::parse(id).map(Self).map_err(|_| ActivitiesError::NotFound)
    }
}
